"""JSON that every reader takes, PostgreSQL's jsonb among them.

Numbers are finite, whole ones have at most 64 bits, text has no NUL and no half of a surrogate pair, nesting ends.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 20
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def loads(data: bytes | str, *, max_length: int) -> Any:
    """The value of a foreign text, made storable. Raises ValueError for what is not JSON, longer than `max_length`
    (bytes or characters) or nested deeper than MAX_DEPTH."""
    if len(data) > max_length:
        raise ValueError(f"longer than {max_length}")
    text = data if isinstance(data, str) else data.decode()
    try:
        return storable(json.loads(text, parse_constant=lambda _: None))
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from None


def dumps(value: Any, *, indent: int | None = None) -> str:
    """`value` as ASCII text that `loads` gives back. Raises ValueError for what is nested deeper than MAX_DEPTH."""
    return json.dumps(storable(value), indent=indent, allow_nan=False)


def storable(value: Any, levels: int = MAX_DEPTH) -> Any:
    """A copy in which null stands for every number that JSON has no word for, and � for characters that jsonb refuses.

    Raises ValueError for what is nested deeper than `levels`.
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):  # also true and false
        return value if abs(value) < 2**63 else None
    if not isinstance(value, Mapping | list | tuple):
        return value
    if levels == 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return {clean(str(name)): storable(inner, levels - 1) for name, inner in value.items()}
    return [storable(inner, levels - 1) for inner in value]


def clean(text: str) -> str:
    """`text` without what UTF-8 or PostgreSQL cannot store."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)

"""Single values of the API server's JSON, so that they can be stored: bounded, cleaned, of one kind."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from simulations.sumo.protocol.strict_json import clean

MAX_NAME = 253  # of any object, by Kubernetes' own rules
MAX_WORDS = 2000  # of a message; what is shown is shorter still
INT16, INT32 = range(-(2**15), 2**15), range(-(2**31), 2**31)
ATTEMPT = re.compile(r"[0-9]{1,4}")


def words(value: Any) -> str:
    """What the cluster says in a message; empty for what is no text."""
    return clean(value[:MAX_WORDS]) if isinstance(value, str) else ""


def name(value: Any) -> str:
    """Of an object or a label's value; empty for nothing. Raises TypeError for what is no text."""
    if not isinstance(value, str | None):
        raise TypeError(f"a name is no text: {str(value)[:50]}")
    return clean((value or "")[:MAX_NAME])


def moment(value: Any) -> datetime | None:
    """A time with its zone; None for what is none: no outcome depends on it."""
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def whole(value: Any, within: range = INT32) -> int | None:
    """None for nothing and what is no such number."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value in within else None


def exit_code(value: Any) -> int | None:
    """Of a container. None also for what no Linux process ends with, and no column of ours holds."""
    return whole(value, INT16)


def attempt(value: Any) -> int:
    """From its label; 1 for what is no such number."""
    return int(value) if isinstance(value, str) and ATTEMPT.fullmatch(value) else 1


def unless_odd(read: Callable[[Any], Any], item: Any) -> Any:
    """What `read` makes of `item`; None for an object in a shape never seen, which is told of where it matters."""
    try:
        return read(item)
    except Exception:  # noqa: BLE001 - any shape, any error
        return None


def label_of(item: Any, kind: str) -> str:
    """“Pod city-a/sim-1”, as far as that can be told of an object in a shape never seen."""
    meta = item.get("metadata") if isinstance(item, Mapping) else None
    parts = [meta.get(part) for part in ("namespace", "name")] if isinstance(meta, Mapping) else []
    return clean(f"{kind} {'/'.join(str(part) for part in parts if part) or '(without a name)'}"[:MAX_NAME])


def oddity(item: Any, kind: str, error: Exception) -> str:
    """What to tell an operator of such an object."""
    return f"{label_of(item, kind)} has a shape that cannot be read ({type(error).__name__}: {clean(str(error)[:100])})"

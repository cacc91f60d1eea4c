"""What the framework says of a wrong value, in the words of the API: objects, lists and entries, not dictionaries."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

KINDS = {
    "dict": "an object",
    "list": "a list",
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "NoneType": "null",
}
SENTENCES = [
    (re.compile(pattern), told)
    for pattern, told in (
        (r'(?:Invalid data\. )?Expected a dictionary(?: of items)?,? but got (?:type )?"?(\w+)"?\.',
         "Must be an object of names and values, not {kind}."),
        (r'Expected a list of items but got type "(\w+)"\.', "Must be a list, not {kind}."),
        (r"Ensure this field has at least (\d+) elements\.", "Must have at least {count}."),
        (r"Ensure this field has no more than (\d+) elements\.", "Must have at most {count}."),
        (r"Ensure this field has at least (\d+) characters\.", "Must have at least {0} characters."),
        (r"Ensure this field has no more than (\d+) characters\.", "Must have at most {0} characters."),
        (r"Ensure this value is greater than or equal to (\S+)\.", "Must be at least {0}."),
        (r"Ensure this value is less than or equal to (\S+)\.", "Must be at most {0}."),
        (r"A valid integer is required\.", "Must be a whole number."),
        (r"This dictionary may not be empty\.", "This object may not be empty."),
    )
]  # fmt: skip


def reworded(sentence: str) -> str:
    """The framework's sentence as the API says it; any other as it is."""
    for pattern, told in SENTENCES:
        if found := pattern.fullmatch(sentence):
            value = found[1] if found.groups() else ""
            count = "1 entry" if value == "1" else f"{value} entries"
            return told.format(value, kind=KINDS.get(value, "that"), count=count)
    return sentence


def flat(detail: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """(place, what is wrong there) of the framework's nested errors: `base.options.seed`, `outputs[0]`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from flat(inner, where if name == "non_field_errors" else _inside(where, name))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            yield from flat(inner, _inside(where, place) if isinstance(inner, Mapping) else where)
    else:
        yield where, detail


def _inside(where: str, name: str | int) -> str:
    """Of an object a field, of a list an entry."""
    return f"{where}[{name}]" if isinstance(name, int) else f"{where}.{name}".lstrip(".")

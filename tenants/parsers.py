"""Bodies from strangers: JSON that is bounded, strict, and free of what PostgreSQL cannot store; forms."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from tenants.errors import ApiError

MAX_DEPTH = 20
MAX_NAMES = 1000  # of one object
MAX_VALUES = 50_000  # of one body, all levels together


def parse(body: bytes) -> Any:
    """The JSON value of `body`. Raises ValueError for what is not JSON (RFC 8259), and NotTaken for what JSON allows
    but no request here means: numbers beyond 64 bits, names given twice, NUL in text, more than MAX_DEPTH levels,
    MAX_NAMES names in an object or MAX_VALUES values. So whatever checks the value has that bound."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except RecursionError:
        raise NotTaken(f"JSON nested deeper than {MAX_DEPTH} levels") from None
    _check(value)
    return value


class NotTaken(ValueError):
    """It is JSON, but holds this, which no request here means."""


class StrictJSONParser(BaseParser):
    """Reads at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes: 413 beyond, 400 for anything that is not proper JSON."""

    media_type = "application/json"
    max_bytes: int | None = None  # of a subclass for bodies that are smaller still

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = self.max_bytes or settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise ApiError(413, "too_large", f"The body is larger than {limit} bytes.")
        try:
            return parse(body)
        except NotTaken as error:
            raise ParseError(f"The body holds {error}.") from None
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from None


class FormParser(MultiPartParser):
    """A form with files. Python cannot put a part's parameters in order that are numbered (`name*0=`) and not
    (`name*=`): a TypeError that Django lets pass."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except TypeError as error:
            raise ParseError("A part's header cannot be read.") from error


class JSONSentAsForm(StrictJSONParser):
    """`curl -d '{…}'` calls its body a form unless told otherwise; it is JSON all the same."""

    media_type = "application/x-www-form-urlencoded"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_NAMES:
        raise NotTaken(f"an object with {len(pairs)} names; at most {MAX_NAMES} are taken")
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NotTaken(f"the name {name[:64]!r} twice in one object")
        found[name] = value
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _check(whole: Any) -> None:
    left: list[tuple[Any, int]] = [(whole, 1)]
    values = 0
    while left:
        value, depth = left.pop()
        values += 1
        if depth > MAX_DEPTH:
            raise NotTaken(f"JSON nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            inner = [*value, *value.values()]
        elif isinstance(value, list):
            inner = value
        else:
            _check_plain(value)
            continue
        if values + len(left) + len(inner) > MAX_VALUES:
            raise NotTaken(f"more than {MAX_VALUES} values")
        left += [(each, depth + 1) for each in inner]


def _check_plain(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise NotTaken("text with a NUL character")
        value.encode()  # UnicodeEncodeError is a ValueError
    elif (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, int) and abs(value) >= 2**63):
        raise NotTaken("a number too large to be represented")

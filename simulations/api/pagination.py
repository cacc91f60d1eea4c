"""Lists, newest first, a page at a time: a cursor stays right while rows are added and costs the same on any page."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

MAX_LIMIT = 200
MAX_CURSOR = 200
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: its time and, among equal times, its key."""

    at: datetime
    key: Any

    def __str__(self) -> str:
        text = json.dumps([self.at.isoformat(), str(self.key)])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, key_of: Callable[[str], Any]) -> Cursor:
    """What `str(cursor)` gave. Raises ValueError."""
    try:
        if len(text) > MAX_CURSOR:
            raise ValueError(text)
        at, key = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        cursor = Cursor(datetime.fromisoformat(at), key_of(key))
        if cursor.at.tzinfo is None or (isinstance(cursor.key, int) and not 0 <= cursor.key < 2**63):
            raise ValueError(text)
    except (TypeError, AttributeError, OverflowError, RecursionError, binascii.Error) as error:
        raise ValueError(text) from error
    return cursor


class CursorField(serializers.CharField):
    """A `Cursor` as text; `key_of` reads its key and raises ValueError."""

    default_error_messages = {"invalid": "Not a cursor of this list; begin again without one."}

    def __init__(self, key_of: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.key_of = key_of

    def to_internal_value(self, data: Any) -> Any:
        try:
            return read_cursor(super().to_internal_value(data), self.key_of)
        except ValueError:
            self.fail("invalid")


def cut(rows: QuerySet[Row], *, order_by: str, limit: int, cursor: Cursor | None) -> tuple[list[Row], Cursor | None]:
    """The rows after `cursor`, newest by `order_by` first, and where they end, if more follow."""
    if cursor is not None:
        later = Q(**{f"{order_by}__lt": cursor.at}) | Q(**{order_by: cursor.at, "pk__lt": cursor.key})
        # Implied by the other, but this one lets the index begin at the cursor.
        rows = rows.filter(**{f"{order_by}__lte": cursor.at}).filter(later)
    found = list(rows.order_by(f"-{order_by}", "-pk")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], Cursor(getattr(last, order_by), last.pk)


def page(
    request: Request | HttpRequest, rows: QuerySet[Row], *, order_by: str, limit: int, cursor: Cursor | None
) -> tuple[list[Row], str | None]:
    """As `cut`, with the address of the next page."""
    found, ends = cut(rows, order_by=order_by, limit=limit, cursor=cursor)
    following = replace_query_param(request.build_absolute_uri(), "cursor", str(ends)) if ends else None
    return found, following

"""Single byte ranges (RFC 9110, section 14): a part of a file that is stored here."""

import re
from typing import Any, Protocol

from django.http import HttpRequest
from rest_framework.request import Request

from tenants.errors import ApiError

ONE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Seekable(Protocol):
    """An open file."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, /) -> Any: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class Part:
    """`length` bytes of `content` from `first` on; closing it closes the file."""

    def __init__(self, content: Seekable, first: int, length: int) -> None:
        content.seek(first)
        self._content, self._left = content, length
        self.close, self.fileno = content.close, content.fileno  # the server may send by the descriptor

    def read(self, size: int = -1) -> bytes:
        chunk = self._content.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(chunk)
        return chunk


def asked_range(request: Request | HttpRequest, *, size: int, etag: str) -> tuple[int, int] | None:
    """(first, length), or None for the whole: nothing else was asked, or the file is another by now (`If-Range`).

    Several ranges, other units and nonsense are answered with the whole, as the standard allows. Raises ApiError 416.
    """
    found = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if request.method != "GET" or not found or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if first:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < begin:
            return None
    else:
        begin, end = max(0, size - int(last)), size - 1
    if begin >= size:
        message = f"The file has {size} bytes; the range begins after them."
        raise ApiError(416, "range.not_satisfiable", message, headers={"Content-Range": f"bytes */{size}"})
    return begin, end - begin + 1

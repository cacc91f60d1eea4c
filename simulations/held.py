"""Requests that wait for something to happen, or for their reader, keep a thread each: all of them together are
bounded, and the rest of the threads answer everything else."""

import threading
from collections import Counter
from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

from django.conf import settings

from tenants.errors import ApiError

Part = TypeVar("Part", str, bytes)
TAKEN_OVER = 16 * 1024**2  # bytes of an answer that nginx takes from its thread at once, to a file


class NoPlace(Exception):
    """LOG_FOLLOWERS requests are waiting in this process, or half as many of this tenant's."""


class Places:
    """Those of this process. A tenant has half of them at most, so that one leaves some to the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, tenant_id: str) -> None:
        """For a look at a job of that tenant. Raises NoPlace at once."""
        most = settings.LOG_FOLLOWERS
        with self._lock:
            if self._taken.total() >= most or self._taken[tenant_id] >= (most + 1) // 2:
                raise NoPlace
            self._taken[tenant_id] += 1

    def leave(self, tenant_id: str) -> None:
        with self._lock:
            self._taken[tenant_id] -= 1
            if not self._taken[tenant_id]:
                del self._taken[tenant_id]

    @property
    def taken(self) -> int:
        with self._lock:
            return self._taken.total()


places = Places()


class HeldAnswer(Generic[Part]):
    """The parts of an answer that no buffer on the way may hold: while it is sent, however slowly its reader takes it,
    it keeps a thread, and so a place. Raises ApiError 503."""

    def __init__(self, tenant_id: str, parts: Generator[Part, None, None]) -> None:
        try:
            places.take(tenant_id)
        except NoPlace:
            message = "Too many large answers are on their way at the moment; try again when one has arrived."
            raise ApiError(503, "answers.too_many", message, headers={"Retry-After": "5"}) from None
        self._tenant_id: str | None = tenant_id
        self._parts: Generator[Part, None, None] = parts

    def __iter__(self) -> Iterator[Part]:
        return self._parts

    def close(self) -> None:
        """Django calls it when the answer was sent or its reader has gone: what the parts have open is closed now."""
        if self._tenant_id is None:
            return
        try:
            self._parts.close()
        finally:
            places.leave(self._tenant_id)
            self._tenant_id = None

"""Requests that wait for something to happen, for their turn or for their reader, keep a thread each: all of them
together are bounded, and the rest of the threads answer everything else."""

import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from django.conf import settings

from tenants.database import give_connection_back
from tenants.errors import ApiError

Part = TypeVar("Part", str, bytes)
TAKEN_OVER = 16 * 1024**2  # bytes of an answer that nginx takes from its thread at once, to a file
MADE_AT_ONCE = 2  # answers that keep the interpreter busy, in this process
MAKERS = 24  # requests that wait for their turn to be answered so, the threads that LOG_FOLLOWERS leaves
TURN_S = 20.0  # that such a request waits


class NoPlace(Exception):
    """All places are taken, or this tenant has half of them."""


class Places:
    """`most` in this process. A tenant has half of them at most, so that one leaves some to the others."""

    def __init__(self, most: Callable[[], int]) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, tenant_id: str) -> None:
        """Raises NoPlace at once."""
        most = self._most()
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


places = Places(lambda: settings.LOG_FOLLOWERS)  # for what waits for something to happen, or for its reader
makers = Places(lambda: MAKERS)  # for what waits for its turn to be made


def _too_many() -> ApiError:
    message = "Too many large answers are on their way at the moment; try again when one has arrived."
    return ApiError(503, "answers.too_many", message, headers={"Retry-After": "5"})


def _take(of: Places, tenant_id: str) -> None:
    try:
        of.take(tenant_id)
    except NoPlace:
        raise _too_many() from None


_changed = threading.Condition()
_made_for: set[str] = set()


@contextmanager
def turn(tenant_id: str, within_s: float | None = None) -> Iterator[None]:
    """For what takes up to seconds of computing: one of a tenant at a time, and few of all, so that large networks slow
    nobody else down. Raises ApiError 503 where the turn does not come `within_s`."""
    give_connection_back()  # others need it while this one waits
    with _changed:
        free = _changed.wait_for(lambda: tenant_id not in _made_for and len(_made_for) < MADE_AT_ONCE, within_s)
        if not free:
            raise _too_many()
        _made_for.add(tenant_id)
    try:
        yield
    finally:
        with _changed:
            _made_for.remove(tenant_id)
            _changed.notify_all()


@contextmanager
def place_and_turn(tenant_id: str) -> Iterator[None]:
    """For an answer that is made before it is sent. Raises ApiError 503."""
    _take(makers, tenant_id)
    try:
        with turn(tenant_id, TURN_S):
            yield
    finally:
        makers.leave(tenant_id)


class HeldAnswer(Generic[Part]):
    """The parts of an answer that no buffer on the way may hold: while it is sent, however slowly its reader takes it,
    it keeps a thread, and so a place, but no database connection. Raises ApiError 503."""

    def __init__(self, tenant_id: str, parts: Generator[Part, None, None]) -> None:
        _take(places, tenant_id)
        self._tenant_id: str | None = tenant_id
        self._parts: Generator[Part, None, None] = parts

    def __iter__(self) -> Iterator[Part]:
        for part in self._parts:
            give_connection_back()  # the reader may take its time, and there are fewer connections than threads
            yield part

    def close(self) -> None:
        """Django calls it when the answer was sent or its reader has gone: what the parts have open is closed now."""
        if self._tenant_id is None:
            return
        try:
            self._parts.close()
        finally:
            places.leave(self._tenant_id)
            self._tenant_id = None

"""Requests that wait for something to happen keep a thread each: all of them together are bounded, and the rest of the
threads answer everything else."""

import threading
from collections import Counter

from django.conf import settings


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

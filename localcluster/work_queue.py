"""Which objects a controller must look at, now or at a later moment."""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Callable

from localcluster.store import Key

RETRY_S = 1.0

logger = logging.getLogger(__name__)


class Agenda:
    def __init__(self) -> None:
        self._now: dict[Key, None] = {}
        self._later: list[tuple[float, Key]] = []

    def now(self, key: Key) -> None:
        self._now[key] = None

    def later(self, key: Key, delay: float) -> None:
        """A key may stand here several times; looking once too often does no harm."""
        heapq.heappush(self._later, (time.monotonic() + delay, key))

    def each(self, look: Callable[[Key], None]) -> None:
        """Looks at all that is due. Trouble with one object does not keep the others waiting; it is tried again."""
        for key in self._take():
            try:
                look(key)
            except Exception:
                logger.exception("trouble with %s/%s", *key)
                self.later(key, RETRY_S)

    def _take(self) -> list[Key]:
        moment = time.monotonic()
        while self._later and self._later[0][0] <= moment:
            self._now[heapq.heappop(self._later)[1]] = None
        due, self._now = list(self._now), {}
        return due

    def next_due(self) -> float | None:
        """The monotonic time at which something will be due."""
        if self._now:
            return time.monotonic()
        return self._later[0][0] if self._later else None

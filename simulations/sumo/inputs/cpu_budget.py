"""The CPU time that one check of a stranger's scenario may take."""

from __future__ import annotations

import time
from collections.abc import Callable

# Looking into inputs stops here, so that what must be judged still fits: the options and the names of files.
LOOKING_SHARE = 0.6


class CheckTooLong(Exception):
    """The CPU time for a check was used up."""


class CpuBudget:
    """Counts the CPU seconds of this thread from its making; what others do on the machine does not count."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._started = clock()
        self._seconds = seconds

    def check(self) -> None:
        """Raises CheckTooLong once the budget is used up. To be called in every loop over what strangers sent."""
        if self._clock() - self._started > self._seconds:
            raise CheckTooLong

    def may_look(self) -> bool:
        """Whether there is time left to look into inputs, which may be left to SUMO."""
        return self._clock() - self._started <= self._seconds * LOOKING_SHARE

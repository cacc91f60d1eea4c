"""Requests that wait for something to happen keep a thread each: all of them together are bounded, and the rest of the
threads answer everything else."""

import threading

from django.conf import settings


class NoPlace(Exception):
    """LOG_FOLLOWERS requests are waiting in this process."""


class Places:
    """Those of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    def take(self) -> None:
        """Raises NoPlace at once."""
        with self._lock:
            if self._taken >= settings.LOG_FOLLOWERS:
                raise NoPlace
            self._taken += 1

    def leave(self) -> None:
        with self._lock:
            self._taken -= 1


places = Places()

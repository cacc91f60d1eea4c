"""What runs at the service and is looked at until it has ended."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, TypeVar

OFTEN_S, SELDOM_S = 0.5, 5.0  # between two looks at what runs

Self = TypeVar("Self", bound="Watched")  # typing's own came with Python 3.11


class Watched(ABC):
    """As it was when last looked at; `data` is the service's answer."""

    id: str
    data: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.data["status"])

    @property
    def message(self) -> str:
        """Why it is so, and what to do."""
        return str(self.data["message"])

    @property
    @abstractmethod
    def is_finished(self) -> bool: ...

    @abstractmethod
    def refresh(self: Self) -> Self: ...

    def watch(self: Self, *, every_s: float | None = None) -> Iterator[Self]:
        """Itself after each look, until it has ended; looks become fewer unless `every_s` is given."""
        pause = every_s or OFTEN_S
        while True:
            yield self.refresh()
            if self.is_finished:
                return
            time.sleep(pause)
            pause = every_s or min(pause * 1.2, SELDOM_S)

    def wait(self: Self, *, timeout_s: float | None = None) -> Self:
        """Until it has ended, however it ended. Raises TimeoutError."""
        return self._looked_at(time.monotonic(), timeout_s)

    def _looked_at(self: Self, began: float, timeout_s: float | None) -> Self:
        for _ in self.watch():
            if not self.is_finished and timeout_s is not None and time.monotonic() - began > timeout_s:
                name = type(self).__name__
                raise TimeoutError(f"{name} {self.id} has not ended after {timeout_s:g} s: {self.message}")
        return self

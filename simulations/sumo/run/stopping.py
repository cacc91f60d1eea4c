"""What may end a run before SUMO does: a signal from outside, the wall clock, too much output."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from simulations.sumo.protocol.endings import Outcome, RunEnd

LEAST_MEASURE_PERIOD_S = 2.0
MEASURE_SHARE = 0.02


class StopSignal:
    """Remembers SIGTERM and SIGINT; in phases with nothing to keep (`interruptible`) it ends the phase at once."""

    def __init__(self) -> None:
        self.at: float | None = None
        self._raises = False

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._received)

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self.at is None:
            self.at = time.monotonic()
        if self._raises:
            self._raises = False
            raise RunEnd(Outcome.INTERRUPTED)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within the block a signal raises RunEnd(INTERRUPTED), one that came before it too."""
        if self.at is not None:
            raise RunEnd(Outcome.INTERRUPTED)
        self._raises = True
        try:
            yield
        finally:
            self._raises = False


class Watch:
    """Asked often while SUMO runs: must it stop, and why? The folders are measured at most every few seconds."""

    def __init__(
        self, stop: StopSignal, *, wall_deadline: float, folders: list[Path], output_bytes: int, bytes_before: int
    ) -> None:
        self._stop = stop
        self._wall_deadline = wall_deadline
        self._folders = folders
        self._allowed_bytes = output_bytes + bytes_before
        self._next_measure = 0.0

    def __call__(self) -> Outcome | None:
        now = time.monotonic()
        if self._stop.at is not None:
            return Outcome.INTERRUPTED
        if now >= self._wall_deadline:
            return Outcome.TIME_LIMIT
        if now >= self._next_measure:
            used = sum(folder_bytes(folder) for folder in self._folders)
            took = time.monotonic() - now
            self._next_measure = now + max(LEAST_MEASURE_PERIOD_S, took / MEASURE_SHARE)
            if used > self._allowed_bytes:
                return Outcome.OUTPUT_LIMIT
        return None


def folder_bytes(folder: Path) -> int:
    """Bytes of all regular files below `folder`; files that vanish meanwhile count 0."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - hot loop
            except FileNotFoundError:
                continue
    return total

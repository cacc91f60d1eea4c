"""Live progress: SUMO's step records turned into the record that lines, job row and progress bars show."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from simulations.sumo.results.sumo_run import StepRecord


class Trail:
    """How many drove and stood, evenly over the run so far: when `MOST` moments are kept, every second goes."""

    MOST = 60

    def __init__(self) -> None:
        self._points: list[list[float]] = []
        self._every = 1
        self._seen = 0

    def after(self, record: Mapping[str, Any]) -> list[list[float]]:
        """With this record: [simulated time, running, halting], oldest first; the newest is always among them."""
        point = [record["sim_time"], record["running"], record["halting"]]
        if self._seen % self._every == 0:
            self._points.append(point)
            if len(self._points) == self.MOST:
                self._points, self._every = self._points[::2], self._every * 2
        self._seen += 1
        return self._points if self._points[-1] is point else [*self._points, point]


class ProgressMeter:
    """Makes at most one progress record every `period_s` wall seconds.

    rtf is simulated seconds per wall second since the record before; it falls as traffic grows, so eta_s is a hint.
    """

    def __init__(
        self,
        *,
        begin: float,
        end: float | None,
        period_s: float,
        emit: Callable[[dict[str, Any]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._begin = begin
        self._end = end
        self._period_s = period_s
        self._emit = emit
        self._clock = clock
        self._before = (begin, clock())
        self._emitted_at: float | None = None
        self._held_back: StepRecord | None = None

    def record(self, step: StepRecord) -> None:
        now = self._clock()
        if self._emitted_at is not None and now - self._emitted_at < self._period_s:
            self._held_back = step
            return
        self._make(step, now)

    def flush(self) -> None:
        """The run is over: its last record counts, however soon after the one before."""
        if self._held_back is not None:
            self._make(self._held_back, self._clock())

    def _make(self, step: StepRecord, now: float) -> None:
        self._held_back = None
        simulated, elapsed = step.time - self._before[0], now - self._before[1]
        rtf = simulated / elapsed if elapsed > 0 and simulated > 0 else None
        self._before = (step.time, now)
        self._emitted_at = now
        remaining = None if self._end is None else max(0.0, self._end - step.time)
        record = {
            "sim_time": step.time,
            "percent": self._percent(step.time),
            "running": step.running,
            "halting": step.halting,
            "waiting": step.waiting,
            "inserted": step.inserted,
            "arrived": step.arrived,
            "teleports": step.teleports,
            "mean_speed": step.mean_speed,
            "rtf": round(rtf, 1) if rtf else None,
            "eta_s": round(remaining / rtf, 1) if rtf and remaining is not None else None,
        }
        self._emit(record)

    def _percent(self, sim_time: float) -> float | None:
        """None without an end: many scenarios run until all vehicles have left."""
        if self._end is None or self._end <= self._begin:
            return None
        share = (sim_time - self._begin) / (self._end - self._begin)
        return round(100 * min(max(share, 0.0), 1.0), 1)

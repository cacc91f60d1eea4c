"""What one run of SUMO came to: its step records, its end, its messages."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from simulations.sumo.protocol.endings import Outcome

SUCCESS_REASONS = ("All vehicles have left the simulation", "The final simulation step has been reached")
TELEPORT_REASON = "Too many teleports"


class StepRecord(NamedTuple):
    """One line of SUMO's summary output; times in simulated seconds, speed in m/s (None while nobody drives).

    `discarded` counts vehicles that were never inserted: dropped after waiting for `max-depart-delay`, thinned out by
    a `scale`, or not placed by a calibrator. `stopped` counts those at a stop of their plan, parked ones too.
    """

    time: float
    running: int
    halting: int
    waiting: int
    inserted: int
    arrived: int
    teleports: int
    mean_speed: float | None
    mean_travel_time: float | None
    discarded: int
    stopped: int = 0

    def dropped_at_least(self, scale: float) -> int:
        """How many of those discarded have waited in vain.

        SUMO thins out by a vehicle's number among those loaded: the share of them beyond `scale`, and at most one more.
        """
        loaded = self.inserted + self.waiting + self.discarded
        thinned = math.ceil(loaded * (1 - round(scale, 3))) + 1 if scale < 1 else 0  # SUMO rounds it so
        return max(0, self.discarded - thinned)


@dataclass
class SumoRun:
    """What one run of the binary came to. `stopped_for` is why we ended it ourselves, if we did.

    `unsorted` counts the vehicles that SUMO left out because their route file is not sorted by departure.
    """

    returncode: int = 0
    reason: str | None = None
    stopped_for: Outcome | None = None
    sumo_version: str | None = None
    sim_begin: float | None = None
    sim_end: float | None = None
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_rss_mb: float = 0.0
    out_of_memory: bool = False
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    warnings_total: int = 0
    unsorted: int = 0
    last: StepRecord | None = None
    peak_running: int = 0
    standstill_s: float | None = None
    _still: StepRecord | None = None

    def note(self, record: StepRecord) -> None:
        """One more step. It stands still while half of those under way do and nobody arrives.

        Who waits at a stop of its plan does not count. Parked vehicles are among `stopped` and not among `halting`:
        with them, less is claimed.
        """
        self.last = record
        self.peak_running = max(self.peak_running, record.running)
        self.standstill_s = self.standstill_s or 0.0
        driving = record.running - record.stopped
        if driving <= 0 or 2 * (record.halting - record.stopped) < driving:
            self._still = None
        elif self._still is None or record.arrived > self._still.arrived:
            self._still = record
        else:
            self.standstill_s = max(self.standstill_s, record.time - self._still.time)

    @property
    def outcome(self) -> Outcome:
        """Order matters: a run that we stopped reports our cause, unless it had reached its own end by then."""
        succeeded = self.returncode == 0 and self.reason is not None and self.reason.startswith(SUCCESS_REASONS)
        if succeeded:
            return Outcome.SUCCEEDED
        if self.stopped_for is not None:
            return self.stopped_for
        if self.returncode == 0 and self.reason is not None and self.reason.startswith(TELEPORT_REASON):
            return Outcome.TOO_MANY_TELEPORTS
        if self.out_of_memory:
            return Outcome.OUT_OF_MEMORY
        if self.returncode == 0 and self.reason is not None and self.reason.startswith("Interrupted"):
            return Outcome.INTERRUPTED
        if self.returncode in (126, 127):  # the loader could not start it: the image's fault, not the scenario's
            return Outcome.INTERNAL
        if self.returncode < 0 or self.returncode >= 128:
            return Outcome.SUMO_CRASHED
        if self.returncode != 0 and self.errors and self.last is None:  # it complained about what it loaded first
            return Outcome.INVALID_SCENARIO
        return Outcome.SUMO_FAILED

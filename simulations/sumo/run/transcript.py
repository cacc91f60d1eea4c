"""What SUMO says on its two streams: step records, times, the reason of its end, messages; and the log file of it."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from simulations.sumo.protocol.endings import Outcome

MAX_LOG_BYTES = 20 * 1024 * 1024
KEPT_MESSAGES = 100
MAX_MESSAGE_CHARS = 1000
SUCCESS_REASONS = ("All vehicles have left the simulation", "The final simulation step has been reached")
TELEPORT_REASON = "Too many teleports"

_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_UNSORTED = re.compile(r"(?:(\d+) total messages of type: )?Route file should be sorted by departure time")


class StepRecord(NamedTuple):
    """One line of SUMO's summary output; times in simulated seconds, speed in m/s (None while nobody drives).

    `discarded` counts vehicles that were dropped after waiting for `max-depart-delay`.
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


def parse_step(line: str) -> StepRecord | None:
    """Read one ``<step …/>`` of the summary output; None for any other line."""
    if not line.lstrip().startswith("<step time="):
        return None
    values = dict(_ATTRIBUTE.findall(line))
    try:
        return StepRecord(
            time=_finite(values["time"]),
            running=int(values["running"]),
            halting=int(values["halting"]),
            waiting=int(values["waiting"]),
            inserted=int(values["inserted"]),
            arrived=int(values["arrived"]),
            teleports=int(values["teleports"]),
            mean_speed=_average(values["meanSpeed"]),
            mean_travel_time=_average(values["meanTravelTime"]),
            discarded=int(values["discarded"]),
        )
    except (KeyError, ValueError):
        return None


def _finite(text: str) -> float:
    if math.isfinite(value := float(text)):
        return value
    raise ValueError(f"{text} is no number")


def _average(text: str) -> float | None:
    """SUMO writes -1 where there is nothing to average, and "nan" if a scenario brings it to that."""
    value = float(text)
    return value if 0 <= value < math.inf else None


class Transcript:
    """Takes the lines of both streams, fills in `run` and writes the log."""

    def __init__(
        self,
        log: IO[str],
        *,
        on_record: Callable[[StepRecord, str], None],
        on_message: Callable[[str, str], None],
    ) -> None:
        self.run = SumoRun()
        self._log = log
        self._log_bytes = 0
        self._cut = False
        self._on_record = on_record
        self._on_message = on_message
        self._level = "error"
        self._open: list[str] | None = None  # the list whose last message may go on

    def stdout_line(self, line: str) -> None:
        record = parse_step(line)
        run = self.run
        if record is not None:
            run.last = record
            run.peak_running = max(run.peak_running, record.running)
            self._on_record(record, line)
            return
        if line.startswith("Simulation version "):
            words = line.split()
            run.sumo_version = words[2]
            run.sim_begin = _time(words[-1])
        elif line.startswith("Simulation ended at time: "):
            run.sim_end = _time(line.split()[-1])
        elif line.startswith("Reason: ") and run.sim_end is not None:
            run.reason = line.removeprefix("Reason: ").strip()
        elif line.lstrip().startswith("<") or not line.strip():
            return
        self._write(line, keep=run.sim_end is not None)

    def stderr_line(self, line: str) -> None:
        """A message may go on over several lines, the further ones indented; text without a prefix is an error."""
        run = self.run
        if not line.strip():
            return
        starts_message = not line.startswith(" ")
        if starts_message:
            self._level = "warning" if line.startswith("Warning: ") else "error"
        text = line.removeprefix("Warning: ").removeprefix("Error: ").strip()[:MAX_MESSAGE_CHARS]
        if starts_message:
            self._count(text)
            kept = run.warnings if self._level == "warning" else run.errors
            self._open = None
            if not line.startswith("Quitting (on error)"):
                if len(kept) < KEPT_MESSAGES:
                    kept.append(text)
                    self._open = kept
                self._on_message(self._level, text)
        elif self._open and len(self._open[-1]) < MAX_MESSAGE_CHARS:
            self._open[-1] += f" {text}"
        self._write(line, keep=self._level == "error")

    def _count(self, text: str) -> None:
        if self._level != "warning":
            return
        self.run.warnings_total += 1
        if unsorted := _UNSORTED.match(text):  # `aggregate-warnings` writes a total after the first few
            self.run.unsorted = int(unsorted[1]) if unsorted[1] else self.run.unsorted + 1

    def _write(self, line: str, *, keep: bool) -> None:
        """Bounded: a scenario can warn millions of times. What `keep` marks is written past the bound (twice it)."""
        size = len(line) + 1
        if self._log_bytes + size <= MAX_LOG_BYTES * (2 if keep else 1):
            self._log_bytes += size
            self._log.write(f"{line}\n")
        elif not self._cut:
            self._cut = True
            self._log.write("(the log is cut here)\n")


def _time(text: str) -> float | None:
    """SUMO ends the sentence with a full stop: ``61200.00.``"""
    try:
        return float(text.rstrip("."))
    except ValueError:
        return None

"""What SUMO says on its two streams: step records, times, the reason of its end, messages; and the log file of it."""

import math
import re
from collections.abc import Callable
from typing import IO

from simulations.sumo.results.sumo_run import StepRecord, SumoRun

MAX_LOG_BYTES = 20 * 1024 * 1024
KEPT_MESSAGES = 100
MAX_MESSAGE_CHARS = 1000

_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_UNSORTED = re.compile(r"(?:(\d+) total messages of type: )?Route file should be sorted by departure time")


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
            stopped=int(values["stopped"]),
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
            run.note(record)
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

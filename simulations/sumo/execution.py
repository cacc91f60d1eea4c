"""SUMO's real binary as a supervised child: live step records, one graceful stop, and what came of it.

SUMO exits with 0 after SIGTERM, after too many teleports and with a full disk, so the exit code alone says little:
the ``Reason:`` line of ``--verbose`` decides (see `SumoRun.outcome`).
"""

import ctypes
import math
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from simulations.sumo.cgroup import oom_kills
from simulations.sumo.outcomes import Outcome

GRACE_S = 20.0
MAX_LOG_BYTES = 20 * 1024 * 1024
MAX_LINE_BYTES = 256 * 1024
KEPT_MESSAGES = 100
SUCCESS_REASONS = ("All vehicles have left the simulation", "The final simulation step has been reached")
TELEPORT_REASON = "Too many teleports"
OUT_OF_MEMORY_MARKS = ("Out of memory", "bad_alloc", "Cannot allocate memory")

_POLL_S = 0.25
_PR_SET_PDEATHSIG = 1
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class StepRecord(NamedTuple):
    """One line of SUMO's summary output; times in simulated seconds, speed in m/s (None while nobody drives)."""

    time: float
    running: int
    halting: int
    waiting: int
    inserted: int
    arrived: int
    teleports: int
    mean_speed: float | None
    mean_travel_time: float | None


@dataclass
class SumoRun:
    """What one run of the binary came to. `stopped_for` is why we ended it ourselves, if we did."""

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
            mean_speed=_not_negative(values["meanSpeed"]),
            mean_travel_time=_not_negative(values["meanTravelTime"]),
        )
    except (KeyError, ValueError):
        return None


def _finite(text: str) -> float:
    if math.isfinite(value := float(text)):
        return value
    raise ValueError(f"{text} is no number")


def _not_negative(text: str) -> float | None:
    """SUMO writes -1 where there is nothing to average, and may average what is no number."""
    value = float(text)
    return value if 0 <= value < math.inf else None


def scrubbed_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """All that SUMO may see of our environment: `${NAME}` in a scenario expands from it."""
    allowed = ("SUMO_HOME", "PROJ_LIB", "LD_LIBRARY_PATH", "PATH")
    return {name: environ[name] for name in allowed if name in environ} | {
        "LANG": "C.UTF-8"
    }  # names of files may have letters beyond ASCII


class Supervisor:
    """Runs the binary once and turns its two streams into records, messages and a log file.

    `should_stop` is asked a few times a second; its answer ends the run with exactly one SIGTERM (a second one makes
    SUMO drop its outputs half-written) and, after `GRACE_S`, SIGKILL.
    """

    def __init__(
        self,
        *,
        log: IO[str],
        should_stop: Callable[[], Outcome | None],
        on_record: Callable[[StepRecord], None] = lambda record: None,
        on_message: Callable[[str, str], None] = lambda level, text: None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.run = SumoRun()
        self._log = log
        self._log_bytes = 0
        self._should_stop = should_stop
        self._on_record = on_record
        self._on_message = on_message
        self._grace_s = grace_s
        self._level = "error"

    def execute(self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> SumoRun:
        started = time.monotonic()
        killed_before = oom_kills()
        with subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_die_with_parent if _LIBC else None,
        ) as process:
            try:
                usage = self._follow(process)
            except BaseException:
                _signal_group(process.pid, signal.SIGKILL)
                raise
        run = self.run
        run.returncode = process.returncode
        run.wall_s = time.monotonic() - started
        run.cpu_s = usage.ru_utime + usage.ru_stime
        run.peak_rss_mb = usage.ru_maxrss / 1024
        if run.returncode == -signal.SIGKILL:
            run.out_of_memory = oom_kills() > killed_before
        elif run.returncode != 0 and any(mark in text for text in run.errors for mark in OUT_OF_MEMORY_MARKS):
            run.out_of_memory = True
        return run

    def _follow(self, process: "subprocess.Popen[bytes]") -> "os.struct_rusage":  # type: ignore[name-defined]
        assert process.stdout
        assert process.stderr
        handlers = {process.stdout.fileno(): self._stdout_line, process.stderr.fileno(): self._stderr_line}
        buffers = dict.fromkeys(handlers, b"")
        kill_at: float | None = None
        with selectors.DefaultSelector() as selector:
            for descriptor in handlers:
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                if selector.get_map():
                    for key, _ in selector.select(_POLL_S):
                        chunk = os.read(key.fd, 65536)
                        if not chunk:
                            selector.unregister(key.fd)
                        buffers[key.fd] = self._split(buffers[key.fd] + chunk, handlers[key.fd], last=not chunk)
                else:
                    time.sleep(0.02)
                pid, status, usage = (0, 0, None) if selector.get_map() else os.wait4(process.pid, os.WNOHANG)
                if pid:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    return usage
                if kill_at is None:
                    cause = self._should_stop()
                    if cause is not None:
                        self.run.stopped_for = cause
                        # While SUMO starts it forgets a SIGTERM, and there is nothing yet that it could save.
                        kill_at = time.monotonic() + (self._grace_s if self.run.last else 0)
                        process.send_signal(signal.SIGTERM)
                elif time.monotonic() > kill_at:
                    _signal_group(process.pid, signal.SIGKILL)

    @staticmethod
    def _split(data: bytes, handle: Callable[[str], None], *, last: bool) -> bytes:
        *lines, rest = data.split(b"\n")
        if rest and (last or len(rest) > MAX_LINE_BYTES):
            lines.append(rest)
            rest = b""
        for line in lines:
            handle(line.decode("utf-8", "replace").rstrip("\r"))
        return rest

    def _stdout_line(self, line: str) -> None:
        record = parse_step(line)
        run = self.run
        if record is not None:
            run.last = record
            run.peak_running = max(run.peak_running, record.running)
            self._on_record(record)
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
        self._write_log(line, keep=run.sim_end is not None)

    def _stderr_line(self, line: str) -> None:
        """A message may go on over several lines, the further ones indented; text without a prefix is an error."""
        run = self.run
        if not line.strip():
            return
        starts_message = not line.startswith(" ")
        if starts_message:
            self._level = "warning" if line.startswith("Warning: ") else "error"
        kept = run.warnings if self._level == "warning" else run.errors
        text = line.removeprefix("Warning: ").removeprefix("Error: ").strip()
        if starts_message:
            run.warnings_total += self._level == "warning"
            if not line.startswith("Quitting (on error)"):
                if len(kept) < KEPT_MESSAGES:
                    kept.append(text)
                self._on_message(self._level, text)
        elif kept and len(kept[-1]) < 1000:
            kept[-1] += f" {text}"
        self._write_log(line, keep=self._level == "error")

    def _write_log(self, line: str, *, keep: bool) -> None:
        """Bounded: a scenario can warn millions of times. What `keep` marks is written past the bound (twice it)."""
        size = len(line) + 1
        if self._log_bytes + size > MAX_LOG_BYTES * (2 if keep else 1):
            return
        self._log_bytes += size
        self._log.write(f"{line}\n")
        if self._log_bytes > MAX_LOG_BYTES and not keep:
            self._log.write("(the log is cut here)\n")


def _time(text: str) -> float | None:
    """SUMO ends the sentence with a full stop: ``61200.00.``"""
    try:
        return _finite(text.rstrip("."))
    except ValueError:
        return None


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _die_with_parent() -> None:
    """Without it SUMO, in its own session, would outlive a runner that was killed with SIGKILL."""
    assert _LIBC
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)

"""SUMO's real binary as a supervised child: live step records, one graceful stop, and what came of it.

SUMO exits with 0 after SIGTERM, after too many teleports and with a full disk, so the exit code alone says little:
the ``Reason:`` line of ``--verbose`` decides (see `SumoRun.outcome`).
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from simulations.sumo.protocol.endings import Outcome
from simulations.sumo.results.sumo_run import StepRecord, SumoRun
from simulations.sumo.run.cgroup import oom_kills
from simulations.sumo.run.transcript import Transcript

GRACE_S = 20.0
MAX_LINE_BYTES = 256 * 1024
OUT_OF_MEMORY_MARKS = ("Out of memory", "bad_alloc", "Cannot allocate memory")

_POLL_S = 0.25
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


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
        on_record: Callable[[StepRecord, str], None] = lambda record, line: None,
        on_message: Callable[[str, str], None] = lambda level, text: None,
        grace_s: float = GRACE_S,
    ) -> None:
        self._transcript = Transcript(log, on_record=on_record, on_message=on_message)
        self.run = self._transcript.run
        self._should_stop = should_stop
        self._grace_s = grace_s

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
        transcript = self._transcript
        handlers = {process.stdout.fileno(): transcript.stdout_line, process.stderr.fileno(): transcript.stderr_line}
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


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _die_with_parent() -> None:  # pragma: no cover - in the child, before it becomes SUMO
    """Without it SUMO, in its own session, would outlive a runner that was killed with SIGKILL."""
    assert _LIBC
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)

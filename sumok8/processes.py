"""The demo's child processes: started with a log each, restarted when they die, ended together."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 8.0  # for requests under way; a laptop's do not need production's twenty seconds
STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_held() -> Iterator[set[int]]:
    """Signals that ask to stop are delivered afterwards, so that no child is started and then forgotten.

    Yields the signal mask of before, which a child must get back.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield set(map(int, before))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Processes:
    """Services of one data folder; their process ids are kept there so that a later start can end leftovers."""

    def __init__(self, data: Path, *, cwd: Path) -> None:
        self._pids = data / "processes.json"
        self._logs = data / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._cwd = cwd
        self._commands: dict[str, list[str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.environment: Mapping[str, str] = {}

    def log_of(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def start(self, name: str, command: list[str]) -> None:
        """Start `command` in a session of its own, so that the terminal's Ctrl-C reaches only the demo."""
        self._commands[name] = command
        with self.log_of(name).open("ab") as log, signals_held() as before:
            self._running[name] = subprocess.Popen(
                command, cwd=self._cwd, env=dict(self.environment), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before),
            )  # fmt: skip
        self._pids.write_text(json.dumps({key: child.pid for key, child in self._running.items()}))

    def has_ended(self, name: str) -> bool:
        return self._running[name].poll() is not None

    def keep_running(self, look: Callable[[], None]) -> None:
        """Watch for ever (until KeyboardInterrupt); start again what ends, as a Deployment would. `look` is called
        every time too."""
        while True:
            look()
            for name in list(self._running):
                if self.has_ended(name):
                    print(f"{name} ended with {self._running[name].returncode}; starting it again", flush=True)
                    self.start(name, self._commands[name])
            time.sleep(1)

    def stop(self) -> None:
        """End all at once, in the reverse order of their start; those that do not listen are killed."""
        children = [self._running.pop(name) for name in reversed(list(self._running))]
        for child in children:
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + PATIENCE_S
        for child in children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        self._pids.unlink(missing_ok=True)

    def end_leftovers(self) -> None:
        """End what an earlier demo left behind when it was killed."""
        if not self._pids.exists():
            return
        for name, pid in json.loads(self._pids.read_text()).items():
            if not _is_ours(pid):
                continue
            print(f"Ending {name} of an earlier demo (process {pid})", flush=True)
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + PATIENCE_S
            while _is_ours(pid):
                if time.monotonic() > deadline:
                    os.killpg(pid, signal.SIGKILL)
                time.sleep(0.1)
        self._pids.unlink()


def _is_ours(pid: int) -> bool:
    """Whether `pid` is still one of our services and not another program under a reused number."""
    listed = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()  # fmt: skip
    return sys.executable in listed and not listed.startswith("Z")

"""A pod's shim seen from the cluster: starting it, telling it to stop, knowing whether it lives."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from localcluster.containers import PodFolder
from localcluster.shim import descendants, write_json

_PROJECT = Path(__file__).resolve().parents[1]
# Whoever starts the cluster may mark all that comes of it, to find it again; pods die with their shim.
_STARTED_BY = "SUMOK8_STARTED_BY"


def read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None


def spawn(folder: PodFolder) -> int:
    """The shim's pid. Of several shims for one folder all but one end at once, so a pod never runs twice."""
    argv = [sys.executable, "-S", "-m", "localcluster.shim", str(folder.path)]
    env = {"PYTHONPATH": str(_PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}
    if _STARTED_BY in os.environ:
        env[_STARTED_BY] = os.environ[_STARTED_BY]
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1)]
    errors = (os.POSIX_SPAWN_OPEN, 2, str(folder.path / "shim.err"), os.O_WRONLY | os.O_CREAT, 0o600)
    return os.posix_spawn(argv[0], argv, env, file_actions=[*quiet, errors], setsid=True)


def forbid_start(folder: PodFolder) -> bool:
    """No shim can start here any more; False if one already has."""
    folder.path.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True


def ask_to_stop(folder: PodFolder, kill_at: float) -> bool:
    """SIGTERM now, SIGKILL at `kill_at` (Unix time); False if it was already told, as early or earlier."""
    known = read(folder.path / "stop.json")
    if known and known["kill_at"] <= kill_at:
        return False
    write_json(folder.path / "stop.json", {"kill_at": kill_at})
    if pid := _shim(folder):
        os.kill(pid, signal.SIGUSR1)
    return True


def kill(folder: PodFolder) -> None:
    """Ends the pod's processes at once and leaves no outcome, as a machine that lost its power."""
    if (folder.path / "exit.json").exists() or not (pid := _shim(folder)):
        return
    for victim in [pid, *descendants(pid)]:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue


def died(folder: PodFolder) -> bool:
    """The shim is gone without an outcome. Its lock is young for a moment before it is held."""
    young = time.time() - (folder.path / "lock").stat().st_mtime < 1.0
    return not young and not _shim(folder) and not (folder.path / "exit.json").exists()


def _shim(folder: PodFolder) -> int | None:
    """The pid, only if the lock is held: then the pid in the folder is certainly the shim's own."""
    try:
        lock = os.open(folder.path / "lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = folder.path / "pid"
        return int(pid.read_text() or 0) if pid.exists() else None
    else:
        return None
    finally:
        os.close(lock)

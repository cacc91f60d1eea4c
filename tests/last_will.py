"""Everything that a test run starts ends with it, however it ends: also by kill -9.

A run marks its environment, which its processes inherit, and starts this module as a watcher that holds one end of a
pipe. When the other end closes, the run is over, and whatever still bears the mark is ended. Standard library only.
"""

import os
import secrets
import shutil
import signal
import sys
import time
from pathlib import Path

MARK = "SUMOK8_STARTED_BY"  # the local cluster hands it on to its pods
ROUNDS = 100
PAUSE_S = 0.1


def watch_over(*folders: Path) -> None:
    """Mark this process's environment; `folders` are removed after its end. In a process that bears a mark: nothing."""
    if MARK in os.environ:
        return
    os.environ[MARK] = f"{os.getpid()}-{secrets.token_hex(4)}"
    reading, _ = os.pipe()  # the writing end closes with this process, and no child inherits it
    command = [sys.executable, "-S", __file__, os.environ[MARK], *map(str, folders)]
    own = {name: value for name, value in os.environ.items() if name != MARK}
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    os.posix_spawn(command[0], command, own, file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0), *quiet], setsid=True)
    os.close(reading)


def marked(mark: str) -> list[int]:
    """Processes that were started with this mark and have not ended."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def lives(pid: int) -> bool:
    """Whether the process has not ended; one that nobody has waited for yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def end(pid: int) -> None:
    """At once; PostgreSQL so that it gives its shared memory back."""
    try:
        postgres = Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
        os.kill(pid, signal.SIGQUIT if postgres else signal.SIGKILL)
    except OSError:
        pass


def main() -> None:
    mark, *folders = sys.argv[1:]
    sys.stdin.buffer.read()
    for _ in range(ROUNDS):
        if not (left := marked(mark)):
            break
        for pid in left:
            end(pid)
        time.sleep(PAUSE_S)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

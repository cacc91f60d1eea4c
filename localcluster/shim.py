"""The process beside each pod: starts its command, keeps its log, enforces its bounds, writes down how it ended.

Run as `python -m localcluster.shim FOLDER`. It needs nobody: the cluster may be killed and come back, the
outcome waits in the folder. Files in FOLDER: `spec.json` (what to run), `lock` (held while the shim lives), `pid`,
`started.json`, `log` (lines as containerd writes them), `stop.json` (the wish to stop, followed by SIGUSR1),
`exit.json` (the outcome, written once). A folder whose `lock` was ever taken is never started again.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from localcluster.readonly import restrict_writes

LOG_BYTES = 10 * 1024 * 1024  # as the kubelet: rotate at 10 MiB, serve the newest file
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PAGE = os.sysconf("SC_PAGE_SIZE")


def write_json(path: Path, value: dict[str, Any]) -> None:
    """All or nothing: readers see the old file or the new one."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(value))
    temporary.rename(path)


class ContainerLog:
    """Lines with time and stream, as in the container runtime's log files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab")
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._write(lines, b"F")
        if len(self._rest) > 16384:  # the runtime cuts long lines into parts
            self._write([self._rest], b"P")
            self._rest = b""

    def close(self) -> None:
        if self._rest:
            self._write([self._rest], b"P")
        self._file.close()

    def _write(self, lines: list[bytes], flag: bytes) -> None:
        now = time.time_ns()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9)) + f".{now % 10**9:09d}Z"
        self._file.write(b"".join(b"%s stdout %s %s\n" % (stamp.encode(), flag, line) for line in lines))
        self._file.flush()
        if self._file.tell() > LOG_BYTES:
            self._file.close()
            self._path.rename(self._path.with_name("log.1"))
            self._file = self._path.open("ab")


class Shim:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec: dict[str, Any] = json.loads((folder / "spec.json").read_text())
        self.log = ContainerLog(folder / "log")
        self.tree: list[int] = []
        self.killed_because: dict[str, Any] = {}
        self.kill_at: float | None = None
        self.libc = ctypes.CDLL(None)

    def run(self) -> None:
        self.libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write)
        signal.signal(signal.SIGUSR1, lambda *_: None)
        started = time.time()
        try:
            child = self._start()
        except OSError as error:
            self._finish({"start_error": f"{error.strerror}: {error.filename}", "started_at": started})
            return
        write_json(self.folder / "started.json", {"pid": child.pid, "started_at": started})
        self.notify()
        self._supervise(child, wake_read)
        code = child.returncode
        outcome = {"exit_code": 128 - code if code < 0 else code, "signal": -code if code < 0 else None}
        self._finish(outcome | self.killed_because | {"started_at": started})

    def _start(self) -> subprocess.Popen[bytes]:
        def die_with_shim() -> None:
            self.libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if self.spec["writable"] is not None:
                restrict_writes(self.libc, self.spec["writable"])

        return subprocess.Popen(
            self.spec["argv"],
            executable=self.spec["executable"],
            env=self.spec["env"],
            cwd=self.spec["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_shim,
        )

    def _supervise(self, child: subprocess.Popen[bytes], wake: int) -> None:
        assert child.stdout is not None
        pipe = child.stdout.fileno()
        os.set_blocking(pipe, False)
        child_fd = os.pidfd_open(child.pid)
        memory_at = disk_at = tree_at = 0.0
        open_pipes = [pipe, wake, child_fd]
        while child.poll() is None:
            readable, _, _ = select.select(open_pipes, [], [], self.spec["memory_check_s"])
            if pipe in readable and not self._pump(pipe):
                open_pipes.remove(pipe)
            if wake in readable:
                os.read(wake, 4096)
            now = time.monotonic()
            self._obey_stop(child, now)
            if now >= tree_at:
                tree_at, self.tree = now + 1.0, [child.pid, *descendants(child.pid)]
            if now >= memory_at:
                memory_at = now + self.spec["memory_check_s"]
                self._check_memory()
            if now >= disk_at:
                disk_at = now + self.spec["disk_check_s"]
                self._check_disk()
        self.kill_tree()
        deadline = time.monotonic() + 1.0
        while pipe in open_pipes and time.monotonic() < deadline:
            if select.select([pipe], [], [], 0.05)[0] and not self._pump(pipe):
                break
        os.close(child_fd)
        child.stdout.close()

    def _pump(self, pipe: int) -> bool:
        try:
            data = os.read(pipe, 65536)
        except BlockingIOError:
            return True
        self.log.feed(data)
        return bool(data)

    def _obey_stop(self, child: subprocess.Popen[bytes], now: float) -> None:
        stop = self.folder / "stop.json"
        if self.kill_at is None and stop.exists():
            wish = json.loads(stop.read_text())
            self.kill_at = now + max(0.0, wish["kill_at"] - time.time())
            if self.kill_at > now:
                child.terminate()
        if self.kill_at is not None and now >= self.kill_at:
            self.kill_tree()

    def _check_memory(self) -> None:
        limit = self.spec["memory_limit"]
        if limit and sum(map(resident_bytes, self.tree)) > limit:
            self.killed_because = {"oom": True}
            self.kill_tree()

    def _check_disk(self) -> None:
        total = 0
        for volume in self.spec["volumes"]:
            used = tree_bytes(Path(volume["path"]))
            total += used
            if volume["limit"] and used > volume["limit"]:
                why = f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{volume["limit_text"]}". '
                self._evict(why)
        limit = self.spec["disk_limit"]
        if limit and total + tree_bytes(Path(self.spec["cwd"])) > limit:
            text = self.spec["disk_limit_text"]
            self._evict(f"Pod ephemeral local storage usage exceeds the total limit of containers {text}. ")

    def _evict(self, why: str) -> None:
        self.killed_because = {"evicted": why}
        self.kill_tree()

    def kill_tree(self) -> None:
        for pid in descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _finish(self, outcome: dict[str, Any]) -> None:
        self.log.close()
        write_json(self.folder / "exit.json", outcome | {"finished_at": time.time()})
        self.notify()

    def notify(self) -> None:
        """Wakes the cluster if one listens; if not, it finds the files when it comes back."""
        try:
            fifo = os.open(self.spec["notify"], os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return
        os.write(fifo, (self.folder.name + "\n").encode())
        os.close(fifo)


def descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208  plain calls: this runs often
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as stat:  # noqa: PTH123
                    parent = int(stat.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry))
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:  # noqa: PTH123
            return int(statm.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def tree_bytes(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(root, name)).st_blocks * 512  # noqa: PTH118
            except OSError:
                continue
    return total


def main() -> None:
    folder = Path(sys.argv[1])
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "pid").write_text(str(os.getpid()))
    Shim(folder).run()


if __name__ == "__main__":
    main()

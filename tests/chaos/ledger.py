"""The ground truth: which process ran for which job, from when to when, written by the pods and by the kernel."""

import os
import select
import threading
import time
from dataclasses import dataclass
from pathlib import Path

LOOK_EVERY_S = 0.02


@dataclass
class Entry:
    """One process. Unix times."""

    job_id: str
    attempt: int
    pod: str
    pid: int
    started: float
    said_end: float | None = None  # by itself
    code: int | None = None  # None: it was killed, or it runs
    died: float | None = None  # by the kernel

    @property
    def ended(self) -> float:
        return min(self.said_end or float("inf"), self.died or float("inf"))


class Ledger:
    """Follows the file that pods append to, and each pod's process until it is dead."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self.twice: list[str] = []  # pods that started a second time
        self._by_pod: dict[str, Entry] = {}
        self._waiting: dict[int, Entry] = {}  # pidfd → entry
        self._poll = select.poll()
        self._at = 0
        self._stop = threading.Event()
        path.touch()
        self._thread = threading.Thread(target=self._follow, name="ledger", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for fd in self._waiting:
            os.close(fd)

    def living(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.died is None]

    def of(self, job_id: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.job_id == job_id]

    def pod(self, name: str) -> Entry | None:
        return self._by_pod.get(name)

    def _follow(self) -> None:
        while not self._stop.is_set():
            self._read()
            for fd, _ in self._poll.poll(LOOK_EVERY_S * 1000):
                self._waiting.pop(fd).died = time.time()
                self._poll.unregister(fd)
                os.close(fd)

    def _read(self) -> None:
        with self.path.open("rb") as file:
            file.seek(self._at)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._at += len(whole) + len(newline)
        for line in whole.decode().splitlines():
            what, at, job_id, attempt, pod, number = line.split()
            if what == "started":
                self._started(Entry(job_id, int(attempt), pod, int(number), float(at)))
            else:
                self._by_pod[pod].said_end, self._by_pod[pod].code = float(at), int(number)

    def _started(self, entry: Entry) -> None:
        if entry.pod in self._by_pod:
            self.twice.append(entry.pod)
        self.entries.append(entry)
        self._by_pod[entry.pod] = entry
        try:
            fd = os.pidfd_open(entry.pid)
        except ProcessLookupError:
            entry.died = time.time()
            return
        self._waiting[fd] = entry
        self._poll.register(fd, select.POLLIN)

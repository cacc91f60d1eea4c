"""Followed logs: however many follow a job, one thread of this process reads it.

A follower keeps a web thread, so their number is bounded (LOG_FOLLOWERS); it keeps no database connection.
"""

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import close_old_connections, connection

from clusterops import errors
from clusterops.gateway import Gateway, default_gateway
from simulations.models import Job, JobLog

log = logging.getLogger(__name__)

POLL_S = 1.0
KEPT_LINES = 5000  # a follower that is slower than this misses lines, and is told so
SIGN_OF_LIFE_S = 30.0  # without one a connection whose client has gone is never noticed


class TooManyFollowers(Exception):
    """LOG_FOLLOWERS are being served by this process."""


class Reader:
    """New lines of one job's log at each `read`, across replaced pods, with a note when something changes."""

    def __init__(self, job_id: uuid.UUID, gateway: Callable[[], Gateway] = default_gateway) -> None:
        self.ended = False
        self._job_id = job_id
        self._gateway = gateway
        self._said = ""
        self._pod = ""
        self._last = ""  # time stamp of the last line given, comparable
        self._at_last = 0  # lines given with that stamp
        self._any = False

    def read(self) -> list[str]:
        """Whole lines with their line breaks; the last call of an ended job sets `ended`."""
        job = Job.objects.filter(pk=self._job_id).defer("results", "labels").first()
        if job is None:
            self.ended = True
            return ["# The job was deleted.\n"]
        lines = []
        if job.pod_name and job.pod_name != self._pod:
            if self._pod:
                lines.append(f"# It starts again in another pod, {job.pod_name}.\n")
            self._pod, self._last, self._at_last = job.pod_name, "", 0
        if self._pod and not (job.is_finished and job.released_at):
            lines += self._live(job)
        if job.is_finished:
            if not self._any and (stored := JobLog.objects.filter(job=job).first()):
                lines += stored.text.splitlines(keepends=True)
            lines.append(f"# The job has ended: {job.status}. {job.message}\n")
            self.ended = True
        elif not self._any and job.message != self._said:
            lines.append(f"# {job.message}\n")
            self._said = job.message
        return lines

    def _live(self, job: Job) -> list[str]:
        since = datetime.fromisoformat(self._last[:19] + "+00:00") if self._last else None
        try:
            text = self._gateway().read_log(
                job.k8s_namespace, self._pod, tail=KEPT_LINES, since=since, timestamps=True, timeout_s=5
            )
        except errors.Refused:  # not started, or gone
            return []
        except errors.GatewayError:
            return self._note("The cluster does not answer; the log goes on when it does.")
        found = []
        at_last = 0
        for line in text.splitlines(keepends=True):
            stamp, _, rest = line.partition(" ")
            stamp = comparable(stamp)
            if stamp == self._last:
                at_last += 1
            if stamp < self._last or (stamp == self._last and at_last <= self._at_last):
                continue
            if stamp != self._last:
                self._last, self._at_last, at_last = stamp, 0, 1
            self._at_last = at_last
            found.append(rest if rest.endswith("\n") else f"{rest}\n")
        self._any = self._any or bool(found)
        return found

    def _note(self, text: str) -> list[str]:
        if text == self._said:
            return []
        self._said = text
        return [f"# {text}\n"]


def comparable(stamp: str) -> str:
    """RFC 3339 with as many digits as needed → with nine, so that texts compare as times do."""
    seconds, _, fraction = stamp.rstrip("Z").partition(".")
    return f"{seconds}.{fraction:0<9}"


class Tail:
    """The lines that a Reader found, numbered, for any number of followers."""

    def __init__(self, reader: Reader, is_left: Callable[["Tail", bool], bool]) -> None:
        """`is_left(tail, ended)`: whether to stop reading; then nobody new comes to this tail."""
        self.followers = 0
        self._reader = reader
        self._is_left = is_left
        self._changed = threading.Condition()
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._count = 0
        self._ended = False

    def run(self) -> None:
        """The reading thread's life: until the job has ended or nobody follows."""
        pause = threading.Event()
        try:
            while not self._is_left(self, self._ended):
                lines = self._reader.read()
                connection.close()  # back to the pool: between two reads nothing is needed of it
                with self._changed:
                    self._lines.extend(lines)
                    self._count += len(lines)
                    self._ended = self._reader.ended
                    if lines or self._ended:
                        self._changed.notify_all()
                if not self._ended:
                    pause.wait(POLL_S)
        except Exception:
            log.exception("a followed log broke")
            self._is_left(self, True)
        finally:
            connection.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def lines(self, tail: int) -> Iterator[str]:
        """From the last `tail` lines read so far to the end."""
        close_old_connections()  # this thread only waits from here on
        with self._changed:
            self._changed.wait_for(lambda: self._count or self._ended, SIGN_OF_LIFE_S)
            position = self._count - self._reach(tail)
        while True:
            with self._changed:
                if self._count == position and not self._ended:
                    self._changed.wait(SIGN_OF_LIFE_S)
                missed = max(0, self._count - len(self._lines) - position)
                fresh = list(self._lines)[len(self._lines) - (self._count - position - missed) :]
                position, ended = self._count, self._ended
            if missed:
                yield f"# {missed} lines were missed here: they came faster than they were read.\n"
            if fresh:
                yield "".join(fresh)
            elif ended:
                return
            else:
                yield "# Nothing new; still following.\n"

    def _reach(self, tail: int) -> int:
        """How many of the lines kept hold the last `tail` of the job's own; notes are not counted."""
        for reach, line in enumerate(reversed(self._lines)):
            if not line.startswith("# "):
                if tail == 0:
                    return reach
                tail -= 1
        return len(self._lines)


class Tails:
    """Those of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tails: dict[uuid.UUID, Tail] = {}
        self._followers = 0

    def follow(self, job_id: uuid.UUID, tail: int, form: Callable[[str], str] = str) -> Iterator[str]:
        """The job's log until its end, whole lines put into `form`. Raises TooManyFollowers at once."""
        with self._lock:
            if self._followers >= settings.LOG_FOLLOWERS:
                raise TooManyFollowers
            self._followers += 1
            shared = self._tails.get(job_id)
            is_new = shared is None
            if shared is None:
                shared = self._tails[job_id] = Tail(Reader(job_id), self._is_left)
            shared.followers += 1
        if is_new:
            threading.Thread(target=shared.run, name=f"tail-{job_id}", daemon=True).start()
        return Followed(map(form, shared.lines(tail)), lambda: self._leave(shared))

    def _leave(self, tail: Tail) -> None:
        with self._lock:
            self._followers -= 1
            tail.followers -= 1

    def _is_left(self, tail: Tail, ended: bool) -> bool:
        with self._lock:
            if tail.followers and not ended:
                return False
            self._tails = {job_id: other for job_id, other in self._tails.items() if other is not tail}
            return True


class Followed(Iterator[str]):
    """An iterator that gives its place free when the server closes it, even if it was never begun."""

    def __init__(self, lines: Iterator[str], leave: Callable[[], None]) -> None:
        self._lines = lines
        self._leave: Callable[[], None] | None = leave

    def __next__(self) -> str:
        return next(self._lines)

    def close(self) -> None:
        leave, self._leave = self._leave, None
        if leave:
            leave()


tails = Tails()

"""Followed logs: however many follow a job, one thread of this process reads it.

A follower keeps a web thread, so their number is bounded (LOG_FOLLOWERS); it keeps no database connection.
"""

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from clusterops.api.log_reader import KEPT_LINES, Kind, LogLine, Position, Reader, note
from simulations.held import places

log = logging.getLogger(__name__)

POLL_S = 1.0
SIGN_OF_LIFE_S = 30.0  # without one a connection whose client has gone is never noticed


class SharedLog:
    """The lines that a Reader found, numbered, for any number of followers."""

    def __init__(
        self, reader: Reader, is_left: Callable[["SharedLog", bool], bool], ending: Callable[[], bool]
    ) -> None:
        """`is_left(tail, ended)`: whether to stop reading; then nobody new comes to this tail. `ending`: whether this
        process is about to end."""
        self.followers = 0
        self._reader = reader
        self._is_left = is_left
        self._ending = ending
        self._changed = threading.Condition()
        # A follower slower than this misses lines, and is told so.
        self._lines: deque[LogLine] = deque(maxlen=KEPT_LINES)
        self._count = 0
        self._ended = False
        self._cut = ""  # why it ended before the job did

    def run(self) -> None:
        """The reading thread's life: until the job has ended, nobody follows, or it cannot go on."""
        pause = threading.Event()
        cut = ""
        try:
            while not self._is_left(self, self._ended):
                if self._ending():
                    cut = "this server is being restarted"
                    break
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
        except (OperationalError, InterfaceError) as error:
            log.warning("a followed log is cut off: %s", error)
            cut = "the database does not answer"
        except Exception:
            log.exception("a followed log broke")
            cut = "it could not be read any further"
        finally:
            connection.close()
            self._is_left(self, True)
            with self._changed:
                self._cut, self._ended = cut, True
                self._changed.notify_all()

    def lines(self, tail: int, after: Position | None = None) -> Iterator[list[LogLine]]:
        """To the end, from the line after that position or else from the last `tail` lines read so far."""
        close_old_connections()  # this thread only waits from here on
        with self._changed:
            self._changed.wait_for(lambda: self._count or self._ended, SIGN_OF_LIFE_S)
            position = self._count - (self._reach(tail) if after is None else self._reach_after(after))
            warning = self._gap(position) if after else ""
        if warning:
            yield [note(warning)]
        while True:
            with self._changed:
                if self._count == position and not self._ended:
                    self._changed.wait(SIGN_OF_LIFE_S)
                missed = max(0, self._count - len(self._lines) - position)
                fresh = list(self._lines)[len(self._lines) - (self._count - position - missed) :]
                position, ended, cut = self._count, self._ended, self._cut
            if missed:
                yield [note(f"{missed} lines were missed here: they came faster than they were read.")]
            after = next((line.position for line in reversed(fresh) if line.position), after)
            if fresh:
                yield fresh
            elif ended:
                if cut:
                    since = f"&since={after}" if after else ""
                    yield [note(f"Cut off here, since {cut}. Go on with ?follow=1{since}", Kind.CUT)]
                return
            else:
                yield [note("Nothing new; still following.", Kind.LIFE)]

    def _reach(self, tail: int) -> int:
        """How many of the lines kept hold the last `tail` of the job's own; notes are not counted."""
        for reach, line in enumerate(reversed(self._lines)):
            if line.kind is Kind.LINE:
                if tail == 0:
                    return reach
                tail -= 1
        return len(self._lines)

    def _reach_after(self, after: Position) -> int:
        """How many of the lines kept come after that one."""
        for reach, line in enumerate(reversed(self._lines)):
            if line.position and line.position <= after:
                return reach
        return len(self._lines)

    def _gap(self, position: int) -> str:
        """What to tell one who goes on from there, if the line before it is not among those kept."""
        if self._count - position < len(self._lines):
            return ""
        if len(self._lines) == KEPT_LINES:
            return "Lines may be missing here: more were written than are kept."
        if any(line.kind is Kind.LINE and not line.position for line in self._lines):
            return "The log's end follows as it was stored; some of it may have been told before."
        return ""


class SharedLogs:
    """Those of this process."""

    def __init__(self) -> None:
        self.ending: Callable[[], bool] = lambda: False  # set by the server that runs this process
        self._lock = threading.Lock()
        self._tails: dict[uuid.UUID, SharedLog] = {}

    def follow(self, tenant_id: str, job_id: uuid.UUID, tail: int, after: Position | None = None) -> "Followed":
        """The job's log until its end. Raises NoPlace at once."""
        places.take(tenant_id)
        with self._lock:
            shared = self._tails.get(job_id)
            is_new = shared is None
            if shared is None:
                shared = self._tails[job_id] = SharedLog(Reader(job_id), self._is_left, lambda: self.ending())
            shared.followers += 1
        if is_new:
            try:
                threading.Thread(target=shared.run, name=f"tail-{job_id}", daemon=True).start()
            except RuntimeError:  # no more threads: nobody is left with a log that nobody reads
                self._leave(tenant_id, shared)
                self._is_left(shared, True)
                raise
        return Followed(shared.lines(tail, after), lambda: self._leave(tenant_id, shared))

    def _leave(self, tenant_id: str, tail: SharedLog) -> None:
        places.leave(tenant_id)
        with self._lock:
            tail.followers -= 1

    def _is_left(self, tail: SharedLog, ended: bool) -> bool:
        with self._lock:
            if tail.followers and not ended:
                return False
            self._tails = {job_id: other for job_id, other in self._tails.items() if other is not tail}
            return True


class Followed(Iterator[list[LogLine]]):
    """An iterator that gives its place free when it is closed, even if it was never begun."""

    def __init__(self, lines: Iterator[list[LogLine]], leave: Callable[[], None]) -> None:
        self._lines = lines
        self._leave: Callable[[], None] | None = leave

    def __next__(self) -> list[LogLine]:
        return next(self._lines)

    def close(self) -> None:
        leave, self._leave = self._leave, None
        if leave:
            leave()


shared_logs = SharedLogs()

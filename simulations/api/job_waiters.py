"""Long polls: however many wait for jobs, one thread of this process listens for all of them.

Who waits keeps a web thread (see `simulations.held`) and no database connection.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import Error as DatabaseError
from django.db import connection

from simulations.held import places
from simulations.models import Job
from tenants.database import NotDirect, direct_connection

log = logging.getLogger(__name__)

CHANNEL = "sumok8_job_status"  # rung by a trigger: simulations/migrations/0025
LOOK_EVERY_S = 1.0  # whether anybody still waits, or the process is about to end
ASK_EVERY_S = 10.0  # the rows themselves, in case a ring was lost
BLIND_EVERY_S = 1.0  # the same while nothing can be heard, as behind a pooler
LISTEN_AGAIN_S = (1.0, 300.0)  # after the first failure, and at most: each one doubles the pause


class Waiter:
    """One request that waits for one job to leave a status."""

    def __init__(self, job_id: uuid.UUID, status: str) -> None:
        self.job_id, self.status = job_id, status
        self.rung = threading.Event()


class Waiters:
    """Those of this process."""

    def __init__(self) -> None:
        self.ending: Callable[[], bool] = lambda: False  # set by the server that runs this process
        self._lock = threading.Lock()
        self._waiters: set[Waiter] = set()
        self._is_listened = False
        self._deaf_until, self._pause_s = 0.0, LISTEN_AGAIN_S[0]  # of time.monotonic; outlives the thread

    @contextmanager
    def waiter(self, tenant_id: str, job_id: uuid.UUID, status: str) -> Iterator[Waiter]:
        """Rung from now on when the job's status becomes another one. Raises NoPlace."""
        places.take(tenant_id)
        mine = Waiter(job_id, status)
        try:
            with self._lock:
                self._waiters.add(mine)
                begin = not self._is_listened
                self._is_listened = True
            if begin:
                self._begin()
            yield mine
        finally:
            with self._lock:
                self._waiters.discard(mine)
            places.leave(tenant_id)

    def _begin(self) -> None:
        try:
            threading.Thread(target=self._listen, name="job-waiters", daemon=True).start()
        except RuntimeError:  # no more threads: the next to wait tries again
            with self._lock:
                self._is_listened = False
            raise

    def wait(self, mine: Waiter, seconds: float) -> None:
        """Until it rings, at most so long; cut short when the process is about to end."""
        until = time.monotonic() + seconds
        while not self.ending() and (left := until - time.monotonic()) > 0:
            if mine.rung.wait(min(left, LOOK_EVERY_S)):
                return

    def _listen(self) -> None:
        """The thread's life: until nobody waits any more."""
        while True:
            try:
                if time.monotonic() >= self._deaf_until:
                    with direct_connection() as own:
                        own.execute(f"LISTEN {CHANNEL}")
                        self._pause_s = LISTEN_AGAIN_S[0]
                        if self._hear(own):
                            return
            except (psycopg.Error, OSError, NotDirect) as error:
                log.info("jobs are asked for instead of listened for: %s", error)
                self._step_back()
            except Exception:
                log.exception("listening for jobs broke")
                self._step_back()
            time.sleep(BLIND_EVERY_S)
            if self._ask_or_end():
                return

    def _step_back(self) -> None:
        """A pooler stays one: the way to the server is tried less and less often."""
        self._deaf_until = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LISTEN_AGAIN_S[1])

    def _hear(self, own: psycopg.Connection) -> bool:
        """True once nobody waits."""
        asked_at = 0.0
        while True:
            if time.monotonic() - asked_at > ASK_EVERY_S:  # at first too: it may have changed before we listened
                asked_at = time.monotonic()
                if self._ask_or_end():
                    return True
            for note in own.notifies(timeout=LOOK_EVERY_S, stop_after=100):
                self._ring(note.payload)
            if self._is_left():
                return True

    def _ring(self, payload: str) -> None:
        with self._lock:
            for waiter in self._waiters:
                if waiter.job_id.hex == payload.replace("-", ""):
                    waiter.rung.set()

    def _ask_or_end(self) -> bool:
        """Ring for whatever has changed; True once nobody waits."""
        with self._lock:
            waiting = list(self._waiters)
        try:
            rows = dict(Job.objects.filter(pk__in={each.job_id for each in waiting}).values_list("pk", "status"))
        except DatabaseError as error:
            log.info("the database does not answer: %s", error)
            return self._is_left()
        except Exception:  # the thread goes on: without it everybody would wait for nothing
            log.exception("waiting jobs cannot be asked for")
            return self._is_left()
        finally:
            connection.close()  # back to the pool
        for waiter in waiting:
            if rows.get(waiter.job_id) != waiter.status:
                waiter.rung.set()
        return self._is_left()

    def _is_left(self) -> bool:
        with self._lock:
            if self._waiters:
                return False
            self._is_listened = False
            return True


waiters = Waiters()

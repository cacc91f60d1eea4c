"""Beside the passes: logs lie on the nodes and results in storage, and however long those take, jobs start and end."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from django.db import DatabaseError, close_old_connections, connection

from clusterops.errors import GatewayError
from clusterops.reconciler.pass_state import Counts, LastLog, Pass, Stopped

log = logging.getLogger("clusterops.reconciler")


class Beside:
    """One thread, one piece of work at a time; `ring` asks for a pass when there is more than it could be given."""

    def __init__(self, what: str, ring: Callable[[], None]) -> None:
        self._what, self._ring = what, ring
        self._executor = ThreadPoolExecutor(1, what)
        self._done: Future[Counts] | None = None

    def is_free(self, this_pass: Pass) -> bool:
        """Whether work may be given."""
        if self._done and not self._done.done():
            self._done.add_done_callback(lambda _: self._ring())
            return False
        if self._done:
            this_pass.counts.add(self._done.result())
            self._done = None
        return True

    def give(self, this_pass: Pass, work: Callable[[Pass], None]) -> None:
        """Do `work` with what this pass saw. What it counts is told by a later pass."""
        self._done = self._executor.submit(
            self._do, replace(this_pass, counts=Counts(), unreachable=0, more=False), work
        )

    def wait(self) -> None:
        """Until what was given is done."""
        if self._done:
            self._done.result()

    def _do(self, this_pass: Pass, work: Callable[[Pass], None]) -> Counts:
        try:
            close_old_connections()
            work(this_pass)
        except (Stopped, GatewayError):
            pass  # told where it happened
        except DatabaseError as error:
            log.warning("%s: the database does not answer: %s", self._what, error)
        except Exception:
            log.exception("%s failed", self._what)
        finally:
            connection.close()
        if this_pass.more:
            self._ring()
        return this_pass.counts


class LogKeeper(Beside):
    """The last words that a pass could not hand over wait for the next one."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__("logs", ring)
        self._late: list[LastLog] = []

    def is_free(self, this_pass: Pass) -> bool:
        free = super().is_free(this_pass)
        if free:
            this_pass.last_logs, self._late = self._late + this_pass.last_logs, []
        else:
            self._late += this_pass.last_logs
        return free

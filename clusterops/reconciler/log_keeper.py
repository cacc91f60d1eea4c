"""Logs are read beside the passes: they lie on the nodes, and however long that takes, jobs start and end meanwhile."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from django.db import DatabaseError, close_old_connections, connection

from clusterops.errors import GatewayError
from clusterops.reconciler.pass_state import Counts, LastLog, Pass, Stopped

log = logging.getLogger("clusterops.reconciler")


class LogKeeper:
    """One thread, one piece of work at a time; `ring` asks for a pass when there is more than it could be given."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._executor = ThreadPoolExecutor(1, "logs")
        self._done: Future[Counts] | None = None
        self._late: list[LastLog] = []

    def is_free(self, this_pass: Pass) -> bool:
        """Whether work may be given. If not, the pass's last words are kept for then."""
        if self._done and not self._done.done():
            self._late += this_pass.last_logs
            self._done.add_done_callback(lambda _: self._ring())
            return False
        if self._done:
            this_pass.counts.add(self._done.result())
            self._done = None
        this_pass.last_logs, self._late = self._late + this_pass.last_logs, []
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
            log.warning("logs: the database does not answer: %s", error)
        except Exception:
            log.exception("reading logs failed")
        finally:
            connection.close()
        if this_pass.more:
            self._ring()
        return this_pass.counts

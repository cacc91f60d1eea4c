"""Logs are read beside the passes: they lie on the nodes, and however long that takes, jobs start and end meanwhile."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from django.db import DatabaseError, close_old_connections, connection

from clusterops.errors import GatewayError
from clusterops.reconciler.pass_state import Counts, LastWords, Pass, Stopped

log = logging.getLogger("clusterops.reconciler")


class LogKeeper:
    """One thread, one piece of work at a time; `ring` asks for a pass when there is more than it could be given."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._executor = ThreadPoolExecutor(1, "logs")
        self._done: Future[Counts] | None = None
        self._late: list[LastWords] = []

    def is_free(self, this: Pass) -> bool:
        """Whether work may be given. If not, the pass's last words are kept for then."""
        if self._done and not self._done.done():
            self._late += this.last_words
            self._done.add_done_callback(lambda _: self._ring())
            return False
        if self._done:
            this.counts.add(self._done.result())
            self._done = None
        this.last_words, self._late = self._late + this.last_words, []
        return True

    def give(self, this: Pass, work: Callable[[Pass], None]) -> None:
        """Do `work` with what this pass saw. What it counts is told by a later pass."""
        self._done = self._executor.submit(self._do, replace(this, counts=Counts(), unreachable=0, more=False), work)

    def wait(self) -> None:
        """Until what was given is done."""
        if self._done:
            self._done.result()

    def _do(self, this: Pass, work: Callable[[Pass], None]) -> Counts:
        try:
            close_old_connections()
            work(this)
        except (Stopped, GatewayError):
            pass  # told where it happened
        except DatabaseError as error:
            log.warning("logs: the database does not answer: %s", error)
        except Exception:
            log.exception("reading logs failed")
        finally:
            connection.close()
        if this.more:
            self._ring()
        return this.counts

"""Only one reconciler works for a cluster at a time, wherever it runs: a PostgreSQL session lock, given up with the
connection. And only one of them all does what is done once for all clusters: a second lock of the same session."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connection

from tenants.clusters import FIRST
from tenants.database import direct_connection

log = logging.getLogger(__name__)

LOCK_KEY = 0x53554D4F4B38  # "SUMOK8", of the first cluster; of the others those that follow
ALL_KEY = LOCK_KEY - 1
POLL_S = 1.0


def key_of(cluster_id: int) -> int:
    return LOCK_KEY + cluster_id - FIRST


def is_at_work(cluster_id: int = FIRST) -> bool:
    """Whether some reconciler holds the cluster's lock now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND (classid::bigint << 32) + objid::bigint = %s",
            [key_of(cluster_id)],
        )
        return cursor.fetchone() is not None


class Lock:
    """`held` before every pass: a lost connection means a lost lock, and another process may be working already."""

    def __init__(self, cluster_id: int = FIRST) -> None:
        self._key = key_of(cluster_id)
        self._own: psycopg.Connection[Any] | None = None
        self.is_ours = False  # as last seen; for other threads, which may not use the connection
        self.works_for_all = False  # the same, of the lock for what is done once for all clusters

    def wait(
        self,
        stop: threading.Event,
        patience_s: float = float("inf"),
        *,
        beat: Callable[[], None] = lambda: None,
    ) -> bool:
        """Wait for the lock; False if `stop` or the end of patience came first. `beat` is called while it waits.

        Raises psycopg.OperationalError without a database.
        """
        said, until = False, time.monotonic() + patience_s
        while not stop.is_set():
            if self.held():
                return True
            self._own = self._own or direct_connection()
            row = self._own.execute("SELECT pg_try_advisory_lock(%s)", [self._key]).fetchone()
            if row and row[0]:
                self.is_ours = True
                return True
            if not said:
                log.warning("another reconciler is at work; waiting for it to end")
                said = True
            beat()
            if time.monotonic() > until:
                return False
            stop.wait(POLL_S)
        return False

    def held(self) -> bool:
        """Whether the lock is ours still: asked of the database."""
        if self._own is None:
            return False
        query = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted"
        try:
            self.is_ours = self._own.execute(query).fetchone() is not None
            return self.is_ours
        except psycopg.Error:
            self.release()
            return False

    def take_all(self, sees_cluster: bool) -> None:
        """Have the lock for what is done once, unless another has it; or leave it to one that sees its cluster: a pass
        that does not see its own ends before that work. Call it between passes. Raises psycopg.Error."""
        if self._own is not None and self.works_for_all != sees_cluster:
            call = "pg_try_advisory_lock" if sees_cluster else "pg_advisory_unlock"
            row = self._own.execute(f"SELECT {call}(%s)", [ALL_KEY]).fetchone()
            self.works_for_all = sees_cluster and bool(row and row[0])

    def release(self) -> None:
        own, self._own, self.is_ours, self.works_for_all = self._own, None, False, False
        if own:
            own.close()

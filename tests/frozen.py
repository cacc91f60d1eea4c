"""The tests' own PostgreSQL, stopped in its tracks: its sockets stay open, and nobody answers on them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.db import connection


def _server_processes() -> list[int]:
    """The postmaster first, then its children."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_read_file('postmaster.pid')")
        postmaster = int(cursor.fetchone()[0].split()[0])
    found = [postmaster]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == postmaster:
                found.append(int(stat.parent.name))
    return found


@contextmanager
def frozen_postgres() -> Iterator[None]:
    """Stopped for this block. Skips the test where the server runs elsewhere."""
    processes = _server_processes()
    if not Path(f"/proc/{processes[0]}").exists():
        pytest.skip("PostgreSQL does not run on this machine")
    with stopped_processes(processes):
        yield


@contextmanager
def stopped_processes(processes: list[int]) -> Iterator[None]:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

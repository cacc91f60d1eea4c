"""Debian's pgbouncer in front of a PostgreSQL, in transaction mode."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

PROGRAM = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
NOBODY = 65534  # owns the tests' socket when they run as root, as whom pgbouncer refuses to run
POOL_SIZE = 2


@contextmanager
def pgbouncer(folder: Path, host: str) -> Iterator[int]:
    """Its port on 127.0.0.1, in front of the server whose socket is in the folder `host`. Skips the test where the
    program is missing."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed (Debian's package pgbouncer)")
    port = free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host={host} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = transaction\ndefault_pool_size = {POOL_SIZE}\nserver_idle_timeout = 5\n"
    )
    as_root = os.geteuid() == 0
    with settings.open("rb") as text:
        process = subprocess.Popen(
            [PROGRAM, "-q", "/dev/stdin"], stdin=text, user=NOBODY if as_root else None, stderr=subprocess.DEVNULL
        )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "pgbouncer did not start"
                assert time.monotonic() < deadline, "pgbouncer does not listen"
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)

"""The product behind a real gunicorn, on the tests' database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection


@contextmanager
def gunicorn(port: int = 0, **environment: str) -> Iterator[tuple[str, int]]:
    """(its address, its only worker's process id)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        bind = f"127.0.0.1:{probe.getsockname()[1]}"
    url = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    ours = {
        "BIND": bind,
        "WEB_WORKERS": "1",
        "DATABASE_URL": url._replace(path=f"{url.path.rsplit('/', 1)[0]}/{name}").geturl(),
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "python:sumok8.gunicorn_conf", "sumok8.wsgi"]
    process = subprocess.Popen(command, env={**os.environ, **ours, **environment}, stdin=subprocess.DEVNULL)
    try:
        _wait_for(bind, process)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield f"http://{bind}", int(children[0])
    finally:
        process.terminate()
        process.wait(30)


def peak_mib(pid: int) -> float:
    """The most memory that a process has had so far (resident)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def _wait_for(bind: str, process: subprocess.Popen[bytes]) -> None:
    host, port = bind.split(":")
    deadline = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection((host, int(port)), timeout=1) as probe:
                probe.sendall(b"GET /nothing-here HTTP/1.0\r\n\r\n")  # answered once a worker has loaded everything
                if probe.recv(1):
                    return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError("gunicorn did not start")
        time.sleep(0.05)

"""The web as it is deployed, on the tests' database."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from tests.ports import free_port
from tests.sumok8.web_processes import start_web, workers_of


@dataclass(frozen=True)
class Web:
    url: str
    probes: str  # where probes are answered
    process: subprocess.Popen[bytes]

    @property
    def worker(self) -> int:
        """The process id of gunicorn's only worker."""
        return workers_of(self.process)[0]


@contextmanager
def web(port: int = 0, **environment: str) -> Iterator[Web]:
    """With one worker, unless `environment` says otherwise."""
    bind, probes = f"127.0.0.1:{port or free_port()}", f"127.0.0.1:{free_port()}"
    database = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    ours = {
        "BIND": bind,
        "PROBE_BIND": probes,
        "WEB_WORKERS": "1",
        "DATABASE_URL": database._replace(path=f"{database.path.rsplit('/', 1)[0]}/{name}").geturl(),
    }
    process = start_web({**os.environ, **ours, **environment})
    try:
        _wait_for(probes, process)
        yield Web(f"http://{bind}", f"http://{probes}", process)
    finally:
        process.terminate()
        process.wait(60)


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
            raise AssertionError("the web did not start")
        time.sleep(0.05)

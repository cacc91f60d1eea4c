"""What the benchmarks measure: the product's processes as deployed, on an embedded PostgreSQL of their own."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from sumok8.embedded_postgres import EmbeddedPostgres
from tests.last_will import watch_over

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def database() -> Iterator[Path]:
    """A migrated database; the environment of this process and its children points at it. Yields a scratch folder."""
    folder = Path(tempfile.mkdtemp(prefix="sumok8-bench-"))
    folder.chmod(0o755)
    watch_over(folder)  # what is started here ends with this process
    server = EmbeddedPostgres(folder / "postgres")  # durable: fsync is part of what a submission costs
    try:
        os.environ.update(
            DATABASE_URL=server.start(),
            DJANGO_SETTINGS_MODULE="sumok8.settings",
            SECRET_KEY=secrets.token_urlsafe(48),
            JOB_TOKEN_KEYS=secrets.token_urlsafe(48),
            DATA_DIR=str(folder / "data"),
            STATIC_ROOT=str(folder / "static"),
            INSTALLATION_ID="bench",
            LOG_LEVEL="WARNING",
            RATE_LIMIT_PER_MINUTE="6000000",  # counted as always, never reached
        )
        for command in (["migrate", "--verbosity=0"], ["collectstatic", "--noinput", "--verbosity=0"]):
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True)
        yield folder
    finally:
        server.stop()
        shutil.rmtree(server.home, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def served(*command: str, ready_path: str = "/readyz") -> Iterator[str]:
    """A server that `command` (Python's arguments) starts on BIND; yields its address."""
    bind = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**os.environ, "BIND": bind})
    try:
        until_served(f"http://{bind}{ready_path}", process)
        yield f"http://{bind}"
    finally:
        process.terminate()
        process.wait()


def product() -> contextlib.AbstractContextManager[str]:
    """The web as deployed; yields its address."""
    return served("-m", "sumok8.web")


def until_served(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120  # a busy machine starts slowly
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{url} is not served")
        time.sleep(0.05)

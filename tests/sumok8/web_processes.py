"""The web as it is deployed, and where its processes are."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def start_web(environment: Mapping[str, str], **options: Any) -> subprocess.Popen[bytes]:
    """nginx on BIND with gunicorn behind it."""
    return subprocess.Popen(
        [sys.executable, "-m", "sumok8.web"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, **options
    )


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gunicorn_of(web: subprocess.Popen[bytes]) -> int | None:
    """Its arbiter, once there is one."""
    for pid in children(web.pid):
        if b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def workers_of(web: subprocess.Popen[bytes]) -> list[int]:
    """gunicorn's."""
    arbiter = gunicorn_of(web)
    return children(arbiter) if arbiter else []

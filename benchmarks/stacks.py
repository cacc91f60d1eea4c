"""What may stand between clients and Django, each started on an address of its own: the product's stack, and others to
compare it with where their programs are installed."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stack import ROOT, free_port, until_served

CADDYFILE = """{
    admin off
    auto_https off
    servers {
        timeouts {
            read_header 15s
            idle 90s
        }
    }
}
http://%(bind)s {
    log {
        output discard
    }
    @small not path /scenarios /runner/* /jobs/*/logs
    handle @small {
        request_body {
            max_size 1MiB
        }
        reverse_proxy unix/%(socket)s {
            request_buffers 1MiB
            response_buffers 1MiB
            header_up X-Peer-Address {remote_host}
            @file header X-Accel-Redirect *
            handle_response @file {
                root * %(files)s
                rewrite * {rp.header.X-Accel-Redirect}
                uri strip_prefix /-/files
                method GET
                file_server
            }
        }
    }
    handle {
        reverse_proxy unix/%(socket)s {
            header_up X-Peer-Address {remote_host}
        }
    }
}
"""


@dataclass
class Served:
    url: str
    probes: str
    pids: list[int]

    def processes(self) -> list[Path]:
        found, more = [], list(self.pids)
        while more:
            pid = more.pop()
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    more += [int(child) for child in (task / "children").read_text().split()]
                found.append(Path(f"/proc/{pid}"))
        return found

    def memory_mb(self) -> float:
        """Proportional: what processes share counts once."""
        kilobytes = 0
        for process in self.processes():
            with contextlib.suppress(OSError):
                lines = (process / "smaps_rollup").read_text().splitlines()
                kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return kilobytes / 1000

    def cpu_s(self) -> float:
        ticks = 0
        for process in self.processes():
            with contextlib.suppress(OSError):
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def _gunicorn(bind: str, probes: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:sumok8.gunicorn_conf", *arguments, "sumok8.wsgi"]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "BIND": bind, "PROBE_BIND": probes})


def _threads(folder: Path, bind: str, probes: str) -> list[subprocess.Popen[bytes]]:
    return [_gunicorn(bind, probes)]


def _gevent(folder: Path, bind: str, probes: str) -> list[subprocess.Popen[bytes]]:
    return [_gunicorn(bind, probes, "--worker-class", "gevent", "--worker-connections", "8000")]


def _caddy(folder: Path, bind: str, probes: str) -> list[subprocess.Popen[bytes]]:
    from django.conf import settings

    socket, file = folder / "caddy.socket", folder / "Caddyfile"
    file.write_text(CADDYFILE % {"bind": bind, "socket": socket, "files": settings.MEDIA_ROOT})
    caddy = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
    return [_gunicorn(f"unix:{socket}", probes), subprocess.Popen(caddy, stderr=subprocess.DEVNULL)]


def _nginx(folder: Path, bind: str, probes: str) -> list[subprocess.Popen[bytes]]:
    environment = {**os.environ, "BIND": bind, "PROBE_BIND": probes}
    return [subprocess.Popen([sys.executable, "-m", "sumok8.web"], cwd=ROOT, env=environment)]


def stacks() -> dict[str, Callable[[Path, str, str], list[subprocess.Popen[bytes]]]]:
    found = {"threads": _threads}
    if importlib.util.find_spec("gevent"):
        found["gevent"] = _gevent
    if shutil.which("caddy"):
        found["caddy"] = _caddy
    return found | {"nginx": _nginx}


@contextlib.contextmanager
def served(start: Callable[..., list[subprocess.Popen[bytes]]], folder: Path) -> Iterator[Served]:
    bind, probes = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    processes = start(folder, bind, probes)
    try:
        until_served(f"http://{bind}/readyz", processes[0])
        yield Served(f"http://{bind}", f"http://{probes}", [process.pid for process in processes])
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()

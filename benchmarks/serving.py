"""Which stack serves: each meets 1,000 clients that stall, of every kind, and greedy ones, while somebody else asks;
and all submit jobs in turns."""

import contextlib
import http.client
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.rows import forget_jobs
from benchmarks.stacks import Served, served, stacks
from benchmarks.submission import load
from benchmarks.tables import percentile
from tests.sumok8 import stalled

STALLED = 1000
FOLLOWERS = 50
ASKED = 40  # requests of each sort
LOST_S = 2.0  # what one counts that is not answered by then
FILE_BYTES = 1024**3
ROUNDS, SECONDS, CLIENTS = 5, 2.0, 8


def measure(folder: Path, key: str) -> list[dict[str, Any]]:
    """A row for each stack and burden. `MB` is the most that all its processes had at a time."""
    from tests.factories import TenantFactory, issue_key

    greedy = issue_key(TenantFactory(tenant_id="greedy"))
    large, heavy = _archives(folder)
    rows: list[dict[str, Any]] = []
    for name, start in stacks().items():
        job, download = _job_with_a_large_file()
        burdens: dict[str, Any] = {
            "nothing": lambda stack: contextlib.nullcontext(),
            "an upload of 510 MB": lambda stack: _uploads(stack, greedy, large, 1),
            "checks of 2 uploads": lambda stack: _uploads(stack, greedy, heavy, 2),
            "50 followed logs": lambda stack, job=job: _followers(stack, key, job),
        } | {
            kind: lambda stack, request=request: stalled.clients(stack.url, request, STALLED)
            for kind, request in stalled.kinds(greedy, download).items()
        }
        with served(start, folder) as stack:
            for burden, begin in burdens.items():
                with begin(stack):
                    time.sleep(1)
                    row = {"stack": name, "beside": burden, **_asked(stack, key, job)}
                rows.append(row)
                print(".", end="", flush=True)
                _until_calm(stack)
    costs = _costs(key, folder)
    for row in rows:
        row["POST CPU ms"] = costs[row["stack"]] if row["beside"] == "nothing" else "-"
    return rows


def _asked(stack: Served, key: str, job: uuid.UUID) -> dict[str, Any]:
    """p95 of what somebody with another key sees, each time with a connection of its own."""
    headers = {"Authorization": f"Bearer {key}"}
    took: dict[str, list[float]] = {"probe": [], "healthz": [], "job": []}
    most = 0.0
    for _ in range(ASKED):
        took["probe"].append(_ask(stack.probes, "/readyz", {}))
        took["healthz"].append(_ask(stack.url, "/healthz", {}))
        took["job"].append(_ask(stack.url, f"/jobs/{job}", headers))
        most = max(most, stack.memory_mb())
        if took["job"][-3:] == [LOST_S] * 3:
            break
    return {f"{name} p95 ms": percentile(each, 0.95) * 1000 for name, each in took.items()} | {"MB": most}


def _ask(url: str, path: str, headers: dict[str, str]) -> float:
    began = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=LOST_S)
    try:
        connection.request("GET", path, headers=headers)
        good = connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        good = False
    finally:
        connection.close()
    return time.perf_counter() - began if good else LOST_S


@contextlib.contextmanager
def _uploads(stack: Served, key: str, archive: Path, clients: int) -> Iterator[None]:
    """`clients` upload `archive` over and over."""
    stop = threading.Event()
    head, tail = (
        b'--b\r\nContent-Disposition: form-data; name="scenario_id"\r\n\r\nx\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f.zip"\r\n\r\n',
        b"\r\n--b--\r\n",
    )
    length = len(head) + archive.stat().st_size + len(tail)
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": str(length),
    }

    def pieces() -> Iterator[bytes]:
        yield head
        with archive.open("rb") as file:
            while (piece := file.read(1024**2)) and not stop.is_set():
                yield piece
        yield tail

    def client() -> None:
        while not stop.is_set():
            connection = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=120)
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("POST", "/scenarios", pieces(), headers)
                connection.getresponse().read()
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def _followers(stack: Served, key: str, job: uuid.UUID) -> Iterator[None]:
    with contextlib.ExitStack() as opened:
        for _ in range(FOLLOWERS):
            connection = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=10)
            opened.callback(connection.close)
            connection.request("GET", f"/jobs/{job}/logs?follow=1", headers={"Authorization": f"Bearer {key}"})
            if connection.getresponse().status != 200:
                raise RuntimeError("a follower was refused")
        yield


def _until_calm(stack: Served) -> None:
    """What a burden leaves behind is not the next one's."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and max(_ask(stack.url, "/readyz", {}) for _ in range(8)) >= 0.1:
        time.sleep(0.5)


def _costs(key: str, folder: Path) -> dict[str, float]:
    """CPU ms of all of a stack's processes for each submission, PostgreSQL's not counted."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with contextlib.ExitStack() as opened:
        running = {name: opened.enter_context(served(start, folder)) for name, start in stacks().items()}
        spent, answered = dict.fromkeys(running, 0.0), dict.fromkeys(running, 0)
        for stack in running.values():
            load(stack.url, headers, CLIENTS, 1.0)
        for _ in range(ROUNDS):
            for name, stack in running.items():
                forget_jobs()
                before = stack.cpu_s()
                answered[name] += len(load(stack.url, headers, CLIENTS, SECONDS))
                spent[name] += stack.cpu_s() - before
    return {name: spent[name] / answered[name] * 1000 for name in running}


def _archives(folder: Path) -> tuple[Path, Path]:
    """A large one that is quickly checked, and one whose check takes seconds."""
    large, heavy = folder / "large.zip", folder / "heavy.zip"
    with zipfile.ZipFile(large, "w") as packed, packed.open("ballast.bin", "w") as member:
        for _ in range(510):
            member.write(bytes(10**6))
    edges = "".join(
        f'<edge id="e{n}" from="n{n}" to="n{n + 1}"><lane id="e{n}_0" index="0" speed="9" length="9" shape="0,0 9,0"/>'
        "</edge>\n"
        for n in range(20_000)
    )
    with zipfile.ZipFile(heavy, "w") as packed:
        packed.writestr("run.sumocfg", '<configuration><input><net-file value="a.net.xml"/></input></configuration>')
        packed.writestr("a.net.xml", f'<net version="1.20">{edges}</net>', zipfile.ZIP_DEFLATED)
    return large, heavy


def _job_with_a_large_file() -> tuple[uuid.UUID, str]:
    """Its id, and the path of a result of 1 GiB (a hole: no disk is needed)."""
    from django.conf import settings

    from benchmarks.cluster import submit
    from simulations.models import Artifact

    (job,) = submit(1)
    path = settings.MEDIA_ROOT / "results" / "large"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(FILE_BYTES)
    Artifact.objects.create(
        job=job, attempt=1, name="large", file="results/large", size_bytes=FILE_BYTES, sha256="0" * 64
    )
    return job.pk, f"/jobs/{job.pk}/results/large"

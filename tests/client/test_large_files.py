"""A large result over a connection that is cut again and again, from the live service."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage

from client import Client
from simulations.models import Artifact, Job
from tenants.models import Tenant
from tests.client.test_commands import end
from tests.factories import JobFactory, ScenarioFactory

MIB = 1024**2
SIZE = 32 * MIB
CUTS = [SIZE // 8, SIZE // 3, SIZE // 3]  # bytes of an answer that get through; those after them wholly


@pytest.fixture
def job(tenant: Tenant) -> Job:
    """With one result, most of which is a hole: it takes no room."""
    job = JobFactory(tenant=tenant, scenario=ScenarioFactory(tenant=tenant, scenario_id="town"))
    end(job)
    path = Path(default_storage.path("tests/large"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for place in range(0, SIZE, SIZE // 64):
            file.seek(place)
            file.write(f"the part at {place}".encode())
        file.truncate(SIZE)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    Artifact.objects.create(
        job=job, attempt=job.attempt, name="fcd.parquet", file="tests/large", size_bytes=SIZE, sha256=sha256
    )
    return job


@pytest.fixture
def cutting(service: Client) -> Iterator[tuple[str, list[int], list[int]]]:
    """The service behind something that breaks off: its address, cuts to come, and sizes of all that came through."""
    there = urlsplit(service.url)
    left, pieces, standing = list(CUTS), [], []

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((there.hostname, there.port)) as upstream:
                standing.extend((self.request, upstream))
                asking = threading.Thread(target=self.ask, args=(upstream,))
                asking.start()
                sent, limit = 0, None
                with suppress(OSError):
                    while (limit is None or sent < limit) and (piece := upstream.recv(MIB)):
                        if sent < MIB <= sent + len(piece):  # a large one
                            limit = left.pop(0) if left else None
                        self.request.sendall(piece)
                        sent += len(piece)
                        pieces.append(len(piece))
                end_of(self.request, upstream)
                asking.join()

        def ask(self, upstream: socket.socket) -> None:
            with suppress(OSError):
                while piece := self.request.recv(65536):
                    upstream.sendall(piece)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield f"http://localhost:{server.server_address[1]}", left, pieces
        server.shutdown()
        end_of(*standing)  # those that are kept for more requests


def end_of(*connections: socket.socket) -> None:
    for each in connections:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.mark.django_db(transaction=True)
def test_it_arrives_whole_and_no_part_twice(
    cutting: tuple[str, list[int], list[int]], key: str, job: Job, tmp_path: Path
) -> None:
    url, left, pieces = cutting
    told: list[tuple[int, int]] = []
    got = Client(url, key).job(str(job.pk)).download(tmp_path, report=lambda done, total: told.append((done, total)))
    large = next(path for path in got if path.name == "fcd.parquet")
    assert large.stat().st_size == SIZE  # its SHA-256 was checked
    assert max(done for done, _ in told) == SIZE
    assert not left
    assert SIZE < sum(pieces) < SIZE + 12 * MIB  # what was on its way when it was cut comes again

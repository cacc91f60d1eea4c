"""Files through the web as deployed: memory stays flat, parts are sent as asked, and bodies that lie do no harm."""

import hashlib
import http.client
import socket
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulations import tokens
from simulations.models import Artifact, Job
from simulations.sumo.run.transport import ControlPlane
from tests.factories import TenantFactory, issue_key
from tests.simulations.scenarios import CONFIG, NET, ROUTES
from tests.simulations.served import peak_mib, web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SIZE = 64 * 1024**2
ALLOWED_GROWTH_MIB = 40


@pytest.fixture
def large_zip(tmp_path: Path) -> Path:
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("run.sumocfg", CONFIG.format(net="net.net.xml", begin=0, end=10))
        packed.writestr("net.net.xml", NET)
        packed.writestr("demand.rou.xml", ROUTES)
        with packed.open("ballast.bin", "w") as member:
            for _ in range(SIZE // 1024**2):
                member.write(bytes(1024**2))
    return path


def form(path: Path, boundary: str) -> tuple[bytes, bytes]:
    start = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="scenario_id"\r\n\r\nlarge\r\n--{boundary}\r\n'
        f'Content-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
    )
    return start.encode(), f"\r\n--{boundary}--\r\n".encode()


def body(path: Path, start: bytes, end: bytes) -> Iterator[bytes]:
    yield start
    with path.open("rb") as file:
        while chunk := file.read(1024**2):
            yield chunk
    yield end


def answer_to(url: str, request: bytes) -> bytes:
    """The status line of the answer to these bytes, with nothing after them."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline()


def download(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> str:
    connection.close()  # it may have been idle for longer than the server keeps it
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    assert response.status == 200
    digest = hashlib.sha256()
    while chunk := response.read(1024**2):
        digest.update(chunk)
    return digest.hexdigest()


@pytest.mark.long
def test_memory_stays_flat(large_zip: Path, tmp_path: Path) -> None:
    key = {"Authorization": f"Bearer {issue_key(TenantFactory(tenant_id='city-a'))}"}
    with large_zip.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    start, end = form(large_zip, "limit")
    with web() as served:
        url, worker = served.url, served.worker
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        connection.request("GET", "/scenarios", headers=key)
        connection.getresponse().read()
        before = peak_mib(worker)

        length = str(len(start) + large_zip.stat().st_size + len(end))
        headers = key | {"Content-Type": "multipart/form-data; boundary=limit", "Content-Length": length}
        connection.request("POST", "/scenarios", body(large_zip, start, end), headers)
        response = connection.getresponse()
        assert response.status == 201, response.read()
        response.read()
        assert download(connection, "/scenarios/large/archive", key) == sha256

        connection.request("POST", "/jobs", b'{"scenario_id": "large"}', key | {"Content-Type": "application/json"})
        assert connection.getresponse().read()
        job = Job.objects.get()
        token = tokens.issue(job.pk, 1, 600)
        runner = ControlPlane(url, job_id=str(job.pk), token=token, attempt=1)
        until = time.monotonic() + 60
        assert runner.fetch_scenario(tmp_path / "in.zip", max_bytes=2 * SIZE, deadline=lambda: until) == sha256
        runner.upload(large_zip, "large.bin", sha256=sha256, deadline=lambda: until)
        runner.upload(large_zip, "large.bin", sha256=sha256, deadline=lambda: until)
        assert download(connection, f"/jobs/{job.pk}/results/large.bin", key) == sha256
        connection.close()
        assert Artifact.objects.get().size_bytes == large_zip.stat().st_size
        assert peak_mib(worker) - before < ALLOWED_GROWTH_MIB


def test_bodies_that_lie_about_their_length_and_part_of_one_that_does_not(job: Job, api: Any) -> None:
    tenants_key = issue_key(job.tenant)
    token = tokens.issue(job.pk, 1, 600)
    put = (
        f"PUT /runner/jobs/{job.pk}/artifacts/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"X-Attempt: 1\r\nX-Content-SHA256: {hashlib.sha256(b'abc').hexdigest()}\r\n"
    )
    post = (
        f"POST /scenarios HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {tenants_key}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n"
    )
    ten_gb = f"Content-Length: {10 * 1024**3}\r\n\r\n"
    chunked = "Transfer-Encoding: chunked\r\n\r\n"
    with web(SCENARIO_MAX_BYTES="1000") as served:
        url = served.url
        assert answer_to(url, (put + ten_gb).encode()).split()[1] == b"413"
        assert answer_to(url, (post + ten_gb).encode()).split()[1] == b"413"
        # 411, or 422 where nginx saw the end at once and told a length of 0: not what was announced.
        assert answer_to(url, (put + chunked + "0\r\n\r\n").encode()).split()[1] in {b"411", b"422"}
        assert answer_to(url, (post + chunked + "0\r\n\r\n").encode()).split()[1] == b"400"

        unknown = uuid.uuid4()
        other = put.replace(str(job.pk), str(unknown)).replace(token, tokens.issue(unknown, 1, 60))
        assert answer_to(url, (other + "Content-Length: 3\r\n\r\nabc").encode()).split()[1] == b"410"

        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            connection.sendall(f"{put}Content-Length: 3\r\n\r\nab".encode())
        assert answer_to(url, f"{put}Content-Length: 3\r\n\r\nabc".encode()).split()[1] == b"201"
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        # gunicorn sends files by their descriptor, past our reading of them
        ranged = {"Authorization": f"Bearer {tenants_key}", "Range": "bytes=1-1"}
        connection.request("GET", f"/jobs/{job.pk}/results/a", headers=ranged)
        part = connection.getresponse()
        assert (part.status, part.headers["Content-Length"], part.read()) == (206, "1", b"b")
        connection.close()
    assert Artifact.objects.get().size_bytes == 3

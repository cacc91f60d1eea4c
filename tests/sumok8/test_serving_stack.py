"""nginx and gunicorn as they are deployed: what stalls, is large or is broken takes nothing from the others."""

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from simulations.models import Artifact, Job
from sumok8 import gunicorn_conf
from tenants.members import Member
from tests.factories import JobFactory, TenantFactory, issue_key
from tests.last_will import lives
from tests.simulations.served import Web, web
from tests.sumok8 import stalled
from tests.sumok8.web_processes import children, gunicorn_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
THREADS = 3
EACH = 2 * THREADS  # of each kind: no kind alone leaves a thread free if it holds any
LARGE = 64 * 1024**2


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where another region's files are."""
    return tmp_path_factory.mktemp("far")


@pytest.fixture
def job(far: Path) -> Job:
    job = JobFactory(tenant=TenantFactory(tenant_id="city-a"))
    path = Path(default_storage.path("results/large"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(LARGE)
    small = default_storage.save("results/small", ContentFile(bytes(range(100))))
    (far / "results").mkdir(exist_ok=True)
    (far / "results" / "far").write_bytes(b"far away")
    for name, file_name, size in (
        ("large", "results/large", LARGE),
        ("small", small, 100),
        ("far", "eu:results/far", 8),
    ):
        Artifact.objects.create(job=job, attempt=1, name=name, file=file_name, size_bytes=size, sha256="0" * 64)
    return job


@pytest.fixture
def key(job: Job) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_key(job.tenant)}"}


@pytest.fixture(scope="module")
def served(far: Path, django_db_setup: None) -> Iterator[Web]:
    """One for all tests that leave it as it is."""
    with web(WEB_THREADS=str(THREADS), REGION_STORAGES=f"eu={far}") as running:
        yield running


def ask(
    url: str, path: str, headers: dict[str, str] | None = None, method: str = "GET", body: Any = None
) -> tuple[http.client.HTTPResponse, bytes]:
    """An answer on a connection of its own; TimeoutError after ten seconds."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read()


def test_clients_that_stall_take_nothing_from_others(served: Web, job: Job, key: dict[str, str]) -> None:
    other_key = issue_key(TenantFactory(tenant_id="greedy"))
    with contextlib.ExitStack() as held:
        for kind, request in stalled.kinds(other_key, "/").items():
            if kind == "a download not read":  # another tenant's would be 404
                request = stalled.body("GET", f"/jobs/{job.pk}/results/large", 0, b"", **key)
            held.enter_context(stalled.clients(served.url, request, EACH))
            assert ask(served.probes, "/readyz")[0].status == 200, kind
            assert ask(served.url, "/healthz")[0].status == 200, kind
            for _ in range(THREADS):
                assert ask(served.url, f"/jobs/{job.pk}", key)[0].status == 200, kind
        answer, text = ask(served.url, "/jobs", key | {"Content-Type": "application/json"}, "POST", b"{}")
        assert (answer.status, json.loads(text)["error"]["code"]) == (400, "invalid")


def test_probes_are_answered_while_the_main_port_is_not(served: Web) -> None:
    for child in Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split():
        if b"nginx" in Path(f"/proc/{child}/cmdline").read_bytes():
            workers = Path(f"/proc/{child}/task/{child}/children").read_text().split()
    for worker in workers:  # whatever it is that keeps it from answering
        os.kill(int(worker), signal.SIGSTOP)
    try:
        with socket.create_connection((urlsplit(served.url).hostname, urlsplit(served.url).port)) as client:
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert ask(served.probes, "/healthz")[0].status == 200
            assert ask(served.probes, "/readyz")[0].status == 200
            assert b"sumok8_http_requests" in ask(served.probes, "/metrics")[1]
            assert ask(served.probes, "/jobs")[0].status == 404
    finally:
        for worker in workers:
            os.kill(int(worker), signal.SIGCONT)


def test_a_few_at_once_may_ask_for_metrics_at_the_main_port(served: Web) -> None:
    with stalled.clients(served.url, stalled.body("POST", "/metrics", 1000, b"{"), 5) as wires:
        assert select.select(wires, [], [], 60)[0]  # one too many
        answer, text = ask(served.url, "/metrics")
        assert (answer.status, json.loads(text)["error"]["code"]) == (429, "requests.too_many")
        assert ask(served.url, "/healthz")[0].status == 200
        assert ask(served.probes, "/metrics")[0].status == 200


def test_killed_together_they_leave_the_port() -> None:
    with web() as killed:
        others = [pid for pid in children(killed.process.pid) if pid != gunicorn_of(killed.process)]
        arbiter = gunicorn_of(killed.process)
        assert others
        assert arbiter
        for pid in (killed.process.pid, arbiter):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(lives(pid) for pid in others):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_connections_outlive_polls_and_proxies_idle_times(served: Web) -> None:
    answer, _ = ask(served.url, "/healthz")
    assert answer.headers["Keep-Alive"] == "timeout=75"
    assert gunicorn_conf.keepalive >= 75


def test_files_are_sent_whole_and_in_part_under_their_own_headers(served: Web, job: Job, key: dict[str, str]) -> None:
    path = f"/jobs/{job.pk}/results/small"
    answer, content = ask(served.url, path, key)
    assert (answer.status, content) == (200, bytes(range(100)))
    etag = f'"{"0" * 64}"'
    expected = {
        "ETag": etag,
        "X-Content-SHA256": "0" * 64,
        "X-Content-Type-Options": "nosniff",
        "Content-Length": "100",
    }
    assert expected.items() <= dict(answer.headers).items()
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="small"'
    assert "X-Accel-Redirect" not in answer.headers
    answer, content = ask(served.url, path, key | {"Range": "bytes=10-19", "If-Range": etag})
    assert (answer.status, content) == (206, bytes(range(10, 20)))
    assert ask(served.url, path, key | {"Range": "bytes=10-19", "If-Range": '"another"'})[0].status == 200
    answer, content = ask(served.url, path, key | {"Range": "bytes=100-"})
    assert (answer.status, json.loads(content)["error"]["code"]) == (416, "range.not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */100"
    answer, content = ask(served.url, path, key | {"If-Match": '"another"'})
    assert (answer.status, json.loads(content)["error"]["code"]) == (412, "precondition_failed")
    answer, content = ask(served.url, f"/jobs/{job.pk}/results/far", key | {"Range": "bytes=4-"})
    assert (answer.status, content) == (206, b"away")
    for store in ("default", "eu", "other"):
        assert ask(served.url, f"/-/files/{store}/results/small", key)[0].status == 404


def test_uploads_are_asked_about_before_their_bytes_are_taken(served: Web, key: dict[str, str]) -> None:
    for headers, status, code in (
        ({}, 401, "unauthorized"),
        ({"Authorization": f"Bearer {issue_key(None)}"}, 403, "forbidden"),
        ({"Host": "elsewhere.example"}, 400, "bad_host"),
    ):
        for address in ("/scenarios", "/scenarios/my.town/versions"):
            answer, content = answer_to(served.url, stalled.form(address, 100_000_000, **headers))
            assert (answer.status, json.loads(content)["error"]["code"]) == (status, code)
    for address in ("/scenarios", "/scenarios/my.town/versions"):
        answer, content = answer_to(served.url, stalled.form(address, settings.SCENARIO_MAX_BYTES * 2, **key))
        assert (answer.status, json.loads(content)["error"]["code"]) == (413, "zip.too_big")


def test_what_else_a_request_says_is_not_asked_about_before_an_upload(served: Web, key: dict[str, str]) -> None:
    assert ask(served.url, "/scenarios", key | {"Accept": "text/html"})[0].status == 406
    answer, content = answer_to(served.url, stalled.form("/scenarios", 100_000_000, Accept="text/html"))
    assert (answer.status, json.loads(content)["error"]["code"]) == (401, "unauthorized")


def test_uploads_at_a_page_are_asked_about_too(served: Web, job: Job) -> None:
    viewer, engineer = (_session_of(job, role) for role in ("viewer", "engineer"))
    for address, cookie, size, status, code in (
        ("/t/city-a/upload", "", 100_000_000, 401, "unauthorized"),
        ("/t/city-a/upload", viewer, 100_000_000, 403, "forbidden"),
        ("/t/city-b/upload", engineer, 100_000_000, 403, "forbidden"),
        ("/t/city-a/upload", engineer, settings.SCENARIO_MAX_BYTES * 2, 413, "zip.too_big"),
    ):
        answer, content = answer_to(served.url, stalled.form(address, size, Cookie=f"sessionid={cookie}"))
        assert (answer.status, json.loads(content)["error"]["code"]) == (status, code)
    came = {"Cookie": f"sessionid={engineer}", "Accept": "application/json"}
    answer, _ = ask(served.url, "/t/city-a/upload", came, "POST", b"")
    assert answer.status == 403  # it came through, and has no token of the page


def _session_of(job: Job, role: str) -> str:
    user = User.objects.create_user(role)
    Member.objects.create(tenant=job.tenant, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def answer_to(url: str, request: bytes) -> tuple[http.client.HTTPResponse, bytes]:
    """What is answered to these bytes, though they are no whole request."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as wire:
        wire.sendall(request)
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        return answer, answer.read()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET /a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 400),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /-/files/default/results/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n", 413),
        (b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        # These nginx passes on, and gunicorn cannot read them.
        (b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nX: a\x01\r\n\r\n", 400),
        (b"GET /jobs\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /jobs HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_what_the_servers_refuse_has_the_shape_of_every_error(request_: bytes, status: int, served: Web) -> None:
    answer, content = answer_to(served.url, request_)
    assert answer.status == status
    error = json.loads(content)["error"]
    assert error.keys() == {"code", "message", "details"}
    assert len(answer.headers["X-Request-ID"]) == 32


def test_no_log_has_the_secret_of_a_link(job: Job, capfd: pytest.CaptureFixture[str]) -> None:
    with web() as running:
        for path in ("/join", "/shared", "/password/new", "/elsewhere"):
            asked = f"POST {path}?key=secret-of{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n"
            assert answer_to(running.url, asked.encode())[0].status == 413
    told = "".join(capfd.readouterr())
    assert "secret-of/elsewhere" in told  # so nginx does tell of what it refuses
    assert told.count("secret-of") == 1

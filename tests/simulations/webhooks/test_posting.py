"""One POST: certificates, slow and talkative receivers, redirects."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from simulations.webhooks import posting
from simulations.webhooks.posting import MAX_HEAD, EndpointAnswer, post
from tests.simulations.webhooks.conftest import Receiver

Serve = Callable[[Callable[[socket.socket], None]], str]


def test_what_arrives(receiver: Receiver, loopback_allowed: None) -> None:
    assert post(receiver.url, b"{}", {"webhook-id": "msg_1"}) == EndpointAnswer(200)
    [(headers, body)] = receiver.got
    assert body == b"{}"
    assert (headers["webhook-id"], headers["content-type"]) == ("msg_1", "application/json")
    assert headers["host"] == receiver.url.split("/")[2]


def test_inside_is_not_called(receiver: Receiver) -> None:
    assert post(receiver.url, b"{}", {}).problem == "The host's address is not a public one."
    assert receiver.got == []


@pytest.mark.parametrize("status, problem", [(302, "redirects are not followed"), (500, "was 500"), (410, "was 410")])
def test_other_answers(receiver: Receiver, loopback_allowed: None, status: int, problem: str) -> None:
    receiver.status, receiver.headers = status, {"Location": "http://169.254.169.254/", "Retry-After": "120"}
    answer = post(receiver.url, b"{}", {})
    assert (answer.status, answer.is_delivered, answer.retry_after_s) == (status, False, 120)
    assert problem in answer.problem
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "text, seconds",
    [("0", 0), ("99999999999", 86_400), ("Fri, 31 Dec 1999 23:59:59 GMT", 0), ("soon", None), ("-1", None), ("", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert posting._retry_after(text) == seconds


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server of one connection that does as it is told."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def start(answer: Callable[[socket.socket], None]) -> str:
        def run() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):  # the caller has gone, as it should
                answer(connection)

        threads.append(threading.Thread(target=run))
        threads[0].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    for thread in threads:
        thread.join(10)
    listener.close()


def test_a_receiver_that_drips_is_left_at_the_deadline(serve: Serve, loopback_allowed: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(posting, "DEADLINE_S", 0.3)
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not gone.wait(0.05):
            connection.sendall(b"y")

    try:
        assert "No answer within" in post(serve(drip), b"{}", {}).problem
    finally:
        gone.set()


@pytest.mark.parametrize(
    "said, status",
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10 * MAX_HEAD, 200),
        (b"HTTP/1.1 204 No Content\r\n\r\n" + b"body" * 10_000, 204),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300 + b"\r\n", None),
        (b"SSH-2.0-OpenSSH\r\n", None),
        (b"HTTP/1.1 2", None),
        (b"", None),
        (b"HTTP/1.1 -20 \r\n\r\n", None),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None),
    ],
)
def test_whatever_is_answered_little_is_read(serve: Serve, loopback_allowed: None, said: bytes, status: int | None):
    answer = post(serve(lambda connection: connection.sendall(said)), b"{}", {})
    assert answer.status == status
    assert bool(answer.problem) == (status is None)


def test_https_proves_the_hosts_name_at_the_vetted_address(serve: Serve, tmp_path: Path, settings: Any, monkeypatch):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    asked = ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example", "-days", "1"]
    made = [
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    subprocess.run(["openssl", "req", *made, *asked], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    names: list[str | None] = []
    server.sni_callback = lambda _, name, __: names.append(name)
    ours = ssl.create_default_context(cafile=str(certificate))
    lookups: list[str] = []

    def resolve(host: str) -> list[Any]:  # what a rebinding resolver would answer the second time
        lookups.append(host)
        return [ip_address("127.0.0.1") if len(lookups) == 1 else ip_address("169.254.169.254")]

    monkeypatch.setattr(posting.destinations, "_resolve", resolve)

    def answer(connection: socket.socket) -> None:
        with server.wrap_socket(connection, server_side=True) as own:
            own.recv(4096)
            own.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    port = serve(answer).rsplit(":", 1)[1]
    assert post(f"https://hooks.example:{port}", b"{}", {}, context=ours) == EndpointAnswer(200)
    assert (names, lookups) == (["hooks.example"], ["hooks.example"])


def test_a_certificate_that_nobody_vouches_for(serve: Serve, tmp_path: Path, settings: Any):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1"]
    files = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run(["openssl", "req", *made, *files], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    url = serve(lambda connection: server.wrap_socket(connection, server_side=True).close())
    assert post(url.replace("http:", "https:"), b"{}", {}).problem == "The host's certificate is not valid."

"""A receiver of the test's own, on the loopback address, which is allowed here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import pytest
from pytest_django import Settings


@dataclass
class Receiver:
    """Answers as it is told to, and keeps what it got."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    holds: threading.Event = field(default_factory=threading.Event)  # answers wait for it

    def __post_init__(self) -> None:
        self.holds.set()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as own:
        yield own


@contextmanager
def receiving() -> Iterator[Receiver]:
    own = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            own.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            own.holds.wait(10)
            self.send_response(own.status)
            for name, value in own.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    own.url = f"http://127.0.0.1:{server.server_port}/hook?team=bus"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield own
    finally:
        own.holds.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def loopback_allowed(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]

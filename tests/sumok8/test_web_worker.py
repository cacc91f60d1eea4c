"""gunicorn keeps the connections that nginx keeps, and none of them keeps a thread from others."""

import contextlib
import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.simulations.served import Web, web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
THREADS = 3


@pytest.fixture(scope="module")
def served(django_db_setup: None) -> Iterator[Web]:
    with web(WEB_THREADS=str(THREADS)) as running:
        yield running


def status(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def sockets(pid: int) -> set[str]:
    return {link for fd in Path(f"/proc/{pid}/fd").iterdir() if (link := str(fd.readlink())).startswith("socket:")}


def test_one_after_the_other_come_over_one_connection(served: Web) -> None:
    at_first, seen = sockets(served.worker), set()
    with contextlib.closing(http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=10)) as client:
        for _ in range(6):
            assert status(client) == 200
            seen |= sockets(served.worker) - at_first
    assert len(seen) == 1


def test_more_connections_than_threads(served: Web) -> None:
    with contextlib.ExitStack() as kept:
        clients = [http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=10) for _ in range(4 * THREADS)]
        for client in clients:
            kept.enter_context(contextlib.closing(client))
        for _ in range(2):
            for client in clients:
                client.request("GET", "/healthz")
            answers = [client.getresponse() for client in clients]
            assert [(answer.status, bool(answer.read())) for answer in answers] == [(200, True)] * len(clients)

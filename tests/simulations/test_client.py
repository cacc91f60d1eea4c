"""The small client goes on by itself when the service was away for a moment."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from simulations.client import ApiProblem, Client

ERROR = {"error": {"code": "database_unreachable", "message": "The database does not answer.", "details": []}}
RUNNING = {"status": "RUNNING", "message": "", "progress": None}
DONE = {"job_id": "j", "status": "SUCCEEDED", "message": "Done.", "progress": None}
Answer = tuple[int, Any]


@pytest.fixture
def service() -> Iterator[Callable[..., tuple[str, list[str | None]]]]:
    """Give it its answers, one a request: (its address, the Last-Event-ID of each request). Text is a cut stream."""
    servers: list[ThreadingHTTPServer] = []

    def serve(*answers: Answer) -> tuple[str, list[str | None]]:
        left, asked = list(answers), []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.headers.get("Last-Event-ID"))
                status, content = left.pop(0)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(content.encode() if isinstance(content, str) else json.dumps(content).encode())

            def log_message(self, *args: Any) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}", asked

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_moment_without_the_service_is_waited_out(service: Any, status: int) -> None:
    url, _ = service((200, RUNNING), (status, ERROR), (200, DONE))
    assert [job["status"] for job in Client(url, "k").watch("j", every_s=0.01)] == ["RUNNING", "SUCCEEDED"]


def test_patience_ends_and_a_refusal_has_none(service: Any) -> None:
    url, _ = service((503, ERROR), (404, ERROR))
    with pytest.raises(ApiProblem, match="database"):
        list(Client(url, "k").watch("j", every_s=0.01, patience_s=0))
    with pytest.raises(ApiProblem):
        list(Client(url, "k").follow_log("j", every_s=0.01))
    with pytest.raises(ApiProblem, match="does not go on"):
        list(Client("http://127.0.0.1:9", "k").follow_log("j", every_s=0.01, patience_s=0))


LOG: list[Answer] = [
    (200, "event: note\ndata: Waiting.\n\nid: p1\ndata: one\n\n: still following\n\nid: p2\ndata: tw"),
    (503, ERROR),
    (200, "id: p2\ndata: two\n\nevent: cut\ndata: Cut off here.\n\n"),
    (200, "id: end\nevent: end\ndata: The job has ended.\n\n"),
]


def test_a_log_goes_on_after_its_last_whole_line(service: Any) -> None:
    url, asked = service(*LOG)
    lines = list(Client(url, "k").follow_log("j", every_s=0.01))
    assert lines == ["# Waiting.", "one", "two", "# The job has ended."]
    assert asked == [None, "p1", "p1", "p2"]


def test_watch_job_follows_a_log(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUMOK8_KEY", "k")
    url, _ = service(LOG[-1], (200, DONE), (200, {"kpis": {"teleports": 3}}))
    out = StringIO()
    call_command("watch_job", "j", "--log", "--url", url, stdout=out)
    assert out.getvalue().startswith("# The job has ended.\nSUCCEEDED. Done.\n")
    url, _ = service(LOG[-1], (200, DONE | {"status": "FAILED"}), (200, {}))
    with pytest.raises(CommandError, match="FAILED"):
        call_command("watch_job", "j", "--log", "--url", url, stdout=out)

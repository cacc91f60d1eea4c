"""The client against the service's own web, and against a stand-in that answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pytest_django.live_server_helper import LiveServer

from client import Client
from client.commands.main import main
from tenants.models import Tenant
from tests.factories import issue_key
from tests.simulations.scenarios import CONFIG, NET, ROUTES


@pytest.fixture
def key(tenant: Tenant) -> str:
    return issue_key(tenant)


@pytest.fixture
def service(live_server: LiveServer, key: str) -> Client:
    """The tenant's client of the live service."""
    return Client(live_server.url, key, patience_s=5)


@pytest.fixture
def sumok8(live_server: LiveServer, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line, with the live service in its environment; run in an empty folder."""
    for name, value in {"URL": live_server.url, "API_KEY": key, "CONFIG": str(tmp_path / "profiles.json")}.items():
        monkeypatch.setenv(f"SUMOK8_{name}", value)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return lambda *arguments, **more: CliRunner().invoke(
        main, [str(each) for each in arguments], catch_exceptions=False, **more
    )


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A folder with a scenario and with what it does not need."""
    folder = tmp_path / "town"
    (folder / "old").mkdir(parents=True)
    (folder / "run.sumocfg").write_text(CONFIG.format(net="net.net.xml", begin=0, end=100))
    (folder / "net.net.xml").write_text(NET)
    (folder / "demand.rou.xml").write_text(ROUTES)
    (folder / "tripinfo.xml").write_text("<tripinfos/>")
    (folder / "old" / "notes.txt").write_text("Not needed.")
    return folder


Answer = tuple[int, Any]  # status and JSON, or the bytes of a body
Asked = list[dict[str, Any]]


@pytest.fixture
def stand_in() -> Iterator[Callable[..., tuple[str, Asked]]]:
    """Give it its answers, one a request: (its address, what it was asked). An answer may have headers as its third
    part; one whose Content-Length is more than its body is cut off there."""
    servers: list[ThreadingHTTPServer] = []

    def serve(*answers: Any) -> tuple[str, Asked]:
        left, asked = list(answers), []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked.append({"path": self.path, "body": body, **dict(self.headers)})
                status, content, *more = left.pop(0) if left else (500, {})
                if not isinstance(content, bytes | str):
                    content = json.dumps(content)
                self.send_response(status)
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content.encode() if isinstance(content, str) else content)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}", asked

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()

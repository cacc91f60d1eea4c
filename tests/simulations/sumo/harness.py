"""The runner as the pod starts it, against a real HTTP server that stands for the control plane."""

import hashlib
import io
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from tests.last_will import MARK

TOKEN = "job-token-that-must-not-leak"
ROOT = Path(__file__).parents[3]
# Later than a test stops the run, and yet soon: the dry run before it reads all of the demand.
TOO_LATE = 20_000
ENDLESS = f'<routes><flow id="f" from="A0B0" to="B2C2" begin="0" end="{TOO_LATE}" period="2"/></routes>'


def make_zip(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class FakeControlPlane(ThreadingHTTPServer):
    """Stores artifacts by name; `script` may answer a request first: (method, path) -> status, "reset", "cut", a place
    to go on to, or None."""

    daemon_threads = True

    def __init__(self, scenario: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scenario = scenario
        self.script: Callable[[str, str], int | str | None] = lambda method, path: None
        self.presigned = False
        self.artifacts: dict[str, bytes] = {}
        self.progress: list[dict] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bucket = self
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeControlPlane

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _handle(self) -> None:
        plane = self.server
        path = unquote(urlsplit(self.path).path)
        plane.requests.append((self.command, path, dict(self.headers)))
        scripted = plane.script(self.command, path)
        if scripted == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
            return
        if scripted == "cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(plane.scenario)))
            self.end_headers()
            self.wfile.write(plane.scenario[:-1])
            self.close_connection = True
            return
        if isinstance(scripted, str):
            self._answer(307, location=scripted)
            return
        if isinstance(scripted, int):
            self._answer(scripted, b'{"error": {"code": "scripted"}}', close=True)
            return
        if path.startswith("/bucket/"):
            self._bucket(path)
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, b"who are you?", close=True)
        elif path.endswith("/scenario") and plane.presigned:
            self._answer(302, location=f"{plane.bucket.url}/bucket/scenario.zip?signature=x")
        elif path.endswith("/scenario"):
            self._answer(200, plane.scenario)
        elif path.endswith("/progress"):
            plane.progress.append(json.loads(self._body()))
            self._answer(204)
        else:
            self._artifact(path.split("/artifacts/", 1)[1])

    do_GET = do_PUT = do_POST = _handle

    def _artifact(self, name: str) -> None:
        plane = self.server
        wanted = self.headers["X-Content-SHA256"]
        if self.command == "POST":
            self._body()
            stored = plane.bucket.artifacts[name]
            assert len(stored) == int(self.headers["X-Size"])
            plane.artifacts[name] = stored
            self._answer(201)
        elif plane.presigned:
            self._answer(307, location=f"{plane.bucket.url}/bucket/{quote(name)}?signature=x", close=True)
        else:
            body = self._body()
            assert hashlib.sha256(body).hexdigest() == wanted
            before = plane.artifacts.get(name)
            if before is not None and before != body:
                self._answer(409, b"other bytes")
            else:
                plane.artifacts[name] = body
                self._answer(201 if before is None else 200)

    def _bucket(self, path: str) -> None:
        assert "Authorization" not in self.headers, "the token went to the object store"
        if self.command == "GET":
            self._answer(200, self.server.scenario)
        else:
            self.server.artifacts[path.removeprefix("/bucket/")] = self._body()
            self._answer(200)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: bytes = b"", *, location: str | None = None, close: bool = False) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)


@dataclass
class Finished:
    """What a run left behind."""

    code: int
    stdout: str
    stderr: str
    message: dict
    artifacts: dict[str, bytes]
    work: Path

    @property
    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    def of(self, event: str) -> list[dict]:
        return [each for each in self.events if each["event"] == event]

    @property
    def manifest(self) -> dict:
        return json.loads(self.artifacts["manifest.json"])

    @property
    def error_codes(self) -> list[str]:
        return [error["code"] for error in self.message["errors"]]


@dataclass
class Pod:
    """Starts the runner like a pod: its own work folder and only the environment of the contract."""

    folder: Path
    plane: FakeControlPlane
    sumo_environment: Mapping[str, str]
    extra_environment: dict[str, str] = field(default_factory=dict)

    def description(self, **changes: object) -> dict:
        limits = {
            "wall_s": 60,
            "output_bytes": 50_000_000,
            "unpacked_bytes": 50_000_000,
            "files": 100,
        } | changes.pop("limits", {})
        scenario = {
            "scenario_id": "tiny",
            "version": 1,
            "sha256": hashlib.sha256(self.plane.scenario).hexdigest(),
            "config": None,
        } | changes.pop("scenario", {})
        return {
            "v": 1,
            "job_id": str(uuid.uuid4()),
            "attempt": 1,
            "scenario": scenario,
            "seed": 7,
            "begin": None,
            "end": None,
            "step_length": None,
            "scale": None,
            "options": {},
            "outputs": [],
            "emissions": False,
            "summary_period_s": 60,
            "progress_s": 0.01,
            "limits": limits,
        } | changes

    def start(self, **changes: object) -> "subprocess.Popen[str]":
        description = self.description(**changes)
        work = self.folder / "work"
        work.mkdir(parents=True, exist_ok=True)
        environment = {
            "SCENARIO_ID": "tiny",
            "JOB_ID": description["job_id"],
            "SUMOK8_URL": self.plane.url,
            "SUMOK8_TOKEN": TOKEN,
            "SUMOK8_JOB": json.dumps(description),
            "WORK_DIR": str(work),
            "TMPDIR": str(self.folder),
            "HOME": str(self.folder),
            "TERMINATION_MESSAGE_PATH": str(self.folder / "termination-log"),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            MARK: os.environ[MARK],
            **self.sumo_environment,
            **self.extra_environment,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "simulations.sumo"],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: "subprocess.Popen[str]", *, timeout: float = 60, before: str = "") -> Finished:
        with process:
            stdout, stderr = process.communicate(timeout=timeout)
        message = json.loads((self.folder / "termination-log").read_text())
        return Finished(
            process.returncode, before + stdout, stderr, message, self.plane.artifacts, self.folder / "work"
        )

    def run(self, **changes: object) -> Finished:
        return self.finish(self.start(**changes))

    def run_and_stop(self, when: str, **changes: object) -> Finished:
        """SIGTERM as soon as a line on stdout matches the pattern `when`."""
        process = self.start(**changes)
        assert process.stdout
        seen = ""
        while not re.search(when, seen):
            line = process.stdout.readline()
            assert line, f"ended before {when!r}: {seen}"
            seen += line
        process.send_signal(signal.SIGTERM)
        return self.finish(process, before=seen)


def wait_for(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)

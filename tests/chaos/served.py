"""The web as deployed, on the tests' database, and a client that sends bytes as they are."""

import contextlib
import http.client
import json
import os
import socket
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.chaos.stage import until
from tests.ports import free_port
from tests.sumok8.web_processes import start_web, workers_of

SEED = int(os.environ.get("CHAOS_SEED", "20261123"))
BODIES = int(os.environ.get("CHAOS_JOBS", "150"))  # made up at random, beside those that are written down
MEMORY_MIB = 250  # above what it used when the first request came: archives of gibibytes must not be in it
GUNICORN_REFUSES = b"<html>\n  <head>\n    <title>"
PATIENCE_S = 60.0  # far beyond any answer; a hang is a failure


@dataclass(frozen=True)
class Answer:
    status: int  # 0: the connection was closed without an answer
    body: bytes
    seconds: float

    def code(self) -> str:
        """The error's code. Raises AssertionError if the body has not the one shape that errors have."""
        error = json.loads(self.body)["error"]
        assert set(error) == {"code", "message", "details"}, error
        assert error["code"], error
        assert error["message"], error
        assert all(detail["code"] and detail["message"] for detail in error["details"]), error
        return str(error["code"])


class Served:
    def __init__(self, folder: Path, *, key: str) -> None:
        self.key = key  # the Authorization header of a tenant
        self.port = free_port()
        url = os.environ["DATABASE_URL"].rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
        own = {"DATABASE_URL": url, "BIND": f"127.0.0.1:{self.port}", "WEB_WORKERS": "1", "WEB_THREADS": "8"}
        self.log = folder / "web.log"
        with self.log.open("wb") as log:
            self.process = start_web(os.environ | own, stdout=log, stderr=log)
        until(self._listens, "the web answers", 60)

    def _listens(self) -> bool:
        try:
            return self.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status == 200
        except ConnectionRefusedError:
            return False

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()

    def peak_mib(self) -> float:
        """Of the largest of gunicorn's workers."""
        return max(_peak_kib(pid) for pid in workers_of(self.process)) / 1024

    def send(self, raw: bytes) -> Answer:
        """Bytes as they are on a connection of their own."""
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as wire:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has answered and closed already
                wire.sendall(raw)
            answer = http.client.HTTPResponse(wire)
            try:
                answer.begin()
                body = answer.read()
            except (http.client.HTTPException, ConnectionResetError):
                return Answer(0, b"", time.monotonic() - begun)
        return Answer(answer.status, body, time.monotonic() - begun)

    def request(self, method: str, path: str, body: bytes = b"", **headers: Any) -> Answer:
        """A well-formed request, whatever its parts hold; a header's value may be bytes."""
        fields = {"Host": "localhost", "Connection": "close", "Content-Length": str(len(body))}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = f"{method} {path} HTTP/1.1\r\n".encode("latin-1")
        for name, value in fields.items():
            text = value if isinstance(value, bytes) else str(value).encode()
            head += name.encode() + b": " + text + b"\r\n"
        return self.send(head + b"\r\n" + body)


def _peak_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


class Report:
    """What came back, and the worst of it; told at the end."""

    def __init__(self, served: Served) -> None:
        self.served, self.before = served, served.peak_mib()
        self.codes: Counter[str] = Counter()
        self.slowest = 0.0

    def take(self, answer: Answer, sent: object) -> None:
        assert 200 <= answer.status < 500, (answer, sent, self.served.log.read_text()[-2000:])
        self.slowest = max(self.slowest, answer.seconds)
        code = "accepted"
        if answer.status >= 400 and answer.body.startswith(GUNICORN_REFUSES):
            code = f"gunicorn {answer.status}"  # bytes that HTTP itself forbids never come to the product
        elif answer.status >= 400:
            code = answer.code()
        self.codes[code] += 1

    def tell(self, what: str, capsys: pytest.CaptureFixture[str]) -> None:
        grown = self.served.peak_mib() - self.before
        with capsys.disabled():
            counts = ", ".join(f"{code} {count}" for code, count in self.codes.most_common())
            print(
                f"\nhostile {what}: seed {SEED}, slowest {self.slowest:.2f} s, memory +{grown:.0f} MiB; {counts}",
                end="",
            )
        assert grown < MEMORY_MIB

"""The web as it is deployed, killable at any instant, and a client that asks again until it is answered."""

import contextlib
import http.client
import json
import os
import random
import signal
import time
import uuid
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.sumok8.web_processes import start_web, workers_of

CLIENTS = 4
AGAIN_AFTER_S = 0.1
PATIENCE_S = 120.0  # with a machine this busy; a request that is never answered breaks a rule


@dataclass(frozen=True)
class Answer:
    status: int
    json: Any
    tries: int  # more than one: an earlier one may have been carried out and its answer lost


class Web:
    """nginx and gunicorn with their own settings. `calls` are made by a few threads: kills meet requests under way."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "web.log"
        self.statuses: Counter[int] = Counter()  # 0: no answer
        self.calls: list[Future[Any]] = []
        self._clients = ThreadPoolExecutor(CLIENTS)
        self.start()

    def start(self) -> None:
        own = {"BIND": f"127.0.0.1:{self.port}", "WEB_WORKERS": "2", "WEB_THREADS": "8", "PYTHONWARNINGS": "ignore"}
        with self.log.open("ab") as log:
            self._process = start_web(os.environ | own, stdout=log, stderr=log, start_new_session=True)

    def kill(self) -> None:
        """All of it, as with its machine."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def kill_worker(self, rng: random.Random) -> None:
        """As the kernel does when memory is short; the master starts another."""
        with contextlib.suppress(OSError):
            if workers := workers_of(self._process):
                os.kill(rng.choice(workers), signal.SIGKILL)

    def close(self) -> None:
        self._clients.shutdown(cancel_futures=True)
        self.kill()

    def soon(self, call: Any, *arguments: Any) -> None:
        self.calls.append(self._clients.submit(call, *arguments))

    def post(self, path: str, key: str, body: Any = None) -> Answer:
        """Again until the answer is one that the product means: the same Idempotency-Key each time. Raises
        TimeoutError."""
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        deadline = time.monotonic() + PATIENCE_S
        tries = 0
        while time.monotonic() < deadline:
            tries += 1
            status, data = self._once(path, headers, json.dumps(body).encode() if body is not None else b"")
            self.statuses[status] += 1
            if 0 < status < 500:
                return Answer(status, json.loads(data), tries)
            time.sleep(AGAIN_AFTER_S)
        raise TimeoutError(f"POST {path} was not answered within {PATIENCE_S} s")

    def upload(self, key: str, name: str, archive: bytes) -> Answer:
        """Once: what becomes of it is the question."""
        part = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        body = (
            part % (b"scenario_id", b"", name.encode())
            + part % (b"file", b'; filename="f.zip"', archive)
            + b"--b--\r\n"
        )
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "multipart/form-data; boundary=b"}
        status, data = self._once("/scenarios", headers, body)
        self.statuses[status] += 1
        return Answer(status, json.loads(data) if data else None, 1)

    def _once(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

"""The runner's side of the conversation with the control plane: scenario in, artifacts and progress out.

Standard library only. The job's token is sent to the control plane and to nobody else: a redirect to a presigned URL
is followed without it.
"""

import base64
import errno
import hashlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urljoin, urlsplit

CHUNK = 1024 * 1024
TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
MAX_REDIRECTS = 3
PROGRESS_TIMEOUT_S = 5.0
REDIRECTS = (301, 302, 303, 307, 308)
CHECKSUM = "x-amz-checksum-sha256"
JOB_IS_OVER = (401, 403, 404, 410)

NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

T = TypeVar("T")
Deadline = Callable[[], float]
Told = Callable[[str | None], None]


class RefusedByService(Exception):
    """The control plane answered, and asking again would not help."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def job_is_over(self) -> bool:
        return self.status in JOB_IS_OVER


class Unreachable(Exception):
    """No usable answer until the deadline."""


@dataclass(frozen=True)
class Answer:
    status: int
    location: str | None
    detail: str


class ControlPlane:
    """HTTP client for one job. `deadline` is asked again before every try (`time.monotonic()`): a signal moves it.

    `told` hears the words of each try that failed, and None once a later one succeeds.
    """

    def __init__(
        self,
        base_url: str,
        *,
        job_id: str,
        token: str,
        attempt: int,
        first_pause_s: float = FIRST_PAUSE_S,
        told: Told = lambda words: None,
    ) -> None:
        self._base = f"{base_url.rstrip('/')}/runner/jobs/{quote(job_id)}"
        self._token = token
        self._attempt = attempt
        self._first_pause_s = first_pause_s
        self._told = told
        self._host = ""  # who was asked last: a redirect may lead to an object store

    def fetch_scenario(self, target: Path, *, max_bytes: int, deadline: Deadline) -> str:
        """Store the archive at `target` and return its SHA-256 (hex). Raises Refused, Unreachable, OSError (disk)."""
        return self._retry(lambda: self._download(f"{self._base}/scenario", target, max_bytes), deadline)

    def upload(self, path: Path, name: str, *, sha256: str, deadline: Deadline) -> None:
        """Store one artifact, once: repeating it with the same bytes is safe. Raises Refused, Unreachable."""
        url = f"{self._base}/artifacts/{quote(name)}"
        size = path.stat().st_size
        headers = {"X-Content-SHA256": sha256, "X-Attempt": str(self._attempt), "X-Accept-Checksum": "sha256"}

        def attempt() -> None:
            answer = self._send("PUT", url, headers=headers, body=path)
            if answer.status in REDIRECTS and answer.location:
                target = urljoin(url, answer.location)
                stored = self._send("PUT", target, headers=_signed(target, sha256), body=path, redirected=True)
                _expect(stored, 200, 201, 204)
                answer = self._send("POST", url, headers=headers | {"X-Size": str(size), "Content-Length": "0"})
            _expect(answer, 200, 201)

        self._retry(attempt, deadline)

    def post_progress(self, record: Mapping[str, Any]) -> None:
        """Once, no retry: the next record is better than this one. Raises OSError, http.client.HTTPException."""
        body = json.dumps(record).encode()
        headers = {"Content-Type": "application/json"}
        self._send("POST", f"{self._base}/progress", headers=headers, body=body, timeout_s=PROGRESS_TIMEOUT_S)

    def _retry(self, call: Callable[[], T], deadline: Deadline) -> T:
        """Again after 5xx, 408, 429, broken and refused connections, with growing pauses, until the deadline."""
        pause = self._first_pause_s
        last = ""
        while time.monotonic() < deadline():
            try:
                result = call()
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, OSError) and error.errno in DISK_FULL:
                    raise
                last = words_of(error, self._host)
            except _TryAgain as error:
                last = f"{self._host} answers {error}"
            else:
                if last:
                    self._told(None)
                return result
            self._told(last)
            time.sleep(max(0.0, min(pause, deadline() - time.monotonic())))
            pause = min(pause * 2, LONGEST_PAUSE_S)
        raise Unreachable(last or "no time was left to try")

    def _download(self, url: str, target: Path, max_bytes: int) -> str:
        for hop in range(MAX_REDIRECTS + 1):
            connection, path = self._connect(url, TIMEOUT_S)
            try:
                connection.request("GET", path, headers=self._headers(redirected=hop > 0))
                response = connection.getresponse()
                location = response.getheader("Location")
                if response.status in REDIRECTS and location:
                    url = urljoin(url, location)
                    continue
                if response.status != 200:
                    _expect(_answer(response), 200)
                return _store(response, target, max_bytes)
            finally:
                connection.close()
        raise RefusedByService(310, "The control plane redirects in circles.")

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: Path | bytes | None = None,
        timeout_s: float = TIMEOUT_S,
        redirected: bool = False,
    ) -> Answer:
        connection, target = self._connect(url, timeout_s)
        all_headers = self._headers(redirected) | dict(headers)
        try:
            try:
                if isinstance(body, Path):
                    all_headers["Content-Length"] = str(body.stat().st_size)
                    with body.open("rb") as stream:
                        connection.request(method, target, body=stream, headers=all_headers)
                else:
                    connection.request(method, target, body=body, headers=all_headers)
            except (BrokenPipeError, ConnectionResetError) as error:
                # A server may answer (redirect, refuse) and hang up without reading the body: its answer counts.
                # http.client would not let us ask for it in its half-sent state, so the bytes are parsed here.
                try:
                    response = http.client.HTTPResponse(connection.sock, method=method)
                    response.begin()
                except (OSError, http.client.HTTPException):
                    raise error from None
                return _answer(response)
            return _answer(connection.getresponse())
        finally:
            connection.close()

    def _headers(self, redirected: bool) -> dict[str, str]:
        """Object stores refuse a presigned request that carries another authorization, besides learning the token."""
        return {} if redirected else {"Authorization": f"Bearer {self._token}"}

    def _connect(self, url: str, timeout_s: float) -> tuple[http.client.HTTPConnection, str]:
        """An open connection: where a policy drops packets, that is known sooner than a slow answer."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RefusedByService(400, f"Not an HTTP address: {parts.scheme}://{parts.netloc}")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._host = parts.hostname
        connection = kind(parts.hostname, parts.port, timeout=min(timeout_s, CONNECT_TIMEOUT_S), blocksize=CHUNK)
        connection.connect()
        connection.sock.settimeout(timeout_s)
        return connection, path


def _signed(url: str, sha256: str) -> dict[str, str]:
    """The checksum header, if a presigned URL wants it: one that it did not sign would be refused."""
    signed = parse_qs(urlsplit(url).query).get("X-Amz-SignedHeaders", [""])[0].split(";")
    return {CHECKSUM: base64.b64encode(bytes.fromhex(sha256)).decode()} if CHECKSUM in signed else {}


class _TryAgain(Exception):
    pass


def words_of(error: OSError | http.client.HTTPException, host: str) -> str:
    """Why `host` could not be asked, in words that tell an operator where to look."""
    if isinstance(error, socket.gaierror):
        return f"name not resolved: {host} ({error.strerror})"
    if isinstance(error, ConnectionRefusedError):
        return f"{host} refuses the connection"
    if isinstance(error, TimeoutError):
        return f"{host} does not answer"
    if isinstance(error, OSError) and error.errno in NO_ROUTE:
        return f"no route to {host}"
    return f"{host}: {type(error).__name__}: {error}"


def _answer(response: http.client.HTTPResponse) -> Answer:
    return Answer(response.status, response.getheader("Location"), response.read(500).decode("utf-8", "replace"))


def _expect(answer: Answer, *accepted: int) -> None:
    if answer.status in accepted:
        return
    sentence = f"HTTP {answer.status}: {answer.detail.strip()}"
    if answer.status >= 500 or answer.status in (408, 425, 429):
        raise _TryAgain(sentence)
    raise RefusedByService(answer.status, sentence)


def _store(response: http.client.HTTPResponse, target: Path, max_bytes: int) -> str:
    digest = hashlib.sha256()
    received = 0
    with target.open("wb") as stream:
        while chunk := response.read(CHUNK):
            received += len(chunk)
            if received > max_bytes:
                raise RefusedByService(413, f"The scenario is larger than {max_bytes} bytes.")
            digest.update(chunk)
            stream.write(chunk)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return digest.hexdigest()


class ProgressPoster:
    """Sends the newest progress record from a thread of its own, so that a slow control plane never slows SUMO."""

    def __init__(self, control_plane: ControlPlane, *, period_s: float) -> None:
        self._control_plane = control_plane
        self._period_s = period_s
        self._newest: Mapping[str, Any] | None = None
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="progress", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def offer(self, record: Mapping[str, Any]) -> None:
        self._newest = record
        self._changed.set()

    def stop(self) -> None:
        """Send the last record, whose turn had not come yet; waits for it no longer than one request may take."""
        self._stopped.set()
        self._changed.set()
        self._thread.join(PROGRESS_TIMEOUT_S)

    def _work(self) -> None:
        ending = False
        while not ending and self._changed.wait():
            self._changed.clear()
            ending = self._stopped.is_set()
            record, self._newest = self._newest, None
            if record is not None:
                with suppress(OSError, http.client.HTTPException, RefusedByService):
                    self._control_plane.post_progress(record)
            if not ending:
                self._stopped.wait(self._period_s)

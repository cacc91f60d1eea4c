"""A small client of the tenant API: what the demo and the operator commands use. Standard library only."""

import http.client
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

FINISHED = {"SUCCEEDED", "FAILED", "CANCELLED"}


class ApiProblem(Exception):
    """The service refused or could not be reached; `str()` is a sentence for people."""

    def __init__(self, message: str, *, status: int | None = None, details: list[dict[str, Any]] | None = None) -> None:
        lines = [message, *(f"  - {entry.get('message', entry)}" for entry in details or [])]
        super().__init__("\n".join(lines))
        self.status = status

    @property
    def passes(self) -> bool:
        """Whether asking again may help: the service is away, restarted, or asks for a little time."""
        return self.status in {None, 429, 502, 503, 504}


class Client:
    """Speaks to `base_url` with one tenant's key."""

    def __init__(self, base_url: str, key: str) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ApiProblem(f"{base_url!r} is not an http(s) address")
        self.base_url = base_url.rstrip("/")
        self._key = key

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        return self._call("POST", path, json.dumps(body or {}).encode(), headers)

    def download(self, path: str, to: IO[bytes]) -> None:
        """What is at `path`, a piece at a time."""
        try:
            with self._open("GET", path) as answer:
                shutil.copyfileobj(answer, to)
        except (OSError, http.client.HTTPException) as error:
            raise ApiProblem(f"{self.base_url} does not answer: {error}") from None

    def submit(self, body: Mapping[str, Any], *, idempotency_key: str | None = None) -> dict[str, Any]:
        """POST /jobs. The idempotency key makes a repeat after a broken connection safe."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return self._call("POST", "/jobs", json.dumps(body).encode(), headers)

    def upload(self, scenario_id: str, archive: Path) -> dict[str, Any]:
        """POST /scenarios with a zip that fits in memory."""
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="scenario_id"\r\n\r\n{scenario_id}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{archive.name}"\r\n'
            "Content-Type: application/zip\r\n\r\n"
        )
        data = head.encode() + archive.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        return self._call("POST", "/scenarios", data, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def watch(self, job_id: str, *, every_s: float = 0.5, patience_s: float = 60) -> Iterator[dict[str, Any]]:
        """The job again and again until it has ended; an unreachable service is asked again for `patience_s`."""
        answered = time.monotonic()
        while True:
            try:
                job = self.get(f"/jobs/{job_id}")
            except ApiProblem as problem:
                if not problem.passes or time.monotonic() - answered > patience_s:
                    raise
            else:
                answered = time.monotonic()
                yield job
                if job["status"] in FINISHED:
                    return
            time.sleep(every_s)

    def follow_log(
        self, job_id: str, *, readable: bool = True, every_s: float = 1.0, patience_s: float = 60
    ) -> Iterator[str]:
        """The job's log, line by line without line breaks, until the job has ended; lines that begin with `# ` are the
        service's own. A connection that ends before goes on after the last line, if the service is back within
        `patience_s`."""
        path = f"/jobs/{job_id}/logs?follow=1" + ("&readable=1" if readable else "")
        position, answered = "", time.monotonic()
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": position} if position else {})
            try:
                with self._open("GET", path, headers=headers) as answer:
                    for event in _events(answer):
                        answered = time.monotonic()
                        position = event.get("id", position)
                        kind = event.get("event", "line")
                        if kind not in {"cut", "life"}:
                            yield ("" if kind == "line" else "# ") + event["data"]
                        if kind == "end":
                            return
            except ApiProblem as problem:
                if not problem.passes:
                    raise
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() - answered > patience_s:
                raise ApiProblem(f"{self.base_url} does not go on with the log.")
            time.sleep(every_s)

    def _call(self, method: str, path: str, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
        try:
            with self._open(method, path, data, headers) as answer:
                return json.load(answer)
        except (OSError, ValueError) as error:
            raise ApiProblem(f"{self.base_url} does not answer: {error}") from None

    def _open(
        self, method: str, path: str, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        request = urllib.request.Request(self.base_url + path, data=data, method=method)  # noqa: S310 - checked above
        for name, value in {"Authorization": f"Bearer {self._key}", **(headers or {})}.items():
            request.add_header(name, value)
        try:
            return urllib.request.urlopen(request, timeout=60)  # noqa: S310
        except urllib.error.HTTPError as error:
            with error:
                raise _problem_of(error) from None


def _events(lines: Iterable[bytes]) -> Iterator[dict[str, str]]:
    """Server-sent events; one that was cut off is none. A comment says that the connection stands."""
    event: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(":")
        if name:
            value = value.removeprefix(" ")
            event[name] = f"{event['data']}\n{value}" if name == "data" and "data" in event else value
        elif value:
            yield {"event": "life", "data": value}
        else:
            if "data" in event:
                yield event
            event = {}


def _problem_of(error: urllib.error.HTTPError) -> ApiProblem:
    try:
        told = json.load(error)["error"]
        return ApiProblem(told["message"], status=error.code, details=told["details"])
    except (ValueError, KeyError, TypeError):
        return ApiProblem(f"The service answered {error.code} {error.reason}", status=error.code)

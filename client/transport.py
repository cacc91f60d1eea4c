"""One door to the network: the key, timeouts, and asking again when the service is away for a moment."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Callable, Union

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError

from .errors import ApiProblem

# Away, restarting, or busy: the same request again may be answered. A 429 says itself when (Retry-After).
PASSES = frozenset({429, 502, 503, 504})
TIMEOUT = urllib3.Timeout(connect=10, read=60)  # seconds; the service sends a sign of life in long answers
LONGEST_PAUSE_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024**2  # of JSON; files are streamed
REDIRECTS = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=3)  # storage may answer itself

Body = Union[bytes, Callable[[], Any], None]  # a function makes it anew for each try
Key = Union[str, Callable[[], str], None]  # a function gives the one to be used now; None where none is asked for


class Transport:
    """Requests to `base_url` with one key. Every request may be repeated: what creates something carries an
    Idempotency-Key, uploads are known by their content."""

    def __init__(self, base_url: str, key: Key, *, patience_s: float = 60.0) -> None:
        """`patience_s`: how long a service that does not answer is asked again."""
        parts = urllib.parse.urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ApiProblem(f"{base_url!r} is not an http(s) address.")
        self.base_url, self.patience_s, self._key = base_url.rstrip("/"), patience_s, key
        if not callable(key):
            self._headers()
        self._pool = _pool(parts)

    def json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer of one request, read as JSON; None if it is empty. Raises ApiProblem."""
        content = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if content is not None else {}
        return self.sent(method, with_query(path, query), content, {**kind, **(headers or {})})

    def sent(self, method: str, path: str, body: Body, headers: Mapping[str, str]) -> Any:
        """As `json`, for any body."""
        pauses = self.pauses()
        while True:
            try:
                with self._asked(method, path, body, headers) as answer:
                    content = answer.read(MAX_ANSWER_BYTES + 1)
                if len(content) > MAX_ANSWER_BYTES:
                    raise ApiProblem(f"The answer of {path} is longer than {MAX_ANSWER_BYTES} bytes.")
                return self._read(content)
            except (HTTPError, OSError) as error:
                pauses.next(self.unreachable(error))
            except _Passing as passing:
                pauses.next(passing.problem, passing.retry_after_s)

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str] | None = None, *, pauses: Pauses | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to a GET, to be read by the caller, who meets HTTPError or OSError if it is cut."""
        pauses = pauses or self.pauses()
        while True:
            try:
                answer = self._asked("GET", path, None, headers or {})
                break
            except (HTTPError, OSError) as error:
                pauses.next(self.unreachable(error))
            except _Passing as passing:
                pauses.next(passing.problem, passing.retry_after_s)
        with answer:
            yield answer

    def pauses(self) -> Pauses:
        """A fresh allowance of patience."""
        return Pauses(self.patience_s)

    def unreachable(self, error: Exception) -> ApiProblem:
        """What is told if nothing comes any more."""
        reason = getattr(error, "reason", None) or error
        return ApiProblem(f"{self.base_url} does not answer: {reason}")

    def _headers(self) -> dict[str, str]:
        key = self._key() if callable(self._key) else self._key
        if key is not None and (not key or any(not "!" <= sign <= "~" for sign in key)):
            raise ApiProblem("That is no API key: it is one word of plain letters, digits and signs.")
        named = {"User-Agent": "sumok8-client"}
        return named if key is None else {**named, "Authorization": f"Bearer {key}"}

    def _read(self, content: bytes) -> Any:
        try:
            return json.loads(content) if content else None
        except ValueError:
            raise ApiProblem(f"{self.base_url} did not answer as SUMO-K8 does; is the address right?") from None

    def _asked(self, method: str, path: str, body: Body, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        answer = self._pool.request(
            method,
            path if path.startswith(("http://", "https://")) else self.base_url + path,
            body=body() if callable(body) else body,
            headers={**self._headers(), **headers},
            timeout=TIMEOUT,
            retries=REDIRECTS,
            preload_content=False,
        )
        if answer.status < 400:
            return answer
        with answer:
            problem = _problem_of(answer)
        if answer.status in PASSES:
            raise _Passing(problem, _seconds(answer.headers.get("Retry-After")))
        raise problem


class Pauses:
    """Growing pauses until patience ends; `again` begins anew, once something has come."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self.again()

    def again(self) -> None:
        self._began, self._pause_s = time.monotonic(), 0.25

    def next(self, problem: ApiProblem, retry_after_s: float | None = None) -> None:
        """Wait a little. Raises `problem` where waiting as long as the service asks for would take too long, or where
        a limit (429) does not say that waiting helps."""
        pause = self._pause_s if retry_after_s is None else max(retry_after_s, 0.05)
        is_lasting = problem.status == 429 and retry_after_s is None
        if is_lasting or time.monotonic() + pause - self._began > self._patience_s:
            raise problem from None
        time.sleep(pause)
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)


class _Passing(Exception):
    """A refusal that may be gone in a moment."""

    def __init__(self, problem: ApiProblem, retry_after_s: float | None) -> None:
        super().__init__(str(problem))
        self.problem, self.retry_after_s = problem, retry_after_s


def with_query(path: str, query: Mapping[str, Any] | None) -> str:
    """`path` with the values that are given; a list is written once for each of its values."""
    given = {name: value for name, value in (query or {}).items() if value not in (None, (), [])}
    return f"{path}?{urllib.parse.urlencode(given, doseq=True)}" if given else path


def _pool(parts: urllib.parse.SplitResult) -> urllib3.PoolManager:
    """Through the proxy of the environment (HTTPS_PROXY, NO_PROXY), if there is one."""
    host = parts.hostname or ""
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(host):
        return urllib3.PoolManager(maxsize=8)
    try:
        return urllib3.ProxyManager(proxy, maxsize=8)
    except (HTTPError, LocationParseError) as error:
        raise ApiProblem(f"The proxy {proxy!r} of the environment cannot be used: {error}") from None


def _problem_of(answer: urllib3.BaseHTTPResponse) -> ApiProblem:
    try:
        whole = json.loads(answer.read(1024**2))
        told = whole["error"]
        if isinstance(told, str):  # an identity provider's, as OAuth has them
            said = str(whole.get("error_description") or f"The identity provider answered {told}.")
            return ApiProblem(said, status=answer.status, code=told)
        return ApiProblem(told["message"], status=answer.status, code=told["code"], details=told["details"])
    except (HTTPError, ValueError, KeyError, TypeError, AttributeError):
        return ApiProblem(f"The service answered {answer.status} {answer.reason or ''}".rstrip(), status=answer.status)


def _seconds(text: str | None) -> float | None:
    """Retry-After as seconds; a date, which this service never sends, counts as nothing said."""
    return float(text) if text and text.isdigit() and len(text) < 7 else None

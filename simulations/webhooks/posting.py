"""One POST to a stranger's server, bounded in every way: where it leads, how long it takes, how much is read."""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenants.egress import destinations
from tenants.egress.connecting import connect, left
from tenants.egress.destinations import Destination, NotAllowed

DEADLINE_S = 15.0  # of everything after the name is resolved
MAX_HEAD = 8 * 1024  # bytes of status line and headers; the body is not read
MAX_RETRY_AFTER_S = 24 * 3600


@dataclass(frozen=True)
class EndpointAnswer:
    """What came of it. `problem` is ours to tell; of the receiver only status and Retry-After are kept."""

    status: int | None = None
    problem: str = ""
    retry_after_s: float | None = None

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: bytes, headers: Mapping[str, str], *, context: ssl.SSLContext | None = None) -> EndpointAnswer:
    """Never raises for what the other side does."""
    try:
        destination = destinations.parse(url)
        found = destinations.addresses(destination)
    except NotAllowed as error:
        return EndpointAnswer(problem=str(error))
    except OSError:
        return EndpointAnswer(problem="The host's name cannot be resolved.")
    deadline = time.monotonic() + DEADLINE_S
    try:
        with connect(destination, found, deadline, context) as connection:
            connection.settimeout(left(deadline))
            connection.sendall(_request(destination, body, headers))
            return _read_answer(connection, deadline)
    except ssl.SSLCertVerificationError:
        return EndpointAnswer(problem="The host's certificate is not valid.")
    except TimeoutError:
        return EndpointAnswer(problem=f"No answer within {DEADLINE_S:.0f} s.")
    except (OSError, http.client.HTTPException, ValueError):
        return EndpointAnswer(problem="The connection failed.")


def _request(destination: Destination, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {destination.target} HTTP/1.1"]
    all_headers = {
        "Host": destination.host_header,
        "User-Agent": "SUMO-K8-Webhooks",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    lines += [f"{name}: {value}" for name, value in all_headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _read_answer(connection: socket.socket, deadline: float) -> EndpointAnswer:
    """Status line and headers, within the deadline however slowly they come."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < MAX_HEAD:
        connection.settimeout(left(deadline))
        if not (more := connection.recv(1024)):
            break
        head += more
    first, _, rest = head.partition(b"\r\n")
    version, _, tail = first.partition(b" ")
    code = tail[:3]
    if not version.startswith(b"HTTP/1.") or not (code.isdigit() and len(code) == 3 and 200 <= int(code) < 600):
        return EndpointAnswer(problem="The answer is not HTTP.")
    fields = http.client.parse_headers(io.BytesIO(rest.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"))
    status = int(code)
    problem = "" if status < 300 else f"The answer was {status}."
    if 300 <= status < 400:
        problem = f"The answer was {status}; redirects are not followed."
    return EndpointAnswer(status, problem, _retry_after(fields.get("Retry-After", "")))


def _retry_after(text: str) -> float | None:
    """Seconds, at most a day."""
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), MAX_RETRY_AFTER_S))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(MAX_RETRY_AFTER_S, max(0.0, (until - datetime.now(UTC)).total_seconds()))

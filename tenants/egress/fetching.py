"""One small document from a stranger's server, by GET, or by POST of a form; bounded in time and bytes."""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from tenants.database import give_connection_back
from tenants.egress import destinations
from tenants.egress.connecting import connect, left
from tenants.egress.destinations import Destination, NotAllowed

DEADLINE_S = 5.0  # of everything after the name is resolved
MAX_HEAD = 16 * 1024
MAX_BODY = 256 * 1024


class Unreachable(Exception):
    """Nothing of use came; the text says why, in words for operators. `status` is the answer's, if there was one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def fetch(url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """The body of a 200; redirects are not followed. Raises Unreachable."""
    give_connection_back()
    try:
        destination = destinations.parse(url)
        found = destinations.addresses(destination)
    except NotAllowed as error:
        raise Unreachable(str(error)) from None
    except OSError:
        raise Unreachable("The host's name cannot be resolved.") from None
    deadline = time.monotonic() + DEADLINE_S
    try:
        with connect(destination, found, deadline) as connection:
            connection.settimeout(left(deadline))
            connection.sendall(_request(destination, form, headers or {}))
            status, body = _answer(_read(connection, deadline))
    except ssl.SSLCertVerificationError:
        raise Unreachable("The host's certificate is not valid.") from None
    except TimeoutError:
        raise Unreachable(f"No answer within {DEADLINE_S:.0f} s.") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise Unreachable("The connection failed.") from None
    if status != 200:
        raise Unreachable(f"The answer was {status}.", status)
    return body


def _request(destination: Destination, form: Mapping[str, str] | None, headers: Mapping[str, str]) -> bytes:
    body = b"" if form is None else urlencode(form).encode()
    all_headers = {
        "Host": destination.host_header,
        "User-Agent": "SUMO-K8",
        "Accept": "application/json",
        "Connection": "close",
        **headers,
    }
    if form is not None:
        all_headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    lines = [f"{'GET' if form is None else 'POST'} {destination.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in all_headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _read(connection: socket.socket, deadline: float) -> bytes:
    """All until the server closes, within the deadline however slowly it comes."""
    whole = bytearray()
    while True:
        connection.settimeout(left(deadline))
        if not (more := connection.recv(16 * 1024)):
            return bytes(whole)
        whole += more
        if len(whole) > MAX_HEAD + MAX_BODY:
            raise Unreachable(f"The answer is larger than {MAX_BODY // 1024} KiB.")


class _Kept:
    """Bytes that `http.client` reads as if they came from a socket."""

    def __init__(self, whole: bytes) -> None:
        self._whole = whole

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._whole)


def _answer(whole: bytes) -> tuple[int, bytes]:
    answer = http.client.HTTPResponse(_Kept(whole))  # type: ignore[arg-type]
    answer.begin()
    return answer.status, answer.read()

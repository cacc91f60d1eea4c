"""Clients that stop in the middle: each holds what it can of a server, for as long as it is left."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

MANY_BYTES = 400 * 1024**2


def head(path: str = "/jobs") -> bytes:
    """A request's head without its end."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-More".encode()


def body(method: str, path: str, length: int, sent: bytes, **headers: str) -> bytes:
    """A whole head that announces `length` bytes, and `sent` of them."""
    fields = {"Host": "localhost", "Content-Length": str(length)} | {k.replace("_", "-"): v for k, v in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + sent


def form(path: str, length: int, **headers: str) -> bytes:
    """The begin of a file in a form."""
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + bytes(2000)
    return body("POST", path, length, part, Content_Type="multipart/form-data; boundary=b", **headers)


def kinds(key: str, download: str) -> dict[str, bytes]:
    """What each kind of stalled client sends; `key` is a tenant's, `download` the path of a file too large for any
    buffer on the way."""
    keyed: dict[str, Any] = {"Authorization": f"Bearer {key}"}
    csrf = {"Cookie": "csrftoken=" + "a" * 32}
    return {
        "half a head": head(),
        "half a body without a key": body("POST", "/jobs", 1000, b"{", Content_Type="application/json"),
        "half a body with a key": body("POST", "/jobs", 1000, b"{", Content_Type="application/json", **keyed),
        "half an upload without a key": form("/scenarios", MANY_BYTES),
        "half an upload with a key": form("/scenarios", MANY_BYTES, **keyed),
        "half a form": form("/admin/login/", 1000_000, **csrf),
        "a download not read": body("GET", download, 0, b"", **keyed),
    }


@contextlib.contextmanager
def clients(url: str, request: bytes, number: int) -> Iterator[list[socket.socket]]:
    """`number` connections that have sent `request` and neither send nor read more."""
    address = urlsplit(url)
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(number):
            wire = stack.enter_context(socket.socket())
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.settimeout(5)
            with contextlib.suppress(OSError):
                wire.connect((address.hostname, address.port))
                wire.sendall(request)
            opened.append(wire)
        yield opened

"""A connection to a stranger's server: only to vetted addresses, and within a deadline."""

import socket
import ssl
import time
from functools import cache

from tenants.egress.destinations import Destination, IPAddress

MAX_ADDRESSES = 3


@cache
def _trusted() -> ssl.SSLContext:
    """Once for all calls: reading the machine's certificates takes longer than most of them."""
    return ssl.create_default_context()


def left(deadline: float) -> float:
    """Seconds until that moment of `time.monotonic`. Raises TimeoutError."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def connect(
    destination: Destination, found: list[IPAddress], deadline: float, context: ssl.SSLContext | None = None
) -> socket.socket:
    """To one of the vetted addresses; TLS asks for, and proves, the host's name. Raises OSError."""
    problem: OSError = OSError("no address")
    for address in found[:MAX_ADDRESSES]:
        try:
            plain = socket.create_connection((str(address), destination.port), timeout=left(deadline))
        except OSError as error:
            problem = error
            continue
        if not destination.is_https:
            return plain
        try:
            return (context or _trusted()).wrap_socket(plain, server_hostname=destination.host)
        except BaseException:
            plain.close()
            raise
    raise problem

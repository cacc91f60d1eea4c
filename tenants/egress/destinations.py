"""Where a call to strangers may lead: to public addresses by HTTPS at port 443, and to networks the operator names."""

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
MAX_URL = 500
RESOLVE_S = 10.0
LOOKUPS = 64  # at once, those among them that nobody waits for any more
URL = re.compile(r"https?://[\x21-\x7e]+")
HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.?")
# Beyond what `ipaddress` calls not global: relays and translators into other networks, and what was assigned since.
CLOSED_V4 = [ipaddress.IPv4Network(each) for each in ("192.0.0.0/24", "192.88.99.0/24")]
OPEN_V6 = ipaddress.IPv6Network("2000::/3")
CLOSED_V6 = [ipaddress.IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_places = threading.BoundedSemaphore(LOOKUPS)


class NotAllowed(Exception):
    """The address must not be called; the text says why, in words for the tenant."""


@dataclass(frozen=True)
class Destination:
    """A URL that has the right shape; where its name leads is another question."""

    host: str
    port: int
    target: str  # path and query
    is_https: bool

    @property
    def literal(self) -> IPAddress | None:
        """The address, where the URL names one instead of a host."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.is_https else 80) else f"{name}:{self.port}"


def parse(url: str) -> Destination:
    """Raises NotAllowed."""
    if len(url) > MAX_URL or not URL.fullmatch(url):
        raise NotAllowed(f"Write the URL as https://host/path, in at most {MAX_URL} printable ASCII characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotAllowed("The URL cannot be read.") from None
    if parts.username is not None or parts.password is not None or "#" in url or "\\" in url:
        raise NotAllowed("The URL must have no user, password, fragment or backslash.")
    is_https = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    found = Destination(host, port or (443 if is_https else 80), target, is_https)
    if found.literal is None and (
        not HOST.fullmatch(host) or len(host) > 253 or host.rstrip(".").rsplit(".", 1)[-1].isdigit()
    ):
        raise NotAllowed("The URL's host is neither a name nor an address.")
    if port == 0:
        raise NotAllowed("There is no port 0.")
    if found.literal is not None:
        vet(found, found.literal)
    elif not settings.WEBHOOK_ALLOWED_NETWORKS:
        _public_manner(found)
    return found


def _public_manner(destination: Destination) -> None:
    if not destination.is_https or destination.port != 443:
        raise NotAllowed("Use HTTPS at port 443.")


def vet(destination: Destination, address: IPAddress) -> None:
    """Raises NotAllowed unless it may be called at this address."""
    if any(address in network for network in settings.WEBHOOK_ALLOWED_NETWORKS):
        return
    if not is_public(address):
        raise NotAllowed("The host's address is not a public one.")
    _public_manner(destination)


def is_public(address: IPAddress) -> bool:
    """Whether it leads to the open internet and nowhere else."""
    if isinstance(address, ipaddress.IPv6Address):
        return address in OPEN_V6 and not any(address in network for network in CLOSED_V6)
    return address.is_global and not address.is_multicast and not any(address in network for network in CLOSED_V4)


def addresses(destination: Destination) -> list[IPAddress]:
    """Resolve the name, once, and vet all that it leads to; who connects must use these and ask for no name again.

    Raises NotAllowed; OSError where the name cannot be resolved.
    """
    literal = destination.literal
    found = [literal] if literal is not None else _resolve(destination.host)
    for address in found:
        vet(destination, address)
    return found


def _resolve(host: str) -> list[IPAddress]:
    """Within RESOLVE_S, however long the resolver is kept waiting. Raises OSError."""
    name = host.rstrip(".") + "."  # as it is: the cluster's own names are not tried behind it
    answers = _in_time(lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
    # A zone (“%eth0”) names an interface of this machine's.
    return list(dict.fromkeys(ipaddress.ip_address(str(answer[4][0]).split("%")[0]) for answer in answers))


def _in_time(look: Callable[[], list[Any]]) -> list[Any]:
    """`getaddrinfo` knows no deadline: it is left to itself, in one of LOOKUPS threads."""
    deadline = time.monotonic() + RESOLVE_S
    if not _places.acquire(timeout=RESOLVE_S):
        raise TimeoutError("too many names are being resolved")
    answers: SimpleQueue[list[Any] | OSError] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(look())
        except (OSError, UnicodeError) as error:
            answers.put(OSError(str(error)))
        finally:
            _places.release()

    try:
        threading.Thread(target=run, name="resolver", daemon=True).start()
    except RuntimeError as error:  # no more threads
        _places.release()
        raise OSError(str(error)) from None
    try:
        answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
    except Empty:
        raise TimeoutError("the resolver does not answer") from None
    if isinstance(answer, OSError):
        raise answer
    return answer

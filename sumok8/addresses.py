"""Whose request is this? Behind proxies, the address of the connection is the nearest proxy's.

Each proxy appends the address that it was called from to X-Forwarded-For. Whatever stands left of what the first
trusted proxy wrote may be made up by the caller, so the list is read from its right end, as far as it was written by
proxies that the installation names.
"""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

from django.core.exceptions import ImproperlyConfigured

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_HOPS = 20
WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")
LOCAL = "127.0.0.1"


def trusted_networks(names: Iterable[str]) -> tuple[Network, ...]:
    """`10.0.0.0/8`, `192.0.2.1` and the like. Raises ImproperlyConfigured."""
    try:
        return tuple(ipaddress.ip_network(name.strip(), strict=False) for name in names)
    except ValueError as error:
        raise ImproperlyConfigured(f"TRUSTED_PROXIES: {error}; give addresses or networks.") from None


@lru_cache(maxsize=256)  # every request's, and mostly the same
def client_address(connected: str, forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    """The nearest address that no trusted proxy has. `connected` is empty on a Unix socket: our own host's."""
    client = _parse(connected or LOCAL) or _parse(LOCAL)
    believed = not connected or _is_trusted(client, trusted)
    for hop in reversed(forwarded_for.split(",")[-MAX_HOPS:]):
        address = _parse(hop)
        if not believed or address is None:
            break
        client, believed = address, _is_trusted(address, trusted)
    return str(client)


def _is_trusted(address: Address | None, trusted: tuple[Network, ...]) -> bool:
    return address is not None and any(address in network for network in trusted)


def _parse(text: str) -> Address | None:
    text = text.strip()
    if match := WITH_PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

"""Whose request it is, behind however many proxies."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from sumok8.addresses import client_address, trusted_networks

TRUSTED = trusted_networks(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    "connected, forwarded_for, client",
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", "198.51.100.7"),  # a stranger's word about himself
        ("10.1.1.1", "203.0.113.1", "203.0.113.1"),
        ("10.1.1.1", "1.1.1.1, 203.0.113.1", "203.0.113.1"),  # what he wrote before the proxy did
        ("127.0.0.1", "1.1.1.1, 203.0.113.1, 10.2.2.2", "203.0.113.1"),
        ("10.1.1.1", "10.3.3.3", "10.3.3.3"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "nonsense", "10.1.1.1"),
        ("", "203.0.113.1", "203.0.113.1"),  # a Unix socket
        ("", "", "127.0.0.1"),
        ("fd00::1", "[2001:db8::5]:443", "2001:db8::5"),
        ("10.1.1.1", "203.0.113.1:5050", "203.0.113.1"),
        ("::ffff:10.1.1.1", "::ffff:203.0.113.1", "203.0.113.1"),
        ("10.1.1.1", ",".join(["9.9.9.9"] * 10_000 + ["203.0.113.1"]), "203.0.113.1"),
    ],
)
def test_the_nearest_address_that_no_trusted_proxy_has(connected: str, forwarded_for: str, client: str) -> None:
    assert client_address(connected, forwarded_for, TRUSTED) == client


def test_a_wrong_setting_is_told() -> None:
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        trusted_networks(["proxy.example"])

"""No way inside: whatever the URL says and wherever its name leads."""

import ipaddress
import socket
import threading
from typing import Any

import pytest

from tenants.egress import destinations
from tenants.egress.destinations import NotAllowed, addresses, is_public, parse

INSIDE = [
    *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1"),
    *("255.255.255.255", "192.0.0.8", "192.88.99.1", "198.18.0.1", "192.0.2.1", "240.0.0.1", "239.1.1.1"),
    *("::1", "::", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b::808:808"),
    *("64:ff9b:1::1", "2002:a00:1::1", "fec0::1", "fe80::1", "fd00::1", "ff02::1", "2001::1", "2001:db8::1"),
    *("3fff::1", "100::1", "5f00::1", "4000::1"),
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(NotAllowed, match="not a public one"):
        parse(f"https://{host}/hook")


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"])
def test_public_addresses(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "https://example.org:8443/", "https://user@example.org/", "https://:pw@example.org/"),
        *("https://example.org/#x", "ftp://example.org/", "https:///x", "https://exa mple.org/", "https://é.org/"),
        *("https://example.org/\r\nX: y", "https://[::1", "https://example.org:99999/", "https://example.org:0/"),
        *(
            "https://2130706433/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://0177.0.0.1/",
            "https://example.org\\@b/",
        ),
        *("https://a" + "a" * 500, "https://-a.org/", "https://a..b/", "https://[fe80::1%25eth0]/", "javascript:1"),
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        parse(url)


def test_what_a_url_says() -> None:
    found = parse("https://Example.org./in/box?a=1")
    assert (found.host, found.port, found.target, found.is_https) == ("example.org.", 443, "/in/box?a=1", True)
    assert parse("https://[2606:4700:4700::1111]/").host_header == "[2606:4700:4700::1111]"


def resolving_to(*answers: str) -> Any:
    def resolve(name: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(name)
        return [(0, 0, 0, "", (answer, 0)) for answer in answers]

    asked: list[str] = []
    return resolve, asked


def test_one_bad_address_among_good_ones_closes_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("8.8.8.8", "10.0.0.1")[0])
    with pytest.raises(NotAllowed, match="not a public one"):
        addresses(parse("https://example.org/"))


def test_the_name_is_asked_for_once_and_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve, asked = resolving_to("8.8.8.8", "8.8.8.8")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert addresses(parse("https://kubernetes.default/")) == [ipaddress.ip_address("8.8.8.8")]
    assert asked == ["kubernetes.default."]


def test_an_operator_may_allow_networks(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("10.0.0.0/8")]
    assert parse("http://10.0.0.1:8080/").port == 8080
    with pytest.raises(NotAllowed, match="public"):
        parse("http://192.168.0.1/")
    inside = parse("http://receiver.corp:8080/")
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("10.1.1.1")[0])
    assert addresses(inside)
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("8.8.8.8")[0])
    with pytest.raises(NotAllowed, match="HTTPS at port 443"):
        addresses(inside)
    assert destinations.is_public(ipaddress.ip_address("8.8.8.8"))


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(destinations, "RESOLVE_S", 0.05)
    monkeypatch.setattr(destinations, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers.wait(10) and [])
    for problem in ("does not answer", "too many names"):  # the first is still being looked up
        with pytest.raises(TimeoutError, match=problem):
            addresses(parse("https://example.org/"))
    answers.set()
    assert destinations._places.acquire(timeout=10)

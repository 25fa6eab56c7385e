"""Users' addresses lead to the public internet, and never into our own network."""

import socket
from typing import Any

import pytest

from annotations.outbound import AddressRefused, checked_url, open_url
from annotations.outbound.addresses import is_allowed, resolve

INTERNAL = [
    "127.0.0.1",
    "127.255.0.3",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",  # shared address space; Alibaba's metadata is 100.100.100.200
    "169.254.169.254",  # metadata of AWS, Google, Azure
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2001:0:4136:e378::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "4000::1",
]


@pytest.mark.parametrize("address", INTERNAL)
def test_no_internal_or_reserved_address_is_allowed(address: str):
    assert not is_allowed(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111"])
def test_public_addresses_are(address: str):
    assert is_allowed(address)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://example.org/", "https://"),
        ("ftp://example.org/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("https:///path", "names no host"),
        ("https://user:pw@example.org/", "user name"),
        ("https://127.0.0.1/", "internal"),
        ("https://[::1]/", "internal"),
        ("https://[::ffff:10.0.0.1]/", "internal"),
        ("https://example.org:0/", "Port 0"),
        ("https://example.org:99999/", "no address"),
        ("https://[half/", "no address"),
        ("https://example.org/a b", "space"),
        ("https://example.org/\r\nHost: x", "space"),
        ("https://" + "a" * 3000, "2000 characters"),
        ("https://" + "a" * 70 + ".org/", "no address"),
    ],
)
def test_what_shows_in_the_address_itself_is_told_at_once(url: str, told: str):
    with pytest.raises(AddressRefused, match=told):
        checked_url(url)


def answers(monkeypatch: pytest.MonkeyPatch, *lists: list[str]) -> list[str]:
    """Each look-up of a name gives the next of these lists; the names looked up."""
    asked: list[str] = []
    left = iter(lists)

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(left)]

    monkeypatch.setattr("annotations.outbound.addresses.socket.getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_stands_for_an_internal_address_is_refused(monkeypatch: pytest.MonkeyPatch):
    answers(monkeypatch, ["10.0.0.7"])
    with (
        pytest.raises(AddressRefused, match="internal"),
        open_url("GET", "https://evil.example/", limit_bytes=9, total_seconds=5),
    ):
        pass


def test_one_internal_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch):
    answers(monkeypatch, ["1.1.1.1", "127.0.0.1"])
    with pytest.raises(AddressRefused):
        resolve("evil.example", 443, is_plain=False)


@pytest.mark.parametrize(
    "guise", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "localhost."]
)
def test_numbers_in_guise_are_seen_through_by_the_look_up(guise: str):
    with pytest.raises(AddressRefused), open_url("GET", f"https://{guise}/", limit_bytes=9, total_seconds=5):
        pass


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch):
    """A name that changes its answer (DNS rebinding) is asked once, and that answer is what counts."""
    asked = answers(monkeypatch, ["1.1.1.1"], ["127.0.0.1"])
    connected: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with (
        pytest.raises(Exception, match="could not be reached"),
        open_url("GET", "https://evil.example/", limit_bytes=9, total_seconds=5),
    ):
        pass
    assert connected == [("1.1.1.1", 443)]
    assert asked == ["evil.example"]


def test_an_operator_may_allow_a_network_and_there_also_plain_http(settings: Any):
    settings.OUTBOUND_ALLOWED = ["10.1.2.0/24"]
    assert is_allowed("10.1.2.3", is_plain=True) and not is_allowed("10.1.3.3", is_plain=True)
    assert not is_allowed("1.1.1.1", is_plain=True)
    assert checked_url("http://10.1.2.3/").scheme == "http"


def test_where_a_firewall_lets_one_port_out_an_address_with_another_is_refused_with_both(
    settings: Any,
) -> None:
    assert checked_url("https://example.org:8443/a.vcf").port == 8443
    settings.OUTBOUND_PORTS = [443]
    assert checked_url("https://example.org/a.vcf")
    assert checked_url("https://example.org:443/a.vcf")
    with pytest.raises(AddressRefused, match="has port 8443; this service can reach port 443 alone"):
        checked_url("https://example.org:8443/a.vcf")

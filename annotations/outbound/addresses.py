"""Which addresses may be reached for a user: those of the public internet, and none of our own network.

What the name stands for is decided here once, and the connection goes to the very address that was checked:
a name that answers differently the second time (DNS rebinding) gains nothing.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

HTTP, HTTPS = 80, 443
LONGEST_URL = 2000

# Beyond what `is_global` knows to be private, loopback, link-local (cloud metadata among them), shared,
# reserved or for documentation.
REFUSED = tuple(
    ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's platform, metadata included, at a public address
        "192.0.0.0/24",  # IETF protocol assignments; Oracle's metadata
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        # What carries an IPv4 address within, which may be any.
        "::ffff:0:0/96",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
    )
)
GLOBAL_UNICAST = ip_network("2000::/3")


class AddressRefused(Exception):
    """The address may not be reached for a user; the message tells them why."""


def checked_url(url: str) -> SplitResult:
    """The parts of an address that may be asked for, as far as that shows before its name is looked up.

    Raises AddressRefused.
    """
    if len(url) > LONGEST_URL:
        raise AddressRefused(f"The address has more than {LONGEST_URL} characters.")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise AddressRefused("The address has a space or a control character in it.")
    try:
        parts = urlsplit(url)
        port = parts.port
        hostname = parts.hostname
        if hostname:
            hostname.encode("idna")
    except (ValueError, UnicodeError):
        raise AddressRefused(
            "This is no address. Expected one like https://example.org/data.vcf.gz."
        ) from None
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.OUTBOUND_ALLOWED):
        raise AddressRefused("The address has to begin with https://.")
    if not hostname:
        raise AddressRefused("The address names no host. Expected one like https://example.org/data.vcf.gz.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("The address has a user name or password in it. Leave them out.")
    if port == 0:
        raise AddressRefused("Port 0 can't be reached.")
    used = port or (HTTPS if parts.scheme == "https" else HTTP)
    if settings.OUTBOUND_PORTS and used not in settings.OUTBOUND_PORTS:
        allowed = ", ".join(map(str, settings.OUTBOUND_PORTS))
        raise AddressRefused(f"The address has port {used}; this service can reach port {allowed} alone.")
    _refuse_number_of_our_own(hostname, is_plain=parts.scheme == "http")
    return parts


def resolve(host: str, port: int, *, is_plain: bool) -> list[Any]:
    """Every address of the host, as `socket.getaddrinfo` gives them, all of them checked.

    `is_plain`: without TLS, which only a network that the operator has allowed may be asked. Raises
    AddressRefused, and OSError when the name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, address in found:
        # One of several is enough to refuse them all: which of them is taken must not be a matter of luck.
        if not is_allowed(str(address[0]), is_plain=is_plain):
            raise AddressRefused(f"{host} is an address of an internal or reserved network.")
    return found


def is_allowed(text: str, *, is_plain: bool = False) -> bool:
    """Whether this IP address may be connected to.

    >>> [is_allowed(text) for text in ("1.1.1.1", "10.0.0.1", "169.254.169.254", "::ffff:8.8.8.8")]
    [True, False, False, False]
    """
    address = ip_address(text.partition("%")[0])
    if any(address in ip_network(network) for network in settings.OUTBOUND_ALLOWED):
        return True
    return not is_plain and _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or any(address in network for network in REFUSED):
        return False
    return address.version == 4 or address in GLOBAL_UNICAST


def _refuse_number_of_our_own(hostname: str, *, is_plain: bool) -> None:
    """An address written as a number can be told at once, when it is typed in."""
    try:
        allowed = is_allowed(hostname, is_plain=is_plain)
    except ValueError:
        return  # a name, or a number in a guise that the resolver sees through
    if not allowed:
        raise AddressRefused(f"{hostname} is an address of an internal or reserved network.")

"""Which addresses may be fetched, and where a mirror has them."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from annotations.engine.fetching.errors import FetchError


@dataclass(frozen=True)
class Mirror:
    """Addresses that start with `official` are read from `instead` (a copy in the house, a test's server)."""

    official: str
    instead: str

    @classmethod
    def parse(cls, text: str) -> "Mirror":
        """A mirror as the command line has it: https://ftp.ensembl.org=https://mirror.example/ensembl."""
        official, equals, instead = text.partition("=")
        if not equals or not urlsplit(official).netloc or not urlsplit(instead).netloc:
            raise FetchError(
                f"{text!r} names no mirror. Expected OFFICIAL=INSTEAD, two addresses, such as "
                "https://ftp.ensembl.org=https://mirror.example/ensembl"
            )
        check_address(instead)
        return cls(official.rstrip("/"), instead.rstrip("/"))

    def address_of(self, url: str) -> str | None:
        if url == self.official or url.startswith(self.official + "/"):
            return self.instead + url[len(self.official) :]
        return None


def mirrored(url: str, mirrors: Iterable[Mirror]) -> str:
    """Where to read `url` from: the first mirror that has it, else the address itself.

    Raises FetchError for an address that is not https (on this machine itself, http may do).
    """
    address = next((found for mirror in mirrors if (found := mirror.address_of(url))), url)
    check_address(address)
    return address


def check_address(url: str) -> None:
    """Raise FetchError unless the address is https, or http on this machine's loopback."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return
    raise FetchError(f"{url} is not fetched: references come over https only. Name an https:// address.")


def file_name(url: str) -> str:
    """The last part of the address's path."""
    return urlsplit(url).path.rsplit("/", 1)[-1]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

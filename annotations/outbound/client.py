"""One request to an address that a user names: over TLS, to a checked address, bounded in time and size.

No redirects are followed, no proxy and no credentials of the environment are used.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from annotations.outbound.addresses import checked_url, resolve

CHUNK_BYTES = 256 * 1024


class Unreachable(Exception):
    """No answer, or one that broke off: another try may help."""


class AnswerTooLarge(Exception):
    """The answer has more bytes than are taken."""


@dataclass(frozen=True)
class Answer:
    """An open answer. `size_bytes` None where its server does not say; `chunks` raises Unreachable and
    AnswerTooLarge."""

    status: int
    headers: Mapping[str, str]
    size_bytes: int | None
    chunks: Iterator[bytes]


@contextmanager
def open_url(  # noqa: PLR0913  the bounds of a request, each named by its caller
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limit_bytes: int,
    wait_seconds: float = 10,
    total_seconds: float,
) -> Iterator[Answer]:
    """Ask, and give the answer as a stream. `wait_seconds` is for each step, `total_seconds` for all of it.

    Raises AddressRefused, Unreachable, AnswerTooLarge.
    """
    checked_url(url)
    deadline = _Deadline(total_seconds)
    with deadline, _session(deadline) as session:
        try:
            response = session.request(
                method,
                url,
                headers={
                    "User-Agent": "genomics-annotation-service",
                    "Accept-Encoding": "identity",
                    **(headers or {}),
                },
                data=body,
                stream=True,
                timeout=wait_seconds,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise _unreachable(error) from error
        with response:
            length = response.headers.get("Content-Length", "")
            size_bytes = int(length) if length.isascii() and length.isdigit() else None
            if size_bytes is not None and size_bytes > limit_bytes:
                raise AnswerTooLarge(f"The answer has {size_bytes:,} bytes, and {limit_bytes:,} are taken.")
            yield Answer(response.status_code, response.headers, size_bytes, _chunks(response, limit_bytes))


def _chunks(response: requests.Response, limit_bytes: int) -> Iterator[bytes]:
    taken = 0
    try:
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
            taken += len(chunk)
            if taken > limit_bytes:
                raise AnswerTooLarge(f"The answer has more than the {limit_bytes:,} bytes that are taken.")
            yield chunk
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unreachable(f"The connection broke off ({type(error).__name__}).") from error


def _unreachable(error: requests.RequestException) -> Unreachable:
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable("The server's certificate is not accepted.")
    if isinstance(error, requests.exceptions.Timeout):
        return Unreachable("The server did not answer in time.")
    return Unreachable("The server could not be reached.")


class _Deadline:
    """Shuts every socket of a request when its time is over, whatever it waits for then."""

    def __init__(self, seconds: float) -> None:
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for sock in self._sockets:
            sock.close()

    def watch(self, sock: socket.socket) -> None:
        # A descriptor of our own for the same connection: TLS takes the socket's own away.
        self._sockets.append(sock.dup())

    def _shut(self) -> None:
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _session(deadline: _Deadline) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy would look the name up again, and .netrc holds our own passwords
    adapter = _CheckedAdapter(deadline)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _CheckedAdapter(HTTPAdapter):
    """Pools whose connections go to checked addresses alone."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        deadline = self._deadline

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, deadline, is_plain=True)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, deadline, is_plain=False)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _connected(connection: HTTPConnection, deadline: _Deadline, *, is_plain: bool) -> socket.socket:
    """Look the host up, check what it stands for, and connect to just that."""
    try:
        found = resolve(connection.host, connection.port, is_plain=is_plain)
    except OSError as error:
        raise urllib3.exceptions.NewConnectionError(connection, "the name is not known") from error
    problem: OSError | None = None
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        deadline.watch(sock)
        try:
            sock.settimeout(_seconds(connection.timeout))
            sock.connect(address)
        except TimeoutError as error:
            sock.close()
            raise urllib3.exceptions.ConnectTimeoutError(connection, "no connection in time") from error
        except OSError as error:
            sock.close()
            problem = error
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise urllib3.exceptions.NewConnectionError(connection, "no connection") from problem


def _seconds(timeout: Any) -> float:
    return float(timeout) if isinstance(timeout, int | float) else 10.0

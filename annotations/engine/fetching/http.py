"""HTTP as fetching needs it: bounded, retried, over https, with faults told apart by whether they pass."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

import requests
import urllib3

from annotations.engine.fetching.addresses import Mirror, check_address, mirrored
from annotations.engine.fetching.errors import (
    FetchError,
    RangeNotSatisfiable,
    TransientFault,
    UnexpectedStatus,
)

CHUNK_BYTES = 1 << 20
LONGEST_WAIT_SECONDS = 60.0
HEAD_REFUSALS = frozenset({403, 405, 501})  # a presigned address is good for GET alone
RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, and how often to come back.

    `attempts` counts those in a row that brought nothing: a download that advances may be cut any number
    of times.
    """

    connect_seconds: float = 20.0
    read_seconds: float = 60.0
    attempts: int = 7
    first_wait_seconds: float = 1.0

    def wait_seconds(self, failures: int, after_seconds: float | None) -> float:
        """Before the next try: doubling, with jitter, so that clients cut off together do not return so."""
        longest = min(LONGEST_WAIT_SECONDS, self.first_wait_seconds * 2 ** (failures - 1))
        backoff = longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        return max(backoff, min(after_seconds or 0.0, LONGEST_WAIT_SECONDS))


@dataclass(frozen=True)
class RemoteFile:
    """A file as its server describes it. `size_bytes` None where the server does not say."""

    url: str
    size_bytes: int | None
    etag: str | None
    last_modified: str | None
    headers: Mapping[str, str]

    @property
    def validator(self) -> str | None:
        """What If-Range may name: a strong ETag, else the date; None when neither is given."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified


@dataclass(frozen=True)
class Body:
    """An open answer: the bytes from `start` on.

    `remote.size_bytes` is the whole file's; `is_part` says whether the server heeded the range.
    """

    remote: RemoteFile
    start: int
    is_part: bool
    chunks: Iterator[bytes]


class Client:
    """Reads files over HTTP. Proxies come from the environment (HTTPS_PROXY, NO_PROXY).

    Not safe to share among threads.
    """

    def __init__(
        self,
        mirrors: tuple[Mirror, ...] = (),
        patience: Patience | None = None,
        wait: Callable[[float], None] = time.sleep,
        report: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.patience = patience or Patience()
        self._mirrors = mirrors
        self._wait = wait
        self._report = report
        self._session = _HttpsSession()
        self._session.headers["User-Agent"] = "genomics-annotation-service"
        # The files are stored as they are published: a proxy must not pack or unpack them on the way.
        self._session.headers["Accept-Encoding"] = "identity"

    def close(self) -> None:
        self._session.close()

    def describe(self, url: str) -> RemoteFile:
        """The file's size and version, without its bytes. Raises FetchError."""

        def ask() -> RemoteFile:
            try:
                with self._answer("HEAD", url, {}) as answer:
                    return _remote_file(url, answer, _length(answer))
            except UnexpectedStatus as error:
                if error.status not in HEAD_REFUSALS:
                    raise
            with self.body(url) as body:
                return body.remote

        return self.retried(ask)

    def read(self, url: str, limit_bytes: int = 16 << 20) -> bytes:
        """A small file, whole. Raises FetchError; also for one of more than `limit_bytes`."""

        def ask() -> bytes:
            with self.body(url) as body:
                content = b""
                for chunk in body.chunks:
                    content += chunk
                    if len(content) > limit_bytes:
                        raise FetchError(f"{url} is larger than {limit_bytes:,} bytes. Is it the right file?")
                return content

        return self.retried(ask)

    @contextlib.contextmanager
    def body(
        self, url: str, start: int = 0, end: int | None = None, validator: str | None = None
    ) -> Iterator[Body]:
        """Open the file from byte `start` on, to before `end`, provided that it is still `validator`'s.

        `Body.start` says where the answer really begins: 0 when the file has changed, or the server does
        not do ranges. Raises TransientFault for what passes, FetchError for what does not.
        """
        headers = {}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
            if validator:
                headers["If-Range"] = validator
        with self._answer("GET", url, headers) as answer:
            if answer.status_code == 206:
                first, total = _content_range(url, answer)
                if first != start:
                    raise TransientFault(f"{url}: asked for byte {start} on, and got byte {first} on")
                yield Body(_remote_file(url, answer, total), start, True, _chunks(url, answer))
            else:
                yield Body(_remote_file(url, answer, _length(answer)), 0, False, _chunks(url, answer))

    def retried(self, ask: Callable[[], T]) -> T:
        """Do `ask` until it succeeds; FetchError once it has failed as often as patience allows."""
        failures = 0
        while True:
            try:
                return ask()
            except TransientFault as fault:
                failures += 1
                self.pause(failures, fault)

    def pause(self, failures: int, fault: TransientFault) -> None:
        """Wait after the failure numbered `failures` in a row; FetchError when it was one too many."""
        if failures >= self.patience.attempts:
            raise FetchError(
                f"{fault}. Gave up after {failures} tries in a row. Check the network (and HTTPS_PROXY, if "
                "there is a proxy) and run the same command again: it goes on where it stopped."
            ) from fault
        seconds = self.patience.wait_seconds(failures, fault.after_seconds)
        self._report(f"{fault}; trying again in {seconds:.0f} s")
        self._wait(seconds)

    @contextlib.contextmanager
    def _answer(self, method: str, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        patience = self.patience
        try:
            answer = self._session.request(
                method,
                mirrored(url, self._mirrors),
                headers=headers,
                stream=True,
                timeout=(patience.connect_seconds, patience.read_seconds),
                allow_redirects=True,
            )
        except requests.exceptions.SSLError as error:
            raise FetchError(f"{url}: the server's certificate is not accepted ({error})") from error
        except (requests.ConnectionError, requests.Timeout) as error:
            raise TransientFault(f"{url}: no answer ({_cause(error)})") from error
        except requests.RequestException as error:
            raise FetchError(f"{url} cannot be fetched: {error}") from error
        with answer:
            _check_status(url, answer)
            yield answer


class _HttpsSession(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target and "://" in target:
            check_address(target)  # a redirection must not lead from https to http
        return target


def _check_status(url: str, answer: requests.Response) -> None:
    status = answer.status_code
    if status in {200, 206}:
        return
    said = f"{url}: the server answered {status} {answer.reason or ''}".rstrip()
    if status in RETRIED_STATUSES:
        raise TransientFault(said, _retry_after_seconds(answer))
    if status == 416:
        raise RangeNotSatisfiable(f"{said}: the file is shorter than it was announced to be")
    if status in {404, 410}:
        raise FetchError(
            f"{said}. Its publisher may have moved this release: name another one with --release, or put the "
            "new address into a recipe of your own (--recipe)."
        )
    raise UnexpectedStatus(
        f"{said}. Expected the file. Open the address in a browser to see what is the matter.", status
    )


def _retry_after_seconds(answer: requests.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


def _chunks(url: str, answer: requests.Response) -> Iterator[bytes]:
    try:
        # Not iter_content: a server that calls a .gz file "Content-Encoding: gzip" must not have it unpacked.
        yield from answer.raw.stream(CHUNK_BYTES, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise TransientFault(f"{url}: the connection broke ({_cause(error)})") from error


def _remote_file(url: str, answer: requests.Response, size_bytes: int | None) -> RemoteFile:
    headers = answer.headers
    return RemoteFile(
        url, size_bytes, headers.get("ETag"), _valid_date(headers.get("Last-Modified")), dict(headers)
    )


def _valid_date(value: str | None) -> str | None:
    try:
        return value if value and parsedate_to_datetime(value) else None
    except ValueError:
        return None


def _length(answer: requests.Response) -> int | None:
    value = answer.headers.get("Content-Length", "")
    return int(value) if value.isdigit() else None


def _content_range(url: str, answer: requests.Response) -> tuple[int, int | None]:
    """First byte and total of `bytes 100-199/5000` (total `*`: None)."""
    value = answer.headers.get("Content-Range", "")
    unit, _, rest = value.partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdigit():
        raise TransientFault(f"{url}: the server sent a part without saying which (Content-Range: {value!r})")
    return int(first), int(total) if total.isdigit() else None


def _cause(error: BaseException) -> str:
    """The innermost reason, without the objects that requests and urllib3 wrap around it."""
    while isinstance(reason := getattr(error, "reason", None) or (error.args or [None])[0], BaseException):
        error = reason
    return f"{type(error).__name__}: {error}"

"""The API over HTTP: what passes is tried again, what does not is an error that says what to do."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import urljoin

import requests

from annotations.cli.credentials import Credentials
from annotations.cli.errors import CommandError, Stopped, Unreachable, UsageError

CONNECT_SECONDS, READ_SECONDS = 10, 120
LONGEST_WAIT_SECONDS = 30.0
RETRIED = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
BLOCK_BYTES = 256 * 1024


class Refused(CommandError):
    """The service refused; `problem` is its problem details."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        told = [str(problem.get("detail") or problem.get("title") or f"The service answered {status}.")]
        told += [f"  {error.get('where')}: {error.get('message')}" for error in problem.get("errors", ())]
        super().__init__("\n".join(dict.fromkeys(told)))
        self.status, self.problem = status, problem

    @property
    def kind(self) -> str:
        return str(self.problem.get("type", "")).rpartition("#")[2]


class PartRefused(Exception):
    """The storage refused a part: its address may have expired, or the upload is over."""


@dataclass
class Patience:
    """How long to go on without an answer, and who is told why one waits."""

    seconds: float = 600.0
    tell: Callable[[str], None] = lambda message: None
    stop: threading.Event = field(default_factory=threading.Event)

    def pause(self, seconds: float, why: str) -> None:
        """Raises Stopped when somebody pressed Ctrl-C meanwhile."""
        self.tell(f"{why}; trying again in {seconds:.0f} s")
        if self.stop.wait(seconds):
            raise Stopped


class Client:
    """The verbs that the command needs. Not to be shared by threads."""

    def __init__(self, credentials: Credentials, patience: Patience) -> None:
        self._base = f"{credentials.url}/api/v1"
        self._token = credentials.token
        self._patience = patience
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "gas"

    def get(self, path: str, **query: Any) -> Any:
        return self._ask(
            "GET", path, params={key: value for key, value in query.items() if value is not None}
        )

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Sent again after a lost answer it changes nothing: it carries a key of its own."""
        return self._ask("POST", path, json=body or {}, headers={"Idempotency-Key": str(uuid.uuid4())})

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def put_part(self, url: str, open_part: Callable[[], BinaryIO]) -> str:
        """Send a part to its address; its ETag. Raises PartRefused, Unreachable."""

        def put() -> requests.Response:
            with open_part() as part:
                return self._session.put(
                    url, data=part, headers={"Content-Type": "application/octet-stream"}, timeout=_timeout()
                )

        answer = self._persistently(put)
        if not answer.ok:
            raise PartRefused(f"the storage answered {answer.status_code}")
        return answer.headers.get("ETag", "")

    def download(self, path: str, offset: int = 0, etag: str = "") -> tuple[Iterator[bytes], int, int, str]:
        """A file's bytes from `offset` on: (blocks, where they begin, size of the whole, ETag).

        `blocks` raises requests' errors when the connection breaks.
        """
        location = self._address_of(path)
        headers = {"Range": f"bytes={offset}-", "If-Range": etag} if offset and etag else {}
        answer = self._persistently(
            lambda: self._session.get(location, headers=headers, stream=True, timeout=_timeout())
        )
        if not answer.ok:
            raise CommandError(f"The storage answered {answer.status_code} instead of the file. Try again.")
        begins = offset if answer.status_code == HTTPStatus.PARTIAL_CONTENT else 0
        size = begins + int(answer.headers.get("Content-Length") or 0)
        return self._blocks(answer), begins, size, answer.headers.get("ETag", "")

    def _blocks(self, answer: requests.Response) -> Iterator[bytes]:
        with answer:
            for block in answer.iter_content(BLOCK_BYTES):
                if self._patience.stop.is_set():
                    raise Stopped
                yield block

    def _address_of(self, path: str) -> str:
        """Where a file lies. The token stays here: that address needs none, and may be another host's."""
        answer = self._persistently(
            lambda: self._session.get(
                self._base + path, headers=self._authorization(), allow_redirects=False, timeout=_timeout()
            )
        )
        if answer.status_code != HTTPStatus.FOUND:
            raise _refusal(answer)
        return urljoin(self._base, answer.headers["Location"])

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> Any:
        answer = self._persistently(
            lambda: self._session.request(
                method,
                self._base + path,
                headers={**self._authorization(), **(headers or {})},
                timeout=_timeout(),
                allow_redirects=False,
                **options,
            )
        )
        if not answer.ok or answer.is_redirect:
            raise _refusal(answer)
        if answer.headers.get("Content-Type", "").startswith("text/plain"):
            return answer.text
        return answer.json() if answer.content else None

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _persistently(self, ask: Callable[[], requests.Response]) -> requests.Response:
        """Ask until there is an answer that stands. Raises Unreachable, Stopped."""
        begun, tries = time.monotonic(), 0
        while True:
            if self._patience.stop.is_set():
                raise Stopped
            after: float | None = None
            try:
                answer = ask()
            except (
                requests.ConnectionError,
                requests.Timeout,
                requests.exceptions.ChunkedEncodingError,
            ) as error:
                why = f"no answer ({_cause(error)})"
            except requests.RequestException as error:
                raise UsageError(f"{self._base} can't be asked: {error}") from error
            else:
                if answer.status_code not in RETRIED:
                    return answer
                why, after = _why(answer), _retry_after_seconds(answer)
                # To be refused for lack of room is an answer: the service is there, and says when to come.
                if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    begun = time.monotonic()
            tries += 1
            wait = max(after or 0.0, min(LONGEST_WAIT_SECONDS, 2.0 ** (tries - 1)) * random.uniform(0.5, 1.0))  # noqa: S311
            if time.monotonic() + wait - begun > self._patience.seconds:
                raise Unreachable(f"{self._base}: {why}. Gave up. Run the same command again to go on.")
            self._patience.pause(wait, why)


def _refusal(answer: requests.Response) -> CommandError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return UsageError(f"{problem.get('detail', 'The token is not accepted.')} Run: gas login URL")
    return Refused(answer.status_code, problem if isinstance(problem, dict) else {})


def _why(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"]).rstrip(".")
    except (ValueError, KeyError, TypeError):
        return f"the service answered {answer.status_code}"


def _retry_after_seconds(answer: requests.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None


def _cause(error: BaseException) -> str:
    """The innermost reason, without the objects that requests and urllib3 wrap around it."""
    while isinstance(reason := getattr(error, "reason", None) or (error.args or [None])[0], BaseException):
        error = reason
    return str(error.args[-1] if error.args else type(error).__name__)[:120]


def _timeout() -> tuple[float, float]:
    return (CONNECT_SECONDS, READ_SECONDS)

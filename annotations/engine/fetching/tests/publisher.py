"""A web server on loopback that stands in for all publishers, with faults to order."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from annotations.engine.fetching.addresses import Mirror

PROXIED = "http://localhost:1"  # nobody listens there: such a request has come through a proxy


@dataclass(frozen=True)
class Fault:
    """What goes wrong in one answer.

    `status`: an error instead of the file; `cut_after`: the connection breaks after so many bytes of the
    body; `flip_at`: that byte of the body is damaged; `claims_more`: Content-Length is so much too large, and
    the connection ends; `ignores_range`: the whole file, whatever was asked for; `ignores_condition`: the
    range, whatever If-Range says.
    """

    status: int | None = None
    cut_after: int | None = None
    flip_at: int | None = None
    claims_more: int = 0
    ignores_range: bool = False
    ignores_condition: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Page:
    content: bytes
    faults: list[Fault] = field(default_factory=list)  # of the coming GETs, in order
    every_time: Fault | None = None
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = ""
    refuses_head: bool = False

    def version(self) -> str | None:
        if self.etag is None:
            return None
        return self.etag or f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    range: str | None
    sent_bytes: int


class Publisher:
    """Serves pages by their official address; `mirrors` lead a client here."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pages: dict[str, Page] = {}
        self.requests: list[Request] = []

    def put(self, url: str, content: bytes, **options: Any) -> Page:
        self.pages[url] = Page(content, **options)
        return self.pages[url]

    def mirrors(self) -> tuple[Mirror, ...]:
        hosts = {re.match("https://[^/]+", url)[0] for url in self.pages}  # type: ignore[index]
        return tuple(Mirror(host, f"http://127.0.0.1:{self.port}/{host}") for host in sorted(hosts))

    def gets(self, url: str) -> list[Request]:
        return [one for one in self.requests if one.method == "GET" and one.url == url]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    publisher: Publisher

    def do_HEAD(self) -> None:
        self._answer(send_body=False)

    def do_GET(self) -> None:
        self._answer(send_body=True)

    def _answer(self, send_body: bool) -> None:
        url = self.path.removeprefix(PROXIED).removeprefix("/")
        page = self.publisher.pages.get(url)
        if page is None:
            self._note(url, 0)
            self._error(404)
            return
        fault = page.every_time or Fault()
        if send_body and page.faults:
            fault = page.faults.pop(0)
        elif not send_body and page.refuses_head:
            fault = Fault(status=403)
        if fault.status is not None:
            self._note(url, 0)
            self._error(fault.status, fault.headers)
            return
        start, end = self._range(page, fault)
        if start >= len(page.content) and start:
            self._note(url, 0)
            self._error(416)
            return
        body = page.content[start:end]
        sent = body if fault.cut_after is None else body[: fault.cut_after]
        self._note(url, len(sent) if send_body else 0)
        self._head(page, (start, end), len(body) + fault.claims_more, fault)
        if not send_body:
            return
        if fault.flip_at is not None:
            damaged = bytearray(sent)
            damaged[fault.flip_at] ^= 0xFF
            sent = bytes(damaged)
        self.wfile.write(sent)
        if len(sent) < len(body) or fault.claims_more:
            self.close_connection = True

    def _range(self, page: Page, fault: Fault) -> tuple[int, int]:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        versions = {page.version(), page.headers.get("Last-Modified")}
        # If-Range asks for a strong comparison (RFC 9110, 13.1.5).
        same = condition in versions and not (condition or "").startswith("W/")
        changed = condition and not same and not fault.ignores_condition
        if not asked or fault.ignores_range or changed:
            return 0, len(page.content)
        return int(asked[1]), min(len(page.content), int(asked[2]) + 1 if asked[2] else len(page.content))

    def _head(self, page: Page, part: tuple[int, int], length: int, fault: Fault) -> None:
        is_part = "Range" in self.headers and part != (0, len(page.content))
        self.send_response(206 if is_part else 200)
        if is_part:
            self.send_header("Content-Range", f"bytes {part[0]}-{part[1] - 1}/{len(page.content)}")
        self.send_header("Content-Length", str(length))
        if version := page.version():
            self.send_header("ETag", version)
        for name, value in (*page.headers.items(), *fault.headers):
            self.send_header(name, value)
        self.end_headers()

    def _error(self, status: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _note(self, url: str, sent_bytes: int) -> None:
        self.publisher.requests.append(Request(self.command, url, self.headers.get("Range"), sent_bytes))

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hangs up is part of the tests


@contextmanager
def running_publisher() -> Iterator[Publisher]:
    server = _Server(("127.0.0.1", 0), _Handler)
    publisher = Publisher(server.server_address[1])
    server.RequestHandlerClass = type("Handler", (_Handler,), {"publisher": publisher})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def http_date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)

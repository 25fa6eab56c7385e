"""A proxy in front of DynamoDB that loses replies: the request arrives, the answer does not."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Losses:
    """Which replies are lost: of the operations named, each with the given chance, or the next `count`."""

    def __init__(
        self, operations: set[str], chance: float = 0.0, count: int = 0, before: bool = False
    ) -> None:
        """`before`: the request itself is lost."""
        self.operations, self.chance, self.count, self.before = operations, chance, count, before
        self.lost = 0
        self._lock = threading.Lock()

    def strikes(self, operation: str) -> bool:
        with self._lock:
            if operation not in self.operations:
                return False
            if self.lost < self.count or random.random() < self.chance:  # noqa: S311  no secret
                self.lost += 1
                return True
            return False


@contextmanager
def losing(port: int, losses: Losses, meanwhile: Callable[[], None] = lambda: None) -> Iterator[int]:
    """The port of the proxy. `meanwhile` is called after a request was carried out whose reply is lost."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            struck = losses.strikes(operation)
            if struck and losses.before:
                return self._hang_up()
            upstream = HTTPConnection("127.0.0.1", port, timeout=10)
            upstream.request("POST", self.path, body, dict(self.headers))
            reply = upstream.getresponse()
            content = reply.read()
            upstream.close()
            if struck:
                meanwhile()
                return self._hang_up()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in {
                    "connection",
                    "content-length",
                    "date",
                    "server",
                    "transfer-encoding",
                }:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return None

        def _hang_up(self) -> None:
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Tests print enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)

"""A broker for tests: the embedded one, and in front of it a proxy that fails in the ways that SQS can."""

import http.client
import os
import random
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from annotations.tests.waiting import free_port, wait_until

LATE_SECONDS = 3
JSON = "application/x-amz-json-1.0"


def error_body(code: str) -> bytes:
    return f'{{"__type":"com.amazonaws.sqs#{code}","message":"injected"}}'.encode()


Answer = tuple[int, bytes] | None  # None: the connection is dropped
FAULTS: dict[str, Answer] = {
    "unavailable": (503, b""),
    "internal error": (500, error_body("InternalError")),
    "gateway timeout": (504, b"<html>gateway timeout</html>"),
    "throttled": (400, error_body("RequestThrottled")),
    "forbidden": (403, error_body("InvalidClientTokenId")),
    "dropped connections": None,
    "empty bodies": (200, b""),
    "bodies that are no JSON": (200, b"<html>hello</html>"),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A worker that was killed is no error of the proxy's."""


class FaultyProxy:
    """Passes requests on to the broker, except where `fault` has an answer of its own.

    `fault` gets the name of the SQS or SNS action. `calls` counts actions, `failed` those not passed on.
    """

    def __init__(self, broker_port: int) -> None:
        self.broker_port = broker_port
        self.fault: Callable[[str], Any] | None = None
        self.calls: Counter[str] = Counter()
        self.failed = 0
        self.copies = 1  # of every message sent: the further ones arrive up to LATE_SECONDS later
        self.chance = random.Random(0)  # noqa: S311  no secret
        self.on_their_way = 0
        self._open: set[http.client.HTTPConnection] = set()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                proxy.handle(self)

            def log_message(self, *args: Any) -> None:
                """The tests' output is no place for an access log."""

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def failing(self, name: str, action: str = "") -> Iterator[None]:
        """One of FAULTS for every call, or for those of one action."""
        self.failed, self.fault = 0, lambda called: FAULTS[name] if action in called else False
        for connection in list(self._open):
            if connection.sock:
                connection.sock.shutdown(socket.SHUT_RDWR)  # what waits for a message need not wait on
        try:
            yield
        finally:
            self.fault = None

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        action = request.headers.get("X-Amz-Target", "").rpartition(".")[2] or _action_of(body)
        self.calls[action] += 1
        answer = self.fault(action) if self.fault else False
        if answer is None:
            self.failed += 1
            request.close_connection = True
            return
        if isinstance(answer, tuple):
            self.failed += 1
            status, content = answer
        else:
            status, content = self._pass_on(request.path, dict(request.headers), body)
            if action == "SendMessage":
                self._send_copies(request.path, dict(request.headers), body)
        try:
            request.send_response(status)
            request.send_header("Content-Type", JSON if content[:1] == b"{" else "text/xml")
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)
        except OSError:
            request.close_connection = True  # whoever asked is gone

    def _send_copies(self, path: str, headers: dict[str, str], body: bytes) -> None:
        def send() -> None:
            self._pass_on(path, headers, body)
            self.on_their_way -= 1

        for _ in range(self.copies - 1):
            self.on_their_way += 1
            timer = threading.Timer(self.chance.uniform(0, LATE_SECONDS), send)
            timer.daemon = True
            timer.start()

    def _pass_on(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.broker_port, timeout=30)
        self._open.add(connection)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return 502, b""
        finally:
            self._open.discard(connection)
            connection.close()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _action_of(body: bytes) -> str:
    fields = dict(pair.partition(b"=")[::2] for pair in body.split(b"&"))
    return fields.get(b"Action", b"").decode()


def start_broker(folder: Path, port: int | None = None) -> tuple[subprocess.Popen[bytes], int]:
    """The embedded broker on a port of its own; whoever starts it ends it."""
    port = port or free_port()
    environment = dict(os.environ) | {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": "sqs,sns",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(folder),
        "TMPDIR": str(folder),
        "LOG_LEVEL": "ERROR",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: answers(port))
    return process, port


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

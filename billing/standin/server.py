"""The stand-in as an HTTP server on this machine's loopback."""

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from billing.standin import pages
from billing.standin.account import Account
from billing.standin.api import Api
from billing.standin.errors import ApiError
from billing.standin.objects import new_id
from billing.standin.parameters import decode
from billing.standin.webhooks import Webhooks

HOST = "127.0.0.1"
STOP_SECONDS = 0.02  # how soon it notices that it is to stop
LARGEST_BODY_BYTES = 1024 * 1024
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


class StandInRefused(Exception):
    """It takes no real money, so it must not be where real money is expected."""


class StandIn:
    """A running stand-in; close it.

    Raises StandInRefused with DEBUG off, OSError for a port that is taken.
    """

    def __init__(  # noqa: PLR0913  its settings, each named by its caller
        self,
        port: int,
        *,
        api_key: str,
        webhook_url: str,
        webhook_secrets: Sequence[str],
        state: Path | None = None,
        sends_webhooks: bool = True,
    ) -> None:
        if not settings.DEBUG:
            raise StandInRefused(
                "The stand-in for Stripe takes no money, so it does not start with DEBUG off. Set "
                "GAS_STRIPE_API_KEY to use Stripe itself; its test mode takes no money either."
            )
        self._server = ThreadingHTTPServer((HOST, port), _Handler)
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        self.webhooks = Webhooks(webhook_url, webhook_secrets)
        self.account = Account(self.webhooks, state)
        self._server.api = Api(self.account, api_key, self.url)  # type: ignore[attr-defined]
        targets = [self._serve] + ([self.webhooks.run] if sends_webhooks else [])
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=STOP_SECONDS)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.webhooks.stop()
        for thread in self._threads:
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    wbufsize = -1  # an answer in one packet: of two, the second would wait for the first to be acknowledged

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, *args: Any) -> None:
        """Nothing: addresses of its pages are as good as a log-in."""

    def _answer(self, method: str) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY_BYTES:
            self.close_connection = True
            self._send(413, "application/json", b"{}")
            return
        body = self.rfile.read(length).decode()
        if address.path.startswith("/v1/"):
            self._answer_api(method, address.path, body if method == "POST" else address.query)
        else:
            self._answer_page(method, address.path, body)

    def _answer_api(self, method: str, path: str, encoded: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            status, answer, is_replay = self._api.answer(method, path, decode(encoded), headers)
        except ApiError as error:
            status, answer, is_replay = error.status, error.body, False
        extra = {"Request-Id": new_id("req")} | ({"Idempotent-Replayed": "true"} if is_replay else {})
        self._send(status, "application/json", json.dumps(answer).encode(), extra)

    def _answer_page(self, method: str, path: str, body: str) -> None:
        page = pages.show(self._api.account, path, decode(body) if method == "POST" else None)
        extra = {"Location": page.location} if page.location else {"Content-Security-Policy": POLICY}
        self._send(page.status, "text/html; charset=utf-8", page.html.encode(), extra)

    def _send(self, status: int, kind: str, body: bytes, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    @property
    def _api(self) -> Api:
        api: Api = self.server.api  # type: ignore[attr-defined]
        return api

"""A request for a user is bounded in size and time, and goes nowhere else than it was sent."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from annotations.outbound import AnswerTooLarge, Unreachable, open_url


class Server:
    """Answers each request as the test says, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda handler: None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.asked.append((self.path, dict(self.headers), body))
                server.answer(self)

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                return

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def gives(self, status: int, body: bytes = b"", **headers: str) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answer = answer

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1/32"]
    server = Server()
    yield server
    server.close()


def get(url: str, limit_bytes: int = 1000, total_seconds: float = 10) -> tuple[int, bytes]:
    with open_url("GET", url, limit_bytes=limit_bytes, total_seconds=total_seconds) as answer:
        return answer.status, b"".join(answer.chunks)


def test_an_answer_comes_with_its_status_and_bytes(server: Server):
    server.gives(200, b"content")
    assert get(f"{server.url}/a?b=c") == (200, b"content")
    assert server.asked[0][0] == "/a?b=c"


def test_redirects_are_not_followed(server: Server):
    server.gives(302, Location=f"{server.url}/elsewhere")
    assert get(server.url)[0] == 302
    assert len(server.asked) == 1


def test_more_bytes_than_are_taken_end_it_whether_announced_or_not(server: Server):
    server.gives(200, b"x" * 11)
    with pytest.raises(AnswerTooLarge):
        get(server.url, limit_bytes=10)

    def unannounced(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"x" * 100)

    server.answer = unannounced
    with pytest.raises(AnswerTooLarge):
        get(server.url, limit_bytes=10)


def test_a_server_that_drips_is_cut_off_when_the_time_is_over(server: Server):
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.send_response(200)
            handler.end_headers()
            while not over.wait(0.05):
                handler.wfile.write(b"x")
                handler.wfile.flush()
        except OSError:
            over.set()

    server.answer = drip
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        get(server.url, total_seconds=0.5)
        raise Unreachable  # a shut connection may look like the end of an answer without a length
    over.set()
    assert time.monotonic() - begun < 8


def test_neither_proxies_nor_passwords_of_the_environment_are_used(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.gives(200)
    assert get(server.url)[0] == 200
    assert "Authorization" not in server.asked[0][1]


def test_nobody_there_is_told_as_such(server: Server, settings: Any):
    with pytest.raises(Unreachable, match="could not be reached"):
        get("http://127.0.0.1:1/")

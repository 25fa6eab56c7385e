"""Flower's pages are behind the admin's login, and a browser never speaks to Flower itself."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from tornado.template import filter_whitespace

from gas_project import flower
from gas_project.tests.factories import make_admin

pytestmark = pytest.mark.django_db


class Handler(BaseHTTPRequestHandler):
    asked: list[tuple[str, str, dict[str, str]]] = []  # noqa: RUF012  one for all requests of a test

    def do_GET(self) -> None:
        self.asked.append((self.command, self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Set-Cookie", "_xsrf=abc; Path=/")
        self.send_header("Set-Cookie", "other=1; Path=/")
        self.end_headers()
        self.wfile.write(b"workers")

    do_POST = do_GET  # noqa: N815  the base class has it so

    def log_message(self, *args: Any) -> None:
        """Silence."""


@pytest.fixture
def upstream(settings: Any) -> Iterator[type[Handler]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    settings.FLOWER_PORT = server.server_address[1]
    Handler.asked.clear()
    yield Handler
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def admin() -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_admin())
    return client


def test_a_superuser_sees_flower_without_another_password(admin: Client, upstream: type[Handler]) -> None:
    response = admin.get("/admin/flower/workers?refresh=1")
    assert response.content == b"workers"
    ((_, path, headers),) = upstream.asked
    assert path == "/admin/flower/workers?refresh=1"
    assert headers["Authorization"].startswith("Basic ")
    assert "sessionid" not in headers.get("Cookie", "")
    assert list(response.cookies) == ["_xsrf"]


def test_the_queues_are_shown_by_a_page_that_knows_sqs(admin: Client, upstream: type[Handler]) -> None:
    assert admin.get("/admin/flower/broker").headers["Location"] == "/admin/queues/"
    assert upstream.asked == []


def test_another_site_can_control_nothing(admin: Client, upstream: type[Handler]) -> None:
    path = "/admin/flower/api/worker/shutdown/w1"
    assert admin.post(path).status_code == 403
    assert admin.post(path, headers={"Origin": "http://evil.example"}).status_code == 403
    assert upstream.asked == []
    assert admin.post(path, headers={"Origin": "http://testserver"}).status_code == 200


def test_who_controls_a_worker_is_written_down_and_who_looks_is_not(
    admin: Client, upstream: type[Handler]
) -> None:
    admin.get("/admin/flower/workers")
    admin.post("/admin/flower/tasks/datatable", headers={"Origin": "http://testserver"})
    path = "/admin/flower/api/worker/pool/grow/w1"
    admin.post(path, {"n": 2}, headers={"Origin": "http://testserver"})
    entry = LogEntry.objects.get()
    assert entry.object_repr == "Flower: api/worker/pool/grow/w1"
    assert entry.change_message == "POST n=2: answered 200"


def test_the_scripts_within_flower_s_own_pages_are_those_that_are_allowed(
    admin: Client, upstream: type[Handler]
) -> None:
    templates = Path(str(find_spec("flower").submodule_search_locations[0])) / "templates"  # type: ignore
    pages = [path.read_text() for path in templates.glob("*.html")]
    found = {script for page in pages for script in re.findall(r"<script[^>]*>([^<]+)</script>", page)}
    sent = {filter_whitespace("single", script) for script in found}  # as Tornado sends a page
    assert sent == {flower.INLINE_SCRIPTS[1].replace("1", "{{ autorefresh }}")}
    assert "script-src 'self' 'sha256-" in admin.get("/admin/flower/").headers["Content-Security-Policy"]


def test_where_flower_does_not_run_a_page_says_so(admin: Client, settings: Any) -> None:
    settings.FLOWER_PORT = 1
    response = admin.get("/admin/flower/")
    assert response.status_code == 502
    assert b"GAS_FLOWER" in response.content


def test_flower_s_password_is_the_same_in_every_process_and_no_other_secret(settings: Any) -> None:
    assert flower.password() == flower.password()
    assert settings.SECRET_KEY not in flower.password()

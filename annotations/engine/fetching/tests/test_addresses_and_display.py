import io

import pytest

from annotations.engine.fetching.addresses import Mirror, check_address, mirrored
from annotations.engine.fetching.display import Display
from annotations.engine.fetching.errors import FetchError
from annotations.engine.fetching.http import Client
from annotations.engine.fetching.tests.conftest import Bench
from annotations.engine.fetching.tests.publisher import PROXIED, Fault, Publisher


@pytest.mark.parametrize(
    "url", ["http://ftp.ensembl.org/a", "ftp://ftp.ensembl.org/a", "file:///etc/passwd", "x"]
)
def test_only_https_is_fetched(url: str) -> None:
    with pytest.raises(FetchError, match="https only"):
        check_address(url)


@pytest.mark.parametrize(
    "url", ["https://a.org/x", "http://127.0.0.1:8/x", "http://localhost/x", "http://[::1]/x"]
)
def test_https_is_fetched_and_plain_http_from_this_machine_alone(url: str) -> None:
    check_address(url)


def test_a_mirror_stands_for_addresses_that_start_with_the_official_one() -> None:
    mirror = Mirror.parse("https://ftp.ensembl.org/pub=https://mirror.example/ensembl/")
    assert mirrored("https://ftp.ensembl.org/pub/a", [mirror]) == "https://mirror.example/ensembl/a"
    assert mirrored("https://ftp.ensembl.org/public/a", [mirror]) == "https://ftp.ensembl.org/public/a"


@pytest.mark.parametrize("text", ["https://a.org", "a=b", "https://a.org=http://b.org"])
def test_a_mirror_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(FetchError):
        Mirror.parse(text)


def test_a_redirection_from_https_to_http_is_not_followed(publisher: Publisher, bench: Bench) -> None:
    url = "https://ftp.ensembl.org/a"
    elsewhere = Fault(status=302, headers=(("Location", "http://example.org/a"),))
    publisher.put(url, b"", every_time=elsewhere)
    with pytest.raises(FetchError, match=r"http://example\.org/a is not fetched"):
        bench.fetch(url)


def test_a_proxy_is_taken_from_the_environment(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher.put("https://ftp.ensembl.org/a", b"content")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{publisher.port}")
    client = Client((Mirror("https://ftp.ensembl.org", f"{PROXIED}/https://ftp.ensembl.org"),))
    assert client.read("https://ftp.ensembl.org/a") == b"content"
    client.close()


def test_in_a_log_progress_is_a_few_plain_lines() -> None:
    out = io.StringIO()
    display = Display(out)
    with display.meter(40_000_000_000) as meter:
        for _ in range(4000):
            meter.advance(10_000_000)
    lines = out.getvalue().splitlines()
    assert len(lines) == 20
    assert lines[0] == "downloaded 5 % (2.0 GB of 40.0 GB)"
    assert "\x1b" not in out.getvalue()


def test_on_a_terminal_progress_is_a_bar_that_messages_do_not_break(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: True)
    display = Display(out)
    with display.meter(1000) as meter:
        meter.advance(500)
        display.report("[a] message")
    assert "[a] message" in out.getvalue()
    assert "500/1,000 bytes" in out.getvalue() or "0.5/1.0 kB" in out.getvalue()

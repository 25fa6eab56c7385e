import hashlib
import os
import random
from pathlib import Path
from typing import Any

import pytest

from annotations.engine.fetching.checksums import Checksum
from annotations.engine.fetching.errors import FetchError
from annotations.engine.fetching.tests.conftest import Bench, Meter
from annotations.engine.fetching.tests.publisher import Fault, Publisher, http_date

URL = "https://ftp.ensembl.org/pub/release-115/genome.fa.gz"
CONTENT = random.Random(7).randbytes(3_000_000)  # noqa: S311 - the same in every run
MD5 = Checksum("md5", hashlib.md5(CONTENT).hexdigest())  # noqa: S324 - publishers give MD5


def test_a_file_arrives_whole_with_a_record_of_where_it_came_from(publisher: Publisher, bench: Bench) -> None:
    page = publisher.put(URL, CONTENT)
    content, download = bench.fetch(URL, MD5)
    assert content == CONTENT
    assert (download.url, download.bytes, download.etag) == (URL, len(CONTENT), page.version())
    assert download.checksum == f"md5 {MD5.value}"
    assert download.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert download.fetched_at.endswith("+00:00")
    assert bench.meter.bytes == len(CONTENT)


def test_a_cut_connection_goes_on_where_it_stopped(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, faults=[Fault(cut_after=1_200_000), Fault(cut_after=900_000)])
    content, _ = bench.fetch(URL, MD5)
    assert content == CONTENT
    assert sum(request.sent_bytes for request in publisher.gets(URL)) == len(CONTENT)
    assert bench.meter.bytes == len(CONTENT)


def test_a_download_that_was_stopped_is_resumed_by_the_next_run(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT)
    bench.meter.interrupt_at = 1_000_000
    with pytest.raises(KeyboardInterrupt):
        bench.fetch(URL, MD5)
    bench.meter = Meter()
    content, _ = bench.fetch(URL, MD5)
    assert content == CONTENT
    assert publisher.gets(URL)[-1].range is not None
    assert bench.meter.bytes == len(CONTENT)


def test_a_file_that_changed_between_two_runs_is_started_anew(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT)
    bench.meter.interrupt_at = 1_000_000
    with pytest.raises(KeyboardInterrupt):
        bench.fetch(URL)
    newer = CONTENT[::-1]
    publisher.put(URL, newer)
    bench.meter = Meter()
    content, _ = bench.fetch(URL)
    assert content == newer
    assert bench.meter.bytes == len(newer)


def test_a_file_that_changed_is_started_anew_even_by_a_server_that_resumes_regardless(
    publisher: Publisher, bench: Bench
) -> None:
    publisher.put(URL, CONTENT)
    bench.meter.interrupt_at = 1_000_000
    with pytest.raises(KeyboardInterrupt):
        bench.fetch(URL)
    page = publisher.put(URL, CONTENT[::-1], faults=[Fault(ignores_condition=True)])
    bench.meter = Meter()
    content, download = bench.fetch(URL)
    assert content == CONTENT[::-1]
    assert download.etag == page.version()


def test_without_a_version_from_the_server_nothing_is_resumed(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, etag=None, faults=[Fault(cut_after=1_200_000)])
    content, _ = bench.fetch(URL, MD5)
    assert content == CONTENT
    assert [request.range for request in publisher.gets(URL)] == [None, None]


def test_a_weak_etag_is_no_ground_to_resume_and_the_date_is(publisher: Publisher, bench: Bench) -> None:
    date = http_date(1_700_000_000)
    publisher.put(
        URL, CONTENT, etag='W/"x"', headers={"Last-Modified": date}, faults=[Fault(cut_after=1_200_000)]
    )
    _, download = bench.fetch(URL, MD5)
    assert download.last_modified == date
    assert sum(request.sent_bytes for request in publisher.gets(URL)) == len(CONTENT)


def test_a_server_that_knows_no_ranges_sends_the_whole_file_again(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, faults=[Fault(cut_after=1_000_000), Fault(ignores_range=True)])
    content, _ = bench.fetch(URL, MD5)
    assert content == CONTENT
    assert bench.meter.bytes == len(CONTENT)


def test_damaged_bytes_are_fetched_once_more(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, faults=[Fault(flip_at=5)])
    content, _ = bench.fetch(URL, MD5)
    assert content == CONTENT
    assert "arrived damaged" in bench.reports[0]
    assert bench.meter.bytes == len(CONTENT)


def test_a_file_that_stays_damaged_is_refused_and_not_kept(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, every_time=Fault(flip_at=5))
    with pytest.raises(FetchError, match=rf"expected its publisher's md5 {MD5.value}, found md5 \w+.*twice"):
        bench.fetch(URL, MD5)
    assert bench.files() == []


def test_a_length_that_is_announced_too_large_ends_in_an_error_and_not_in_a_loop(
    publisher: Publisher, bench: Bench
) -> None:
    publisher.put(URL, CONTENT, every_time=Fault(claims_more=1000))
    with pytest.raises(FetchError, match="Gave up after 7 tries"):
        bench.fetch(URL, MD5)


def test_a_busy_server_is_asked_again_with_growing_waits(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, faults=[Fault(status=500), Fault(status=503), Fault(status=502)])
    content, _ = bench.fetch(URL, MD5)
    assert content == CONTENT
    assert [0.5 <= bench.waits[0] <= 1, 1 <= bench.waits[1] <= 2, 2 <= bench.waits[2] <= 4] == [True] * 3


def test_a_wait_that_the_server_asks_for_is_kept(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, faults=[Fault(status=429, headers=(("Retry-After", "17"),))])
    bench.fetch(URL, MD5)
    assert bench.waits == [17]


def test_a_server_that_stays_down_is_given_up_with_what_to_do(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, every_time=Fault(status=503))
    with pytest.raises(FetchError, match=r"answered 503.*Gave up after 7 tries.*HTTPS_PROXY.*goes on where"):
        bench.fetch(URL)
    assert len(bench.waits) == 6


def test_a_missing_file_is_not_asked_for_twice(publisher: Publisher, bench: Bench) -> None:
    publisher.put("https://ftp.ensembl.org/other", b"")
    with pytest.raises(FetchError, match=r"answered 404.*--release.*--recipe"):
        bench.fetch(URL)
    assert len(publisher.requests) == 1


def test_an_address_that_is_good_for_get_alone_will_do(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, refuses_head=True)
    content, _ = bench.fetch(URL, MD5)
    assert content == CONTENT


def test_a_file_that_is_forbidden_is_told_with_the_servers_answer(publisher: Publisher, bench: Bench) -> None:
    publisher.put(URL, CONTENT, refuses_head=True, every_time=Fault(status=403))
    with pytest.raises(FetchError, match="answered 403 Forbidden"):
        bench.fetch(URL)


def test_a_file_that_is_here_and_unchanged_is_not_downloaded_again(
    publisher: Publisher, bench: Bench
) -> None:
    publisher.put(URL, CONTENT)
    bench.fetch(URL, MD5)
    _, again = bench.fetch(URL, MD5)
    assert len(publisher.gets(URL)) == 1
    assert again.checksum == str(MD5)
    assert bench.meter.bytes == 2 * len(CONTENT)


def test_a_file_that_is_here_is_downloaded_again_when_its_publisher_has_another(
    publisher: Publisher, bench: Bench
) -> None:
    publisher.put(URL, CONTENT)
    bench.fetch(URL)
    publisher.put(URL, b"newer")
    content, _ = bench.fetch(URL)
    assert content == b"newer"


def test_a_full_disk_says_so_and_keeps_what_has_come(
    publisher: Publisher, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.put(URL, CONTENT)
    bench.folder.mkdir()
    real_open = Path.open

    def open_on_a_full_disk(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        file = real_open(path, mode, *args, **options)
        if mode != "ab":
            return file
        real_write = file.write

        class Full:
            def __enter__(self) -> "Full":
                return self

            def __exit__(self, *error: object) -> None:
                file.close()

            def write(self, chunk: bytes) -> int:
                if file.tell() + len(chunk) > 2_000_000:
                    raise OSError(28, os.strerror(28))
                return int(real_write(chunk))

        return Full()

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_on_a_full_disk)
        with pytest.raises(FetchError, match=r"No space left on device.*Make room.*goes on where it stopped"):
            bench.fetch(URL, MD5)
    content, _ = bench.fetch(URL, MD5)
    assert content == CONTENT
    assert publisher.gets(URL)[-1].range not in {None, "bytes=0-"}

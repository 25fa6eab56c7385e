import base64
import hashlib
import random
from pathlib import Path

import pytest

from annotations.engine.fetching import checksums
from annotations.engine.fetching.checksums import Checksum
from annotations.engine.fetching.errors import FetchError

URL = "https://example.org/CHECKSUMS"
MD5 = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("09342 917 a.fa.gz", Checksum("sum", "9342 917")),
        (f"{MD5}  a.fa.gz", Checksum("md5", MD5)),
        (f"{MD5.upper()} */pub/tmp/a.fa.gz", Checksum("md5", MD5)),
        (f"MD5 (a.fa.gz) = {MD5}", Checksum("md5", MD5)),
        (f"{'ab' * 32}  ./a.fa.gz", Checksum("sha256", "ab" * 32)),
    ],
)
def test_a_list_gives_the_checksum_of_the_file_in_the_publishers_own_form(
    line: str, expected: Checksum
) -> None:
    content = f"00001 2 b.fa.gz\n{'0' * 32}  xa.fa.gz\n00001 2 xa.fa.gz\n{line}\n".encode()
    assert checksums.listed(content, "a.fa.gz", URL) == expected


def test_a_sidecar_may_call_the_file_by_another_name() -> None:
    content = f"{MD5}  /net/build/clinvar_20251101.vcf.gz\n".encode()
    assert checksums.listed(content, "clinvar.vcf.gz", URL) == Checksum("md5", MD5)


def test_a_list_without_the_file_is_an_error_that_shows_what_was_found() -> None:
    with pytest.raises(FetchError, match=r"no checksum of a\.fa\.gz.*found 1 lines, the first '<html>'"):
        checksums.listed(b"<html>\n", "a.fa.gz", URL)


def test_googles_header_gives_the_md5_in_base64() -> None:
    digest = base64.b64encode(bytes.fromhex(MD5)).decode()
    headers = {"X-Goog-Hash": f"crc32c=abcd==, md5={digest}"}
    assert checksums.in_goog_header(headers, URL) == Checksum("md5", MD5)
    with pytest.raises(FetchError, match="x-goog-hash"):
        checksums.in_goog_header({}, URL)


def test_the_sum_is_that_of_bsd_with_and_without_coreutils(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello\n")
    assert checksums.bsd_sum_in_python(path) == "36979 1"  # as BSD's and GNU's sum print it
    path.write_bytes(random.Random(3).randbytes(100_001))  # noqa: S311 - the same in every run
    assert checksums.bsd_sum(path) == checksums.bsd_sum_in_python(path)


def test_a_checksum_in_a_recipe_must_look_like_one() -> None:
    assert checksums.given(f"md5 {MD5}") == Checksum("md5", MD5)
    for wrong in (f"sha256 {MD5}", "md5 xyz", MD5):
        with pytest.raises(FetchError, match="is no checksum"):
            checksums.given(wrong)


def test_a_digest_is_of_the_kind_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    assert checksums.digest_of(path, "sha256").value == hashlib.sha256(b"x").hexdigest()

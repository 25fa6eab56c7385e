"""What a file is packed in: what is unpacked, what is mended, and what is no VCF."""

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pysam
import pytest

from annotations.engine.check import container
from annotations.engine.check.limits import Limits
from annotations.engine.check.report import Report
from annotations.engine.check.tests.samples import HEADER_LINES, record, vcf

Check = Callable[..., Report]
FIRST_RECORD = len(HEADER_LINES) + 2
TEXT = vcf(*(record(POS=str(position)) for position in range(1, 5000)))


def bgzf(text: str, folder: Path) -> bytes:
    path = folder / "packed.vcf.gz"
    with pysam.BGZFile(str(path), "w", None) as file:
        file.write(text.encode())
    return path.read_bytes()


def zipped(text: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.vcf", text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "file is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "PNG image"),
        (zipped(TEXT), "ZIP archive"),
        (lzma.compress(TEXT.encode()), "xz archive"),
        (gzip.compress(b"BAM\x01" + b"\0" * 50, mtime=0), "a BAM file of aligned reads (compressed)"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"\n <HTML><body>", "web page"),
        (b"%PDF-1.7", "PDF"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 50, "binary file"),
        (b">chr1\nACGT\n", "FASTA"),
        (gzip.compress(gzip.compress(TEXT.encode(), mtime=0), mtime=0), "compressed twice"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (b"\x1f\x8bnot really", "cannot be unpacked"),
    ],
)
def test_what_is_no_vcf_is_called_by_its_name_and_advice_is_given(
    check: Check, content: bytes, told: str
) -> None:
    report = check(content)
    assert not report.usable
    assert told in report.problems[0].message
    assert str(report.problems[0]).startswith(("Before line 1: ", "Byte 0: "))
    assert report.problems[0].message.count(".") >= 1


@pytest.mark.parametrize("content", [b"hello world\n", b"gene,score\nA,1\n", b"#just a comment\n", b"\n\n\n"])
def test_text_that_is_no_vcf_is_refused_with_a_line(check: Check, content: bytes) -> None:
    report = check(content)
    assert not report.usable
    assert report.problems[0].line is not None


def test_records_without_a_header_are_told_so(check: Check) -> None:
    report = check(record() + "\n")
    assert "expected the header" in report.problems[0].message


def test_bgzf_and_plain_gzip_are_unpacked(check: Check, tmp_path: Path) -> None:
    packed = check(bgzf(TEXT, tmp_path))
    plain = check(gzip.compress(TEXT.encode()))
    assert (packed.container, packed.records, packed.notes) == ("BGZF", 4999, [])
    assert (plain.container, plain.records) == ("gzip", 4999)
    assert [note.code for note in plain.notes] == ["plain-gzip"]


def test_gzip_of_several_members_and_padding_is_read_to_its_end(check: Check) -> None:
    half = len(TEXT) // 2
    parts = gzip.compress(TEXT[:half].encode()) + gzip.compress(b"") + gzip.compress(TEXT[half:].encode())
    assert check(parts + b"\0" * 700).records == 4999


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused_with_the_byte_where_it_ends(
    check: Check, tmp_path: Path, kept: float
) -> None:
    for whole in (gzip.compress(TEXT.encode()), bgzf(TEXT, tmp_path)):
        cut = whole[: int(len(whole) * kept)]
        report = check(cut)
        assert [problem.code for problem in report.problems] == ["truncated"]
        assert report.problems[0].byte == len(cut)
        assert "Upload it again" in report.problems[0].message


def test_bgzf_without_its_end_block_is_refused(check: Check, tmp_path: Path) -> None:
    report = check(bgzf(TEXT, tmp_path).removesuffix(container.BGZF_END))
    assert [problem.code for problem in report.problems] == ["truncated"]
    assert "end-of-file block" in report.problems[0].message


def test_damaged_compression_is_refused_with_its_byte(check: Check) -> None:
    packed = bytearray(gzip.compress(TEXT.encode()))
    packed[len(packed) // 2] ^= 0xFF
    report = check(bytes(packed))
    assert [problem.code for problem in report.problems][-1] == "damaged-compression"
    assert "Byte" in report.problems[-1].where


def test_something_else_after_the_compressed_data_is_refused(check: Check) -> None:
    packed = gzip.compress(TEXT.encode())
    report = check(packed + b"trailing")
    assert (report.problems[0].code, report.problems[0].byte) == ("damaged-compression", len(packed))


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(check: Check) -> None:
    deflate = zlib.compressobj(9, wbits=31)
    start = deflate.compress(vcf(record()).encode())
    zeros = b"".join(deflate.compress(b"\n" * (1 << 20)) for _ in range(64))
    report = check(start + zeros + deflate.flush(), Limits(free_bytes=1 << 20))
    assert "too-compressed" in [problem.code for problem in report.problems]


def test_bytes_lines_samples_and_records_are_capped(check: Check) -> None:
    packed = gzip.compress(TEXT.encode())
    assert check(packed, Limits(unpacked_bytes=1000)).problems[0].code == "too-large"
    assert check(TEXT, Limits(records=100)).problems[0].code == "too-many-records"
    few = check(TEXT, Limits(samples=1)).problems[0]
    assert (few.code, few.line) == ("too-many-samples", FIRST_RECORD - 1)
    long = check(vcf(record(), record(INFO="NOTE=" + "x" * 500)), Limits(line_bytes=300)).problems[0]
    assert (long.code, long.line) == ("line-too-long", FIRST_RECORD + 1)
    many = check(b"".join(gzip.compress(b"\n") for _ in range(container.MANY_MEMBERS + 10)))
    assert "too-many-pieces" in [problem.code for problem in many.problems]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xef\xbb\xbf" + TEXT.encode(), "byte-order-mark"),
        (TEXT.replace("\n", "\r\n").encode(), "windows-line-ends"),
        (TEXT.replace("\n", "\r").encode(), "mac-line-ends"),
        (TEXT.removesuffix("\n").encode(), "no-last-newline"),
    ],
)
def test_byte_order_marks_and_line_ends_are_mended_and_noted(check: Check, content: bytes, code: str) -> None:
    report = check(content)
    assert report.usable
    assert report.records == 4999
    assert [note.code for note in report.notes] == [code]


def test_windows_line_ends_are_mended_wherever_blocks_divide(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = TEXT.replace("\n", "\r\n").encode()
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr(container, "BLOCK_BYTES", size)
        report = check(content[:3000].rpartition(b"\n")[0] + b"\n")
        assert report.usable, str(report.problems)


def test_a_bcf_is_converted_and_noted(check: Check, tmp_path: Path) -> None:
    source, bcf = tmp_path / "a.vcf", tmp_path / "a.bcf"
    source.write_text(vcf(record()))
    with (
        pysam.VariantFile(str(source)) as reading,
        pysam.VariantFile(str(bcf), "wb", header=reading.header) as out,
    ):
        for one in reading:
            out.write(one)
    report = check(bcf)
    assert (report.container, report.records, report.usable) == ("BCF", 1, True)
    assert "bcf" in [note.code for note in report.notes]
    damaged = check(bcf.read_bytes()[:100])
    assert not damaged.usable


def test_a_nul_byte_and_bytes_that_are_no_utf8_are_refused_with_their_line(check: Check) -> None:
    nul = check(vcf(record(), record(INFO="NOTE=a\0b")))
    assert [(p.code, p.line) for p in nul.problems] == [("nul-byte", FIRST_RECORD + 1)]
    latin = check(vcf(record(), record(INFO="NOTE=caf") + "\xe9").encode("latin-1"))
    assert next((p.code, p.line) for p in latin.problems) == ("not-utf8", FIRST_RECORD + 1)
    header = check(vcf(record()).replace("Depth", "Tiefe \xfc").encode("latin-1"))
    assert [(p.code, p.line) for p in header.problems] == [("not-utf8", 4)]

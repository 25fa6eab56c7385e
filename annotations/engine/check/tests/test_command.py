"""`python -m annotations.engine INPUT --check-only`."""

import gzip
import json
import lzma
from pathlib import Path

import pysam
import pytest

from annotations.engine.__main__ import main
from annotations.engine.bgzf import BgzfWriter
from annotations.engine.check.tests.samples import HEADER_LINES, record, vcf
from annotations.engine.check.tests.test_container import zipped

TEXT = vcf(record(), record(POS="2000"))
REFUSED = {
    "a PNG": (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "not-a-vcf"),
    "a ZIP": (zipped(TEXT), "not-a-vcf"),
    "an xz": (lzma.compress(TEXT.encode()), "not-a-vcf"),
    "a BAM": (gzip.compress(b"BAM\x01" + b"\0" * 50, mtime=0), "not-a-vcf"),
    "a web page": (b"<!DOCTYPE html><html></html>", "not-a-vcf"),
    "nothing": (b"", "empty"),
    "truncated gzip": (gzip.compress(TEXT.encode(), mtime=0)[:-9], "truncated"),
    "a bomb": (gzip.compress(TEXT.encode() + b"1" * (80 << 20), mtime=0), "too-compressed"),
    "too few columns": (vcf(record().rpartition("\t")[0]), "wrong-field-count"),
    "spaces for tabs": (vcf(record().replace("\t", " ")), "spaces-for-tabs"),
    "POS": (vcf(record(POS="1e3")), "bad-pos"),
    "REF": (vcf(record(REF="AX")), "bad-ref"),
    "ALT": (vcf(record(ALT="-")), "bad-alt"),
    "QUAL": (vcf(record(QUAL="high")), "bad-qual"),
    "genotype": (vcf(record(S1="0/2:5,5:90,0,90")), "bad-genotype"),
    "POS past the end": (vcf(record(POS="248956499")), "pos-beyond-contig"),
    "a malformed header line": (vcf(header=(*HEADER_LINES, "##INFO=<ID=X,Number=1>")), "bad-declaration"),
    "duplicate columns": (vcf(record(), samples=("S1", "S1")), "duplicate-column"),
    "NUL bytes": (TEXT.replace("rs1", "rs\0").encode(), "nul-byte"),
    "invalid UTF-8": (TEXT.encode().replace(b"rs1", b"rs\xff"), "not-utf8"),
}
MENDED = {
    "a byte order mark": (b"\xef\xbb\xbf" + TEXT.encode(), "byte-order-mark"),
    "Windows line ends": (TEXT.replace("\n", "\r\n"), "windows-line-ends"),
    "plain gzip": (gzip.compress(TEXT.encode(), mtime=0), "plain-gzip"),
    "no contig lines": (vcf(record(), header=(HEADER_LINES[0], *HEADER_LINES[2:])), "no-contigs"),
    "undeclared tags": (vcf(record(INFO="NEW=1")), "undeclared"),
    "unsorted": (vcf(record(POS="9"), record(POS="5")), "unsorted"),
    "VCF 3.3": (
        '##fileformat=VCFv3.3\n##INFO=DP,1,Integer,"Depth"\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t5\t.\tA\tC\t9\tPASS\tDP=3\n",
        "old-version",
    ),
}
PASSED = {
    "symbolic alleles": record(ALT="<DEL>", INFO="END=2000", S1="0/1:.:.", S2="."),
    "breakends": record(ALT="A[1:5000[", INFO=".", S1="0/1:.:.", S2="."),
    "a spanning deletion": record(ALT="G,*", INFO=".", S1="0/2:.:.", S2="."),
    "a gVCF block": record(ALT="<NON_REF>", INFO="END=2000", S1="0/0:.:.", S2="."),
}


def checked(
    content: str | bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, list[str]]]:
    """The exit code, and the codes of problems and notes that are printed."""
    path = tmp_path / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    exit_code = main([str(path), "--check-only"])
    report = json.loads(capsys.readouterr().out)
    assert report["usable"] is (exit_code == 0)
    return exit_code, {kind: [one["code"] for one in report[kind]] for kind in ("problems", "notes")}


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_exits_with_2_and_says_why(
    content: str | bytes, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code, told = checked(content, tmp_path, capsys)
    assert (exit_code, told["problems"][:1]) == (2, [code])


@pytest.mark.parametrize(("content", "code"), MENDED.values(), ids=MENDED)
def test_what_can_be_mended_exits_with_0_and_is_noted(
    content: str | bytes, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code, told = checked(content, tmp_path, capsys)
    assert (exit_code, told["problems"]) == (0, [])
    assert code in told["notes"]


@pytest.mark.parametrize("line", PASSED.values(), ids=PASSED)
def test_what_has_no_bases_of_its_own_exits_with_0(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(vcf(line), tmp_path, capsys)[0] == 0


def test_bgzf_without_its_end_and_a_bcf_have_their_exit_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = tmp_path / "a.vcf.gz"
    with BgzfWriter(packed) as file:
        file.write(TEXT.encode())
    exit_code, told = checked(packed.read_bytes()[:-28], tmp_path, capsys)
    assert (exit_code, told["problems"]) == (2, ["truncated"])
    with (
        pysam.VariantFile(str(packed)) as source,
        pysam.VariantFile(str(tmp_path / "a.bcf"), "wb", header=source.header) as target,
    ):
        for one in source:
            target.write(one)
    exit_code, told = checked((tmp_path / "a.bcf").read_bytes(), tmp_path, capsys)
    assert (exit_code, "bcf" in told["notes"]) == (0, True)


def test_a_usable_file_exits_with_0_and_prints_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.vcf"
    path.write_text(vcf(record()))
    assert main([str(path), "--check-only"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["format"], report["usable"], report["records"], report["samples"]) == (1, True, 1, 2)


def test_an_unusable_file_exits_with_2_and_prints_its_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.vcf"
    path.write_text(vcf(record(), record(POS="x")))
    assert main([str(path), "--check-only"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["code"], problem["line"], problem["column"], problem["count"]) == (
        "bad-pos",
        13,
        "POS",
        1,
    )
    assert problem["text"].startswith("Line 13, POS: expected a whole number")


def test_annotating_needs_a_reference_and_an_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([str(tmp_path / "a.vcf")])
    assert end.value.code == 2
    assert "--reference and --output" in capsys.readouterr().err

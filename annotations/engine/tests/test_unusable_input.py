"""An upload that cannot be annotated is refused with what is wrong, where, and what to do."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.demo import build_demo, sample_of
from annotations.engine.errors import UnusableInput
from annotations.engine.layout import Rules
from annotations.engine.tests.conftest import Annotate

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
HEADER = f"##fileformat=VCFv4.2\n{COLUMNS}\n"


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("references")


@pytest.fixture(scope="module")
def demo(references: Path) -> ReferenceBundle:
    return build_demo(references)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n....", "PNG image"),
        (b"PK\x03\x04....", "ZIP archive"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (gzip.compress(b"BAM\x01....", mtime=0), "BAM file"),
        (gzip.compress(HEADER.encode() * 99, mtime=0)[:60], "cut off"),
        (b"\x1f\x8b\x08\x00nonsense that is no gzip", "cannot be unpacked|damaged"),
        (b"hello\nworld\n", "expected ##fileformat"),
        (b"##fileformat=VCFv4.2\n1\t5\t.\tA\tC\t.\t.\t.\n", "Line 2: the #CHROM line .* is missing"),
        (HEADER.replace("\t", "  ").encode(), "divided by spaces"),
        (HEADER.encode() + b"1\t5\t.\tA\tC\t.\t.\t.\t.\n", "Line 3: expected 8 columns, .* found 9"),
        (
            HEADER.encode() + b"1\t5\t.\tA\tC\t.\t.\t.\n1\tx5\t.\tA\tC\t.\t.\t.\n",
            "Line 4, POS: expected .* found 'x5'",
        ),
        (HEADER.encode() + b"1\t5\t.\t-\tC\t.\t.\t.\n", "Line 3, REF: expected .* found '-'"),
        (HEADER.encode() + b"1\t5\t.\tA\tC;G\t.\t.\t.\n", "Line 3, ALT: expected .* found 'C;G'"),
        (HEADER.encode() + b"1\t5\t.\tA\tC\thigh\t.\t.\n", "Line 3, QUAL: expected .* found 'high'"),
        (HEADER.encode() + b"1 5 . A C . . .\n", "Line 3: columns are divided by spaces"),
        (HEADER.encode() + b"1\t99999999999\t.\tA\tC\t.\t.\t.\n", "Line 3, POS: expected"),
        (HEADER.encode() + b"1\t5\t.\tA\tC\t.\t.\tX=\xff\n", "Line 3: byte 0xff is not valid UTF-8"),
        (HEADER.encode() + b"1\t5\t.\tA\tC\t.\t.\tX=\0\n", "Line 3: a NUL byte"),
        (
            HEADER.encode() + b"nowhere\t5\t.\tA\tC\t.\t.\t.\n",
            r"Line 3, CHROM: none of the file's contigs \(nowhere\)",
        ),
        (HEADER.replace("INFO", "INFO\tFORMAT\tA\tA").encode(), "'A' stands there more than once"),
    ],
)
def test_what_is_wrong_is_said(
    run: Annotate, demo: ReferenceBundle, tmp_path: Path, content: bytes, message: str
) -> None:
    source = tmp_path / "upload.vcf"
    source.write_bytes(content)
    with pytest.raises(UnusableInput, match=message):
        run(source, demo)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (Rules(max_bytes=10), "more than 10 bytes"),
        (Rules(max_line_bytes=20), "longer than 20 bytes"),
        (Rules(max_samples=1), "2 samples, and at most 1"),
    ],
)
def test_limits_hold(run: Annotate, demo: ReferenceBundle, rules: Rules, message: str) -> None:
    text = HEADER.replace("INFO", "INFO\tFORMAT\tA\tB") + "1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1\n"
    with pytest.raises(UnusableInput, match=message):
        run(text, demo, rules=rules)


def test_equal_faults_are_told_once_with_their_number(run: Annotate, demo: ReferenceBundle) -> None:
    with pytest.raises(UnusableInput) as caught:
        run(HEADER + "1\tx\t.\tA\tC\t.\t.\t.\n" * 150, demo)
    assert len(caught.value.problems) == 1
    assert "149 more like this" in str(caught.value)
    [finding] = caught.value.findings
    assert (finding.code, finding.line, finding.column, finding.count) == ("bad-pos", 3, "POS", 150)


def test_a_child_tells_the_same_as_this_process(
    run: Annotate, demo: ReferenceBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HEADER + "1\tx\t.\tA\tC\t.\t.\t.\n" + "1\t5\t.\t\tC\t.\t.\t.\n"
    findings = []
    for large_bytes in (1 << 20, 1):
        monkeypatch.setattr("annotations.engine.annotate.LARGE_BYTES", large_bytes)
        with pytest.raises(UnusableInput) as caught:
            run(text, demo)
        findings.append((caught.value.findings, caught.value.problems, str(caught.value)))
    assert findings[0] == findings[1]
    assert len(findings[0][0]) == 2


def test_a_header_alone_gives_an_empty_result(run: Annotate, demo: ReferenceBundle) -> None:
    result = run(HEADER, demo)
    assert result.records == []
    assert "Total: 0" in result.log


def command(source: Path, references: Path, output: Path) -> subprocess.CompletedProcess[str]:
    reference = next(references.glob("*/*/manifest.json")).parent
    arguments = [str(source), "--reference", str(reference), "--output", str(output)]
    return subprocess.run(
        [sys.executable, "-m", "annotations.engine", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_prints_one_line_and_exits_with_2(
    demo: ReferenceBundle, references: Path, tmp_path: Path
) -> None:
    source = tmp_path / "bad.vcf"
    source.write_text("nonsense\n")
    ended = command(source, references, tmp_path / "out")
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_the_command_annotates_the_demo(demo: ReferenceBundle, references: Path, tmp_path: Path) -> None:
    ended = command(sample_of(references), references, tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    assert '"records_out"' in ended.stdout

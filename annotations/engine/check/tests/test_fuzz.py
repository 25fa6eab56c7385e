"""No input ends a check in anything but a report whose every problem says where it is.

A short run by default; `make fuzz` (FUZZ_EXAMPLES, FUZZ_MUTATIONS, FUZZ_SEED) a long one.
"""

import gzip
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.engine.check import container
from annotations.engine.check.explain import Explainer
from annotations.engine.check.limits import Limits
from annotations.engine.check.report import Report
from annotations.engine.check.tests.samples import FIXED, HEADER_LINES, vcf
from annotations.engine.check.upload import UploadCheck, check_upload

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
MUTATIONS = int(os.environ.get("FUZZ_MUTATIONS", "12"))
SEED = int(os.environ.get("FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
REAL_FILES = (
    "gas/free_1.vcf",
    "gas/premium_2.vcf",
    "gas/test.vcf",
    "grch38_chr21/vep_example_GRCh38.vcf",
    "grch38_chr21/vep_test.vcf",
    "vcf_spec/4.2/passed/complexfile_passed_000.vcf",
)
SMALL = Limits(unpacked_bytes=8 << 20, free_bytes=1 << 20, line_bytes=1 << 20, samples=1000)

Check = Callable[..., Report]


def see_that_nothing_is_left(report: Report, scratch: Path) -> None:
    """Every problem says where it is; no thread or file outlives the check."""
    assert report.usable == (not report.problems)
    for finding in [*report.problems, *report.notes]:
        assert str(finding).startswith(("Line ", "Byte ", "Before line 1"))
        assert str(finding).isprintable()
        assert finding.line is None or finding.line >= 1
    for problem in report.problems:
        assert problem.line is not None or problem.code in CONTAINER_CODES, problem
    assert report.as_json()
    assert list(scratch.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("unpack")]


CONTAINER_CODES = {
    "empty",
    "not-a-vcf",
    "not-utf8",
    "packed-twice",
    "truncated",
    "damaged-compression",
    "damaged-bcf",
    "too-compressed",
    "too-many-pieces",
    "too-large",
}

odd = st.text(st.sampled_from('ACGTN.,;:=|/<>[]*-+01239eE"\\ %\r\0\x01\x7f#éGTDPAF'), max_size=12)
field = st.one_of(
    odd, st.sampled_from(["1", ".", "A", "0/1", "GT", "GT:DP", "DP=1", "AF=0.1,.", "PASS", "<DEL>"])
)
line = st.lists(field, max_size=14).map("\t".join)
declaration = st.builds(
    "##{}=<{}>".format, st.sampled_from(["INFO", "FORMAT", "contig", "ALT", "FILTER"]), odd
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.one_of(declaration, odd), max_size=4), st.lists(line, max_size=6), st.booleans())
def test_odd_headers_and_records_end_in_a_report(
    tmp_path: Path, header: list[str], records: list[str], packed: bool
) -> None:
    text = vcf(*records, header=(*HEADER_LINES, *header)).encode()
    see_that_nothing_is_left(*checked(tmp_path, gzip.compress(text) if packed else text))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"##fileformat=VCFv4.2\n", b"\x1f\x8b\x08\0", b"BCF\x02\x02"]),
)
def test_any_bytes_end_in_a_report(tmp_path: Path, content: bytes, start: bytes) -> None:
    see_that_nothing_is_left(*checked(tmp_path, b"" if start.startswith(b"BCF") else start + content))


@pytest.mark.parametrize("name", REAL_FILES)
def test_broken_real_files_end_in_a_report(shared_data: Path, tmp_path: Path, name: str) -> None:
    whole = (shared_data / name).read_bytes()
    for number in range(MUTATIONS):
        seed = f"{SEED}-{name}-{number}"
        broken = mutate(whole, random.Random(seed))  # noqa: S311 - to be repeated, not to be secret
        try:
            see_that_nothing_is_left(*checked(tmp_path, broken))
        except BaseException as error:
            error.add_note(f"FUZZ_SEED={SEED}, mutation {seed}")
            raise


@pytest.mark.parametrize("name", [*REAL_FILES, "grch38_chr21/PG_NA12878_hg38-chr21.vcf.gz"])
def test_the_close_look_finds_no_fault_in_what_the_screen_lets_pass(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    upload = UploadCheck(shared_data / name, tmp_path)
    explained = 0
    for block in upload.blocks():
        explainer: Explainer = upload._explainer
        for one in block.lines.series()[:2000]:
            assert list(explainer.explain(one, 1)) == []
            explained += 1
    assert explained


def test_faults_are_found_wherever_blocks_divide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_data: Path
) -> None:
    text = (shared_data / "gas/premium_2.vcf").read_text().splitlines()[:60]
    text[40] = text[40].replace("\t", " ")
    text[50] = text[50].rpartition("\t")[0]
    content = ("\n".join(text) + "\n").encode()
    found = set()
    for size in (1, 100, 5000, 1 << 20):
        monkeypatch.setattr(container, "BLOCK_BYTES", size)
        report, _ = checked(tmp_path, content)
        found.add(tuple((problem.code, problem.line) for problem in report.problems))
    assert found == {(("spaces-for-tabs", 41), ("wrong-field-count", 51))}


def checked(folder: Path, content: bytes) -> tuple[Report, Path]:
    upload, scratch = folder / "upload", folder / "scratch"
    upload.write_bytes(content)
    scratch.mkdir(exist_ok=True)
    before = psutil.Process().children()  # other tests' servers
    report = check_upload(upload, scratch, limits=SMALL)
    assert psutil.Process().children() == before, "a child process outlives the check"
    return report, scratch


def mutate(whole: bytes, chance: random.Random) -> bytes:
    """One to three changes to bytes, lines or columns; some of the results packed and cut."""
    content = whole
    for _ in range(chance.randint(1, 3)):
        lines = content.split(b"\n")
        at = chance.randrange(len(lines))
        kind = chance.randrange(8)
        if kind == 0:
            flipped = bytearray(content)
            for _ in range(chance.randint(1, 20)):
                flipped[chance.randrange(len(flipped))] = chance.randrange(256)
            content = bytes(flipped)
        elif kind == 1:
            content = content[: chance.randrange(1, len(content) + 1)]
        elif kind == 2:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
            content = b"\n".join(lines)
        elif kind == 3:
            columns = lines[at].split(b"\t")
            del columns[chance.randrange(len(columns))]
            lines[at] = b"\t".join(columns)
            content = b"\n".join(lines)
        elif kind == 4:
            drop = chance.randrange(len(FIXED))
            content = b"\n".join(
                b"\t".join(c for n, c in enumerate(one.split(b"\t")) if n != drop) for one in lines
            )
        elif kind == 5:
            content = b"\n".join(lines[:at] + lines[at:] * 2)
        elif kind == 6:
            content = content.replace(
                *chance.choice([(b"\t", b" "), (b"\n", b"\r\n"), (b"\n", b"\r"), (b"=", b"")])
            )
        else:
            del lines[at]
            content = b"\n".join(lines)
        content = content or b"\n"
    if chance.random() < 0.2:
        packed = gzip.compress(content)
        return packed[: chance.randrange(len(packed) + 1)]
    return content

"""`python -m annotations.engine INPUT --check-only`."""

import json
from pathlib import Path

import pytest

from annotations.engine.__main__ import main
from annotations.engine.check.tests.samples import record, vcf


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

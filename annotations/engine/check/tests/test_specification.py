"""The VCF specification's own conformance files."""

from pathlib import Path

import pytest

from annotations.engine.check.upload import check_upload
from benchmarks.vcf_spec import TAKEN, UNSTATED, judge, reason_for


@pytest.mark.parametrize("version", ["4.1", "4.2"])
def test_every_faultless_file_is_accepted(shared_data: Path, tmp_path: Path, version: str) -> None:
    for path in sorted((shared_data / "vcf_spec" / version / "passed").glob("*.vcf")):
        assert [str(problem) for problem in check_upload(path, tmp_path).problems] == [], path.name


@pytest.mark.parametrize("version", ["4.1", "4.2"])
def test_every_faulty_file_is_refused_for_its_fault_or_taken_for_a_reason(
    shared_data: Path, tmp_path: Path, version: str
) -> None:
    for path in sorted((shared_data / "vcf_spec" / version / "failed").glob("*.vcf")):
        verdict = judge(path, tmp_path)
        assert verdict.names_the_fault or reason_for(verdict.cause, UNSTATED | TAKEN), path.name

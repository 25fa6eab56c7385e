"""bcftools' own cases for csq: what --keep-bcsq keeps is what bcftools expects of itself."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotations.engine.building import BundleRecipe, build_bundle
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.child import run_bcftools
from annotations.engine.tests.conftest import SHARED_DATA, Annotate

CASES = SHARED_DATA / "csq"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"bcftools' cases are not at {CASES}")


def cases(ending: str) -> list[Path]:
    return sorted(path for path in CASES.glob(f"*/*{ending}") if path.with_suffix(".vcf").exists())


def case_id(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(scope="module")
def bundle_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, ReferenceBundle]]:
    yield {}


@pytest.fixture
def case_bundle(
    request: pytest.FixtureRequest,
    bundle_of: dict[Path, ReferenceBundle],
    tmp_path_factory: pytest.TempPathFactory,
) -> ReferenceBundle:
    folder = request.getfixturevalue("expected").parent
    if folder not in bundle_of:
        recipe = BundleRecipe(
            name=folder.name, version="1", fasta=next(folder.glob("*.fa")), gff=next(folder.glob("*.gff"))
        )
        bundle_of[folder] = build_bundle(recipe, tmp_path_factory.mktemp("references"))
    return bundle_of[folder]


@pytest.mark.parametrize("expected", cases(".txt-l"), ids=case_id)
def test_consequences_of_each_record_by_itself(
    expected: Path, case_bundle: ReferenceBundle, run: Annotate
) -> None:
    result = run(expected.with_suffix(".vcf"), case_bundle, keep_bcsq=True)
    assert bcsq_lines(result.records) == expected_lines(expected)


@pytest.mark.parametrize("expected", cases(".txt"), ids=case_id)
def test_consequences_of_haplotypes(
    expected: Path, case_bundle: ReferenceBundle, run: Annotate, tmp_path: Path
) -> None:
    result = run(expected.with_suffix(".vcf"), case_bundle, keep_bcsq=True, haplotype_aware=True)
    if len(result.records[0]) > 9:
        assert translated(result.vcf, tmp_path, "%POS\t%REF\t%ALT\t%TBCSQ") == sample_lines(
            expected.read_text()
        )
    else:
        assert bcsq_lines(result.records) == expected_lines(expected)


def bcsq_lines(records: list[list[str]]) -> list[str]:
    lines = []
    for fields in records:
        info = dict(field.partition("=")[::2] for field in fields[7].split(";"))
        lines.append(line_of(fields[1], fields[3], fields[4], info.get("BCSQ", ".")))
    return lines


def line_of(pos: str, ref: str, alt: str, entries: str) -> str:
    return "\t".join([pos, ref, alt, ",".join(sorted(entries.split(",")))])


def expected_lines(path: Path) -> list[str]:
    """Of each record the second line: the first is what the case's author hoped for."""
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    return [line_of(*line.split("\t")) for line in lines[1::2]]


def translated(vcf: Path, scratch: Path, form: str) -> Counter[str]:
    """Consequences by sample and haplotype, as `bcftools query` reads them from INFO and FORMAT/BCSQ."""
    out = scratch / "query.txt"
    run_bcftools(["query", "-f", f"[{form}\n]", "-o", str(out), str(vcf)], scratch)
    return sample_lines(out.read_text())


def sample_lines(text: str) -> Counter[str]:
    lines = (line.split("\t") for line in text.splitlines() if line.strip())
    told = (fields for fields in lines if set(fields[3:]) != {"."})
    return Counter("\t".join(",".join(sorted(field.split(","))) for field in fields) for fields in told)


def bundle_of_folder(name: str, references: Path) -> ReferenceBundle:
    folder = CASES / name
    recipe = BundleRecipe(
        name=name, version="1", fasta=next(folder.glob("*.fa")), gff=next(folder.glob("*.gff"))
    )
    return build_bundle(recipe, references)


def test_what_lies_behind_a_stop_on_the_same_haplotype(run: Annotate, tmp_path: Path) -> None:
    bundle = bundle_of_folder("ENST00000000000", tmp_path / "references")
    case = CASES / bundle.name / "upstream-stop"
    result = run(case.with_suffix(".vcf"), bundle, keep_bcsq=True, haplotype_aware=True)
    found = translated(result.vcf, tmp_path, "%POS\t%REF\t%ALT\t%SAMPLE\t%GT\t%TBCSQ")
    assert found == sample_lines(case.with_suffix(".cmd.out").read_text())


def test_a_lost_start_under_the_standard_code(run: Annotate, tmp_path: Path) -> None:
    bundle = bundle_of_folder("ENST00000368801.2", tmp_path / "references")
    case = CASES / bundle.name / "alt-gencode"
    result = run(case.with_suffix(".vcf"), bundle, keep_bcsq=True, haplotype_aware=True)
    expected = case.with_suffix(".1.cmd.out").read_text().strip()
    assert f"BCSQ={expected};" in result.records[0][7]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_records_are_judged_without_those_left_out(run: Annotate, tmp_path: Path, number: int) -> None:
    bundle = bundle_of_folder("ENSMUST00000121418", tmp_path / "references")
    case = CASES / bundle.name / "filter-problem"
    lines = case.with_suffix(f".{number}.cmd.out").read_text().splitlines()
    expected = [line_of(*line.split("\t")) for line in lines if not line.endswith("\t.")]
    taken = {line.split("\t")[0] for line in expected}
    text = [
        line
        for line in case.with_suffix(".vcf").read_text().splitlines(keepends=True)
        if line.startswith("#") or line.split("\t")[1] in taken
    ]
    result = run("".join(text), bundle, keep_bcsq=True, haplotype_aware=True)
    assert bcsq_lines(result.records) == expected

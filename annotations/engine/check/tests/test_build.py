"""Which genome a file was made on, held against the reference that was chosen."""

from collections.abc import Callable
from pathlib import Path

import pytest

from annotations.engine.annotate import annotate
from annotations.engine.building import BundleRecipe, build_bundle
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.check.genomes import BUILDS
from annotations.engine.check.report import Report
from annotations.engine.check.upload import check_upload

Check = Callable[..., Report]
HEADER = "##fileformat=VCFv4.2\n{}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture(scope="module")
def chr21(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ReferenceBundle:
    data = shared_data / "grch38_chr21"
    recipe = BundleRecipe(
        name="GRCh38",
        version="chr21",
        fasta=data / "GRCh38.chr21.slice_masked.fa.gz",
        gff=data / "Ensembl.GRCh38.chr21.gff3.gz",
    )
    return build_bundle(recipe, tmp_path_factory.mktemp("references"))


def against(bundle: ReferenceBundle, folder: Path, content: str | Path) -> Report:
    path = content if isinstance(content, Path) else folder / "upload.vcf"
    if isinstance(content, str):
        path.write_text(content)
    return check_upload(path, folder, bundle)


def test_declared_lengths_of_another_build_are_refused_with_both_builds_named(
    chr21: ReferenceBundle, tmp_path: Path, shared_data: Path
) -> None:
    for build in ("NCBI36", "GRCh37", "GRCm39"):
        contig = "chr21" if build != "GRCm39" else "19"
        length = BUILDS[build].get("21", BUILDS[build]["19"])
        declared = f"##contig=<ID={contig},length={length}>\n##contig=<ID=chr21,length={length}>\n"
        declared += "##contig=<ID=MT,length=16569>\n"  # the same in GRCh37 and GRCh38
        report = against(chr21, tmp_path, HEADER.format(declared) + "chr21\t9000000\t.\tA\tC\t.\t.\t.\n")
        assert f"This file looks like {build}, you chose GRCh38" in str(report.problems[0])
        assert report.problems[0].line in (2, 3)


def test_the_right_build_passes_and_its_ref_alleles_are_counted(
    chr21: ReferenceBundle, tmp_path: Path, shared_data: Path
) -> None:
    report = against(chr21, tmp_path, shared_data / "grch38_chr21" / "vep_test.vcf")
    assert (report.usable, report.build) == (True, "GRCh38")
    assert (report.ref_compared, report.ref_mismatched) == (132, 0)


def shifted(source: Path, by: int, records: int, header: str = "") -> str:
    lines = [line for line in source.read_text().splitlines() if not line.startswith("#")][:records]
    moved = []
    for line in lines:
        fields = line.split("\t")
        fields[1] = str(int(fields[1]) + by)
        moved.append("\t".join(fields[:8]))
    return HEADER.format(header) + "\n".join(moved) + "\n"


def test_ref_alleles_that_are_not_the_references_are_refused(
    chr21: ReferenceBundle, tmp_path: Path, shared_data: Path
) -> None:
    text = shifted(
        shared_data / "grch38_chr21" / "vep_test.vcf", 17, 60, "##reference=file:///data/hs37d5.fa\n"
    )
    report = against(chr21, tmp_path, text)
    assert [problem.code for problem in report.problems] == ["wrong-build"]
    assert "This file looks like GRCh37, you chose GRCh38" in str(report.problems[0])
    assert (report.problems[0].line, report.problems[0].column) == (3 + 1, "REF")


def test_a_few_ref_alleles_that_differ_are_counted_and_noted(
    chr21: ReferenceBundle, tmp_path: Path, shared_data: Path
) -> None:
    right = shifted(shared_data / "grch38_chr21" / "vep_test.vcf", 0, 100)
    wrong = shifted(shared_data / "grch38_chr21" / "vep_test.vcf", 17, 3).splitlines()[2:]
    report = against(chr21, tmp_path, right + "\n".join(wrong) + "\n")
    assert report.usable
    (note,) = [note for note in report.notes if note.code == "ref-mismatch"]
    assert note.count == report.ref_mismatched in (1, 2, 3)


def test_a_contig_of_the_reference_by_another_name_is_noted(chr21: ReferenceBundle, tmp_path: Path) -> None:
    report = against(chr21, tmp_path, HEADER.format("") + "chr21\t9000000\t.\tA\tC\t.\t.\t.\n")
    assert [(note.code, note.line) for note in report.notes] == [("no-contigs", 2), ("contig-name", 3)]


def test_a_position_beyond_the_references_contig_is_refused(chr21: ReferenceBundle, tmp_path: Path) -> None:
    report = against(chr21, tmp_path, HEADER.format("") + "21\t46709985\t.\tA\tC\t.\t.\t.\n")
    assert [(p.code, p.line, p.column) for p in report.problems] == [("pos-beyond-contig", 3, "POS")]
    assert "46,709,983 bases" in report.problems[0].message


def test_a_file_with_none_of_the_references_contigs_is_refused(
    chr21: ReferenceBundle, tmp_path: Path
) -> None:
    report = against(chr21, tmp_path, HEADER.format("") + "scaffold7\t9\t.\tA\tC\t.\t.\t.\n")
    assert [(problem.code, problem.line) for problem in report.problems] == [("no-known-contig", 3)]
    assert "scaffold7" in report.problems[0].message


@pytest.fixture(scope="module")
def ambiguous(tmp_path_factory: pytest.TempPathFactory) -> ReferenceBundle:
    """A genome with bases that are not known for certain, as GRCh37 has in chromosome 3."""
    folder = tmp_path_factory.mktemp("ambiguous")
    (folder / "g.fa").write_text(">3\nACGTACGTAMGTACRRTACGTACGT\n")
    lines = (
        "gene\t1\t25\tID=gene:G",
        "lnc_RNA\t1\t25\tID=transcript:T;Parent=gene:G",
        "exon\t1\t25\tParent=transcript:T",
    )
    rows = [line.split("\t") for line in lines]
    (folder / "g.gff3").write_text(
        "".join(f"3\tt\t{kind}\t{start}\t{end}\t.\t+\t.\t{rest}\n" for kind, start, end, rest in rows)
    )
    return build_bundle(BundleRecipe("made", "1", folder / "g.fa", folder / "g.gff3"), folder / "references")


@pytest.mark.parametrize(
    "record", ["3\t10\t.\tM\tA", "3\t10\t.\tm\tC,T", "3\t15\t.\tRR\tR", "3\t14\t.\tCR\tC", "3\t16\t.\tR\tRT"]
)
def test_an_ambiguous_ref_is_taken_where_the_reference_has_it(
    ambiguous: ReferenceBundle, tmp_path: Path, record: str
) -> None:
    report = against(ambiguous, tmp_path, f"{HEADER.format('')}{record}\t.\t.\t.\n")
    assert [str(problem) for problem in report.problems] == []
    summary = annotate(tmp_path / "upload.vcf", ambiguous, tmp_path / "out")
    assert (summary.records_out, summary.left_out) == (1, {})


def test_an_ambiguous_ref_that_the_reference_does_not_have_is_refused_with_what_it_has(
    ambiguous: ReferenceBundle, tmp_path: Path
) -> None:
    report = against(ambiguous, tmp_path, f"{HEADER.format('')}3\t9\t.\tR\tC\t.\t.\t.\n")
    (problem,) = report.problems
    assert (problem.code, problem.column, problem.line) == ("bad-ref", "REF", 3)
    assert "(it has 'A' there), found 'R'" in str(problem)


def test_an_ambiguous_alt_is_refused(ambiguous: ReferenceBundle, tmp_path: Path) -> None:
    report = against(ambiguous, tmp_path, f"{HEADER.format('')}3\t10\t.\tM\tR\t.\t.\t.\n")
    assert [problem.code for problem in report.problems] == ["bad-alt"]

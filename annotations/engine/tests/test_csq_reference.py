"""What is left out to save work changes nothing of what is found."""

import gzip
from pathlib import Path

import pytest

from annotations.engine import csq_reference, gene_models, genes
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.csq import run_csq
from annotations.engine.tests.conftest import Annotate

WITHOUT_SAVING = {
    "csq reads the whole genome": (csq_reference, "MOST_BASES", -1),
    "csq reads all genes": (csq_reference, "SMALL_SITES_BYTES", -1),
    "csq gets sites far from exons": (genes, "NEAR_EXON_BASES", 1_000_000),
    "all transcripts are looked at": (gene_models, "FEW_ALLELES", -1),
    "alleles that lie alike are worked out once": (genes, "FEW_ALLELES", -1),
}


@pytest.fixture
def variants(shared_data: Path, tmp_path: Path) -> Path:
    """Every 150th known variant of the slice of chromosome 21, as somebody's own."""
    import pysam

    path = tmp_path / "variants.vcf"
    with pysam.BGZFile(str(shared_data / "grch38_chr21" / "known.chr21.vcf.gz"), "r", None) as file:
        lines = file.read().decode().splitlines()
    records = [line.split("\t") for line in lines if not line.startswith("#")][::150]
    header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    path.write_text(header + "".join("\t".join([*one[:5], ".", ".", "."]) + "\n" for one in records))
    return path


@pytest.mark.parametrize("saving", WITHOUT_SAVING.values(), ids=WITHOUT_SAVING)
def test_the_records_are_the_same_without_the_saving(
    saving: tuple[object, str, int],
    variants: Path,
    grch38_chr21: ReferenceBundle,
    run: Annotate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_saving = run(variants, grch38_chr21).records
    module, name, value = saving
    monkeypatch.setattr(module, name, value)
    assert run(variants, grch38_chr21).records == with_saving
    assert len(with_saving) > 100


HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture
def genes_read(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The lines of the gene models that csq reads, a list for every time that it is asked."""
    read: list[list[str]] = []

    def reading(*arguments: object, genes: Path, **options: object) -> None:
        read.append(gzip.decompress(genes.read_bytes()).decode().splitlines())
        run_csq(*arguments, genes=genes, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("annotations.engine.csq_sites.run_csq", reading)
    return read


def test_csq_reads_only_the_genes_around_a_few_sites(
    grch38_chr21: ReferenceBundle, run: Annotate, genes_read: list[list[str]]
) -> None:
    found = run(HEADER + "21\t25891784\t.\tC\tCA\t.\t.\t.\n", grch38_chr21).csq(25_891_784)
    assert any("frameshift_variant" in entry["Consequence"] for entry in found)
    [lines] = genes_read
    genes = [line for line in lines if "\tID=gene:" in line]
    assert len(genes) == 1
    assert "Name=APP" in genes[0]


def test_csq_is_not_asked_about_a_base_whose_codon_is_described(
    grch38_chr21: ReferenceBundle, run: Annotate, genes_read: list[list[str]]
) -> None:
    found = run(HEADER + "21\t25891784\t.\tC\tT\t.\t.\t.\n", grch38_chr21).csq(25_891_784)
    assert any("Val717Ile" in entry["HGVSp"] for entry in found)  # in APP
    assert not genes_read

"""What is left out to save work changes nothing of what is found."""

import gzip
from pathlib import Path

import pytest

from annotations.engine import gene_models, gene_slices, genes
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.csq import run_csq
from annotations.engine.tests.conftest import Annotate

WITHOUT_SAVING = {
    "csq reads all genes": (gene_slices, "SMALL_SITES_BYTES", -1),
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


def test_csq_reads_only_the_genes_around_a_few_sites(
    grch38_chr21: ReferenceBundle, run: Annotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[list[str]] = []

    def reading(*arguments: object, genes: Path, **options: object) -> None:
        read.append(gzip.decompress(genes.read_bytes()).decode().splitlines())
        run_csq(*arguments, genes=genes, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("annotations.engine.shard.run_csq", reading)
    record = "21\t25891784\t.\tC\tT\t.\t.\t.\n"  # APP p.Val717Ile
    header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    found = run(header + record, grch38_chr21).csq(25_891_784)
    assert any("Val717Ile" in entry["HGVSp"] for entry in found)
    [lines] = read
    genes_read = [line for line in lines if "\tID=gene:" in line]
    assert len(genes_read) == 1
    assert "Name=APP" in genes_read[0]

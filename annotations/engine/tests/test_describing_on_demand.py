"""Any allele can be described on any transcript, as the annotated file does it where it does."""

from pathlib import Path

import polars as pl

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.consequences import read_csq
from annotations.engine.csq import read_sites, sort_sites
from annotations.engine.demo import DemoFiles
from annotations.engine.describing import describe_allele
from annotations.engine.genome import Genome
from annotations.engine.tests.conftest import Annotate


def test_an_allele_is_described_as_in_the_annotated_file(
    run: Annotate, demo_bundle: ReferenceBundle, demo_files: DemoFiles
) -> None:
    table = pl.read_parquet(run(demo_files.sample, demo_bundle).summary.files["table"])
    compared = 0
    for contig, position, ref, alt, csq in (
        table.select("contig", "pos", "ref", "alt", "csq").drop_nulls().rows()
    ):
        found = {one.transcript: one for one in describe_allele(demo_bundle, contig, position, ref, alt)}
        for entry in read_csq(csq):
            if entry["HGVSc"]:
                one = found[entry["Feature"]]
                assert (one.hgvsc, one.hgvsp or "") == (entry["HGVSc"], entry["HGVSp"])
                compared += 1
    assert compared > 20


def test_an_allele_deep_in_an_intron_is_described(demo_bundle: ReferenceBundle) -> None:
    ref = Genome(demo_bundle).fetch("1", 45_999, 46_000).decode()
    found = describe_allele(demo_bundle, "chr1", 46_000, ref, "A" if ref != "A" else "C")
    assert any(":c." in one.hgvsc and "+" in one.hgvsc for one in found if one.hgvsc)
    assert [one.hgvsc for one in describe_allele(demo_bundle, "chr1", 46_000, ref, "<DEL>")] == [None] * len(
        found
    )


def test_nothing_is_described_beyond_genes_and_contigs(demo_bundle: ReferenceBundle) -> None:
    assert describe_allele(demo_bundle, "1", 5, "A", "C") == []
    assert describe_allele(demo_bundle, "1", 10**9, "A", "C") == []
    assert describe_allele(demo_bundle, "unheard", 5, "A", "C") == []


def test_shifted_sites_are_put_in_order_contig_by_contig(tmp_path: Path) -> None:
    path = tmp_path / "sites.vcf"
    header = "##fileformat=VCFv4.2\n"
    rows = [("2", 9, 0), ("2", 7, 1), ("2", 9, 2), ("1", 3, 3), ("1", 2, 4)]
    lines = "".join(f"{contig}\t{pos}\t{site}\tA\tC\t.\t.\t.\n" for contig, pos, site in rows)
    path.write_text(header + lines)
    sort_sites(path, header)
    assert read_sites(path).select("chrom", "pos", "id").rows() == [
        ("2", 7, "1"), ("2", 9, "0"), ("2", 9, "2"), ("1", 2, "4"), ("1", 3, "3"),
    ]  # fmt: skip

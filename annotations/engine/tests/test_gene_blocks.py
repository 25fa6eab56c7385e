"""The gene models around a few variants are found in the blocks as in the whole tables."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.gene_blocks import GeneBlocks
from annotations.engine.intervals import overlaps
from annotations.engine.tests.sources import GFF_LINES, Sources, fasta_text, gff_text

MARGIN_BASES = 700
EVERYWHERE = np.array([1]), np.array([1 << 30])


def blocks_of(bundle: ReferenceBundle) -> GeneBlocks:
    blocks = GeneBlocks.of(bundle)
    assert blocks
    return blocks


def table_of(bundle: ReferenceBundle, contig: Contig) -> pl.DataFrame:
    path = bundle.transcripts(contig)
    assert path
    return pl.read_parquet(path)


def lines_of(path: Path) -> list[str]:
    return [line for line in gzip.decompress(path.read_bytes()).decode().splitlines() if line[0] != "#"]


def test_they_have_the_rows_of_every_contig(demo_bundle: ReferenceBundle) -> None:
    blocks = blocks_of(demo_bundle)
    with_genes = [contig for contig in demo_bundle.contigs if contig.genes]
    assert len(with_genes) > 1
    for contig in with_genes:
        rows = blocks.transcripts(blocks.near(contig.name, *EVERYWHERE, 0))
        assert rows.equals(table_of(demo_bundle, contig))


def test_transcripts_near_spans_are_those_that_overlap_them(grch38_chr21: ReferenceBundle) -> None:
    blocks = blocks_of(grch38_chr21)
    [contig] = [contig for contig in grch38_chr21.contigs if contig.genes]
    table = table_of(grch38_chr21, contig)
    random = np.random.default_rng(1)
    some = False
    for _ in range(20):
        start = random.integers(table["start"].min(), table["end"].max(), 3)  # type: ignore[arg-type]
        end = start + random.integers(0, 5_000, 3)
        near = blocks.near(contig.name, start, end, MARGIN_BASES)
        _, rows = overlaps(start - MARGIN_BASES, end + MARGIN_BASES, table)
        assert near.tolist() == np.unique(rows).tolist()
        some = some or 0 < len(near) < len(table)
    assert some


def test_a_gene_comes_whole_and_alone(grch38_chr21: ReferenceBundle, tmp_path: Path) -> None:
    blocks = blocks_of(grch38_chr21)
    [contig] = [contig for contig in grch38_chr21.contigs if contig.genes]
    table = table_of(grch38_chr21, contig)
    gene = table["gene_id"].mode()[0]
    own = table.filter(pl.col("gene_id") == gene)
    one = (table["gene_id"] == gene).arg_true().head(1).to_numpy()  # the bundle has one contig with genes
    blocks.write_genes_of(one, tmp_path / "one.gff3.gz")
    owners = {f"gene:{gene}", *("transcript:" + own["transcript"])}
    gff = grch38_chr21.genes_gff(contig)
    assert gff
    wanted = [line for line in lines_of(gff) if owners & _names(line)]
    assert lines_of(tmp_path / "one.gff3.gz") == wanted
    assert len(own) > 1


def test_all_lines_of_genes_are_there(demo_bundle: ReferenceBundle, tmp_path: Path) -> None:
    blocks = blocks_of(demo_bundle)
    expected: list[str] = []
    numbers = []
    for contig in demo_bundle.contigs:
        if gff := demo_bundle.genes_gff(contig):
            expected += lines_of(gff)
            numbers.append(blocks.near(contig.name, *EVERYWHERE, 0))
    blocks.write_genes_of(np.concatenate(numbers), tmp_path / "all.gff3.gz")
    assert sorted(lines_of(tmp_path / "all.gff3.gz")) == sorted(expected)


def test_a_gene_without_transcripts_and_an_encoded_name_are_no_hindrance(
    sources: Sources, tmp_path: Path
) -> None:
    alone = "1\tx\tgene\t5\t9\t.\t+\t.\tID=gene:%s;biotype=lncRNA"
    sources.write("genome.fa", fasta_text("1") + fasta_text("2") + fasta_text("3"))
    encoded = [line.replace(":T1", ":T%3B1").replace(":G1", ":G%2C1") for line in GFF_LINES]
    on_three = [line.replace("1\t", "3\t", 1) for line in GFF_LINES]
    lines = [alone % "G0", *encoded, (alone % "G2").replace("1\t", "2\t", 1), *on_three]
    sources.write("genes.gff3", gff_text(lines).encode() + b"3\tx\tregion\t1\t9\t.\t+\t.\tParent=gene:\xe9\n")
    blocks = blocks_of(sources.build())
    assert [len(blocks.near(contig, *EVERYWHERE, 0)) for contig in "123"] == [1, 0, 1]
    assert blocks.transcripts(np.array([0, 1]))["transcript"].to_list() == ["T;1", "T1"]
    for number, own in ((0, encoded), (1, on_three)):
        blocks.write_genes_of(np.array([number]), tmp_path / "one.gff3.gz")
        assert sorted(lines_of(tmp_path / "one.gff3.gz")) == sorted(own)


def test_there_are_none_where_there_are_no_variants(demo_bundle: ReferenceBundle) -> None:
    blocks = blocks_of(demo_bundle)
    contig = next(contig for contig in demo_bundle.contigs if contig.genes)
    near = blocks.near(contig.name, np.array([1 << 30]), np.array([1 << 30]), 0)
    assert not len(near)
    nothing = blocks.transcripts(near)
    assert nothing.equals(table_of(demo_bundle, contig).clear())


def _names(line: str) -> set[str]:
    attributes = dict(part.partition("=")[::2] for part in line.split("\t")[8].split(";"))
    return {attributes.get("ID", ""), *attributes.get("Parent", "").split(",")}

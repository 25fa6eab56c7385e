"""The part of the reference that csq has to read: of a few sites only the genes around them, and their bases.

csq reads every line of its GFF3, 3.4 million for the human genome, before it looks at the first site. What
it says of a site depends on the transcripts over it and on nothing else, so for a small input it gets those
genes whole, with all their transcripts, and no others. Of the genome it reads each transcript that a site
lies on, from end to end; to unpack these from the bundle's FASTA is most of its work, so it gets a FASTA that
is not packed, and is a hole wherever none of the genes is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.bgzf import END as BGZF_END
from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.gene_blocks import GeneBlocks
from annotations.engine.genome import Genome

SMALL_SITES_BYTES = 1 << 18  # about 8,000 sites; for more, reading all genes costs less than picking them
MARGIN_BASES = 1_000  # far more than the 8 bases into an intron, or 10 beside a transcript, that csq looks at
MOST_BASES = 1 << 26  # in all genes together; more would take long to write, and room
Spans = dict[str, list[tuple[int, int]]]  # by contig: first and last bases, 1-based


@dataclass(frozen=True)
class CsqReference:
    """Gene models (GFF3) and an indexed FASTA."""

    genes: Path
    genome: Path


def reference_for_csq(
    bundle: ReferenceBundle,
    contigs: Sequence[Contig],
    sites: Path,
    blocks: GeneBlocks | None,
    scratch: Path,
) -> CsqReference:
    """At least what lies around `sites`, a VCF without samples; the files may be the bundle's own."""
    if blocks is None or sites.stat().st_size > SMALL_SITES_BYTES:
        return _whole(bundle, contigs, scratch)
    found = [
        blocks.near(str(name), own["start"].to_numpy(), own["end"].to_numpy(), MARGIN_BASES)
        for (name,), own in _extents(sites).group_by("contig", maintain_order=True)
    ]
    near = np.concatenate(found) if found else np.empty(0, np.int64)
    if not len(near):
        return _whole(bundle, contigs, scratch)  # csq refuses an empty one
    genes = scratch / f"genes-{contigs[0].genetic_code}.gff3.gz"
    blocks.write_genes_of(near, genes)
    spans = {contig: _merged(*places) for contig, places in blocks.spans_of_genes(near).items()}
    if sum(last - first for own in spans.values() for first, last in own) > MOST_BASES:
        return CsqReference(genes, bundle.genome)
    bases = scratch / f"genome-{contigs[0].genetic_code}.fa"
    _write_bases(contigs, spans, Genome(bundle), bases)
    return CsqReference(genes, bases)


def _write_bases(contigs: Iterable[Contig], spans: Spans, genome: Genome, path: Path) -> None:
    """Write a FASTA of the contigs, a line each, with its index; what is in no span is a hole in the file."""
    index = []
    with path.open("wb") as file:
        for contig in contigs:
            file.write(f">{contig.name}\n".encode())
            begin = file.tell()
            index.append(f"{contig.name}\t{contig.length}\t{begin}\t{contig.length}\t{contig.length + 1}\n")
            for first, last in spans.get(contig.name, []):
                start = max(0, first - 1 - MARGIN_BASES)
                file.seek(begin + start)
                file.write(genome.fetch(contig.name, start, min(last + MARGIN_BASES, contig.length)))
            file.seek(begin + contig.length)
            file.write(b"\n")
    path.with_name(f"{path.name}.fai").write_text("".join(index))


def _merged(first: np.ndarray, last: np.ndarray) -> list[tuple[int, int]]:
    """Spans in order of their first bases, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(zip(first.tolist(), last.tolist(), strict=True)):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged


def _whole(bundle: ReferenceBundle, contigs: Sequence[Contig], scratch: Path) -> CsqReference:
    slices = [path for contig in contigs if (path := bundle.genes_gff(contig))]
    if len(slices) == 1:
        return CsqReference(slices[0], bundle.genome)
    joined = scratch / f"genes-{contigs[0].genetic_code}.gff3.gz"
    with joined.open("wb") as out:
        for path in slices:
            packed = path.read_bytes()
            out.write(packed.removesuffix(BGZF_END))  # htslib reads on behind it, but for an end block
        out.write(BGZF_END)
    return CsqReference(joined, bundle.genome)


def _extents(sites: Path) -> pl.DataFrame:
    """contig, start and end (1-based) of each site: of REF, or up to INFO's END."""
    fields = pl.read_lines(sites, name="line").filter(~pl.col("line").str.starts_with("#"))
    columns = fields["line"].str.splitn("\t", 8).struct.unnest()
    start = pl.col("field_1").cast(pl.Int64)
    return columns.select(
        pl.col("field_0").alias("contig"),
        start.alias("start"),
        pl.max_horizontal(
            start + pl.col("field_3").str.len_bytes().cast(pl.Int64),
            pl.col("field_7").str.extract(r"END=(\d+)").cast(pl.Int64),
        ).alias("end"),
    )

"""The gene models that csq has to read: of a few sites only the genes around them.

csq reads every line of its GFF3, 3.4 million for the human genome, before it looks at the first site. What
it says of a site depends on the transcripts over it and on nothing else, so for a small input it gets those
genes whole, with all their transcripts, and no others.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.bgzf import END as BGZF_END
from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.gene_blocks import GeneBlocks

SMALL_SITES_BYTES = 1 << 18  # about 8,000 sites; for more, reading all genes costs less than picking them
MARGIN_BASES = 1_000  # far more than the 8 bases into an intron that csq looks at


def genes_for_csq(
    bundle: ReferenceBundle,
    contigs: Sequence[Contig],
    sites: Path,
    blocks: GeneBlocks | None,
    scratch: Path,
) -> Path:
    """A GFF3 with at least the genes around `sites`, a VCF without samples; it may be one of the bundle's."""
    if blocks is None or sites.stat().st_size > SMALL_SITES_BYTES:
        return _whole(bundle, contigs, scratch)
    found = [
        blocks.near(str(name), own["start"].to_numpy(), own["end"].to_numpy(), MARGIN_BASES)
        for (name,), own in _extents(sites).group_by("contig", maintain_order=True)
    ]
    near = np.concatenate(found) if found else np.empty(0, np.int64)
    if not len(near):
        return _whole(bundle, contigs, scratch)  # csq refuses an empty one
    path = scratch / f"genes-{contigs[0].genetic_code}.gff3.gz"
    blocks.write_genes_of(near, path)
    return path


def _whole(bundle: ReferenceBundle, contigs: Sequence[Contig], scratch: Path) -> Path:
    slices = [path for contig in contigs if (path := bundle.genes_gff(contig))]
    if len(slices) == 1:
        return slices[0]
    joined = scratch / f"genes-{contigs[0].genetic_code}.gff3.gz"
    with joined.open("wb") as out:
        for path in slices:
            packed = path.read_bytes()
            out.write(packed.removesuffix(BGZF_END))  # htslib reads on behind it, but for an end block
        out.write(BGZF_END)
    return joined


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

"""The gene models that csq has to read: of a few sites only the genes around them.

csq reads every line of its GFF3, 3.4 million for the human genome, before it looks at the first site. What
it says of a site depends on the transcripts over it and on nothing else, so for a small input it gets those
genes whole, with all their transcripts, and no others.
"""

import gzip
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pysam

from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.gene_models import GeneModels
from annotations.engine.intervals import overlaps

SMALL_SITES_BYTES = 1 << 18  # about 8,000 sites; for more, reading all genes costs less than picking them
MARGIN_BASES = 1_000  # far more than the 8 bases into an intron that csq looks at
_TRANSCRIPT_ID = r"(?:ID|Parent)=transcript:([^;]+)"
_GENE_ID = r"(?:ID|Parent)=gene:([^;]+)"


def genes_for_csq(
    bundle: ReferenceBundle, contigs: Sequence[Contig], sites: Path, models: GeneModels, scratch: Path
) -> Path:
    """A GFF3 with at least the genes around `sites`, a VCF without samples; it may be one of the bundle's."""
    if sites.stat().st_size > SMALL_SITES_BYTES:
        return _whole(bundle, contigs, scratch)
    path = scratch / f"genes-{contigs[0].genetic_code}.gff3"
    extents = _extents(sites)
    by_name = {contig.name: contig for contig in contigs}
    with path.open("w") as out:
        for (name,), places in extents.group_by("contig", maintain_order=True):
            out.writelines(
                f"{line}\n"
                for line in _around(bundle.genes_gff(by_name[str(name)]), models.frame(str(name)), places)
            )
    return path if path.stat().st_size else _whole(bundle, contigs, scratch)  # csq refuses an empty one


def _whole(bundle: ReferenceBundle, contigs: Sequence[Contig], scratch: Path) -> Path:
    slices = [path for contig in contigs if (path := bundle.genes_gff(contig))]
    if len(slices) == 1:
        return slices[0]
    joined = scratch / f"genes-{contigs[0].genetic_code}.gff3"
    with joined.open("wb") as out:
        for path in slices:
            with gzip.open(path, "rb") as part:
                shutil.copyfileobj(part, out, 1 << 20)
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


def _around(gff: Path | None, transcripts: pl.DataFrame | None, places: pl.DataFrame) -> Iterator[str]:
    """The lines of all the genes that come near one of the places."""
    if transcripts is None or gff is None:
        return
    _, rows = overlaps(
        places["start"].to_numpy() - MARGIN_BASES, places["end"].to_numpy() + MARGIN_BASES, transcripts
    )
    near = transcripts["gene_id"][np.unique(rows)].unique()
    taken = transcripts.filter(pl.col("gene_id").is_in(near.implode()))
    if not len(taken):
        return
    with pysam.TabixFile(str(gff)) as file:
        lines = [
            line
            for start, end in _stretches(taken)
            for line in file.fetch(file.contigs[0], max(0, start - 1), end)
        ]
    # a gene that reaches into two stretches was read twice
    frame = pl.DataFrame({"line": list(dict.fromkeys(lines))}, schema={"line": pl.String}).with_columns(
        pl.col("line").str.extract(_TRANSCRIPT_ID).alias("transcript"),
        pl.col("line").str.extract(_GENE_ID).alias("gene"),
    )
    of_transcripts = pl.col("transcript").is_in(taken["transcript"].implode())
    genes = frame.filter(of_transcripts)["gene"].unique()
    of_genes = pl.col("transcript").is_null() & pl.col("gene").is_in(genes.implode())
    yield from frame.filter(of_transcripts | of_genes)["line"]


def _stretches(transcripts: pl.DataFrame) -> list[tuple[int, int]]:
    """The stretches that the transcripts cover, without overlaps."""
    ordered = transcripts.sort("start")
    starts, reach = ordered["start"].to_numpy(), ordered["end"].cum_max().to_numpy()
    first = np.concatenate([[0], np.flatnonzero(starts[1:] > reach[:-1]) + 1])
    last = np.concatenate([first[1:], [len(starts)]]) - 1
    return list(zip(starts[first].tolist(), reach[last].tolist(), strict=True))

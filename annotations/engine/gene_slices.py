"""The gene models that csq has to read: of a few sites only the genes around them.

csq reads every line of its GFF3, 3.4 million for the human genome, before it looks at the first site. What
it says of a site depends on the transcripts over it and on nothing else, so for a small input it gets those
genes whole, with all their transcripts, and no others.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pysam

from annotations.engine.bgzf import END as BGZF_END
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
    path.write_text(_around(bundle, contigs, _extents(sites), models))
    return path if path.stat().st_size else _whole(bundle, contigs, scratch)  # csq refuses an empty one


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


def _around(
    bundle: ReferenceBundle, contigs: Sequence[Contig], places: pl.DataFrame, models: GeneModels
) -> str:
    """The lines of all the genes that come near one of the places."""
    by_name = {contig.name: contig for contig in contigs}
    near: list[pl.DataFrame] = []
    lines: dict[str, str] = {}  # with their contigs; a gene that reaches into two stretches is read twice
    for (name,), own in places.group_by("contig", maintain_order=True):
        contig = by_name[str(name)]
        transcripts, gff = models.frame(contig), bundle.genes_gff(contig)
        if transcripts is not None and gff is not None:
            taken = _genes_near(transcripts, own)
            near.append(taken.select(pl.concat_str(pl.lit(contig.name), "transcript", separator=" ")))
            lines.update(dict.fromkeys(_lines_over(taken, gff), contig.name))
    if not lines:
        return ""
    contig_names = pl.Series(lines.values(), dtype=pl.String) + " "
    frame = pl.DataFrame({"line": list(lines)}).with_columns(
        (contig_names + pl.col("line").str.extract(_TRANSCRIPT_ID)).alias("transcript"),
        (contig_names + pl.col("line").str.extract(_GENE_ID)).alias("gene"),
    )
    of_transcripts = pl.col("transcript").is_in(pl.concat(near).to_series().implode())
    genes = frame.filter(of_transcripts)["gene"].unique()
    of_genes = pl.col("transcript").is_null() & pl.col("gene").is_in(genes.implode())
    return frame.filter(of_transcripts | of_genes)["line"].str.join("\n").item() + "\n"


def _genes_near(transcripts: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """All the transcripts of genes that have one near the places."""
    _, rows = overlaps(
        places["start"].to_numpy() - MARGIN_BASES, places["end"].to_numpy() + MARGIN_BASES, transcripts
    )
    near = transcripts["gene_id"][np.unique(rows)].unique()
    return transcripts.filter(pl.col("gene_id").is_in(near.implode()))


def _lines_over(transcripts: pl.DataFrame, gff: Path) -> Iterator[str]:
    """The lines of a contig's GFF3 that overlap the transcripts."""
    if len(transcripts):
        with pysam.TabixFile(str(gff)) as file:
            for start, end in _stretches(transcripts):
                yield from file.fetch(file.contigs[0], max(0, start - 1), end)


def _stretches(transcripts: pl.DataFrame) -> list[tuple[int, int]]:
    """The stretches that the transcripts cover, without overlaps."""
    ordered = transcripts.sort("start")
    starts, reach = ordered["start"].to_numpy(), ordered["end"].cum_max().to_numpy()
    first = np.concatenate([[0], np.flatnonzero(starts[1:] > reach[:-1]) + 1])
    last = np.concatenate([first[1:], [len(starts)]]) - 1
    return list(zip(starts[first].tolist(), reach[last].tolist(), strict=True))

"""A gene as the reference has it, and the result's alleles along it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from annotations import references
from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.models import Job
from annotations.results.filters import ResultFilter
from annotations.results.layout import TableLayout
from annotations.results.rows import Counted, Row, Slice, count, page_of_rows
from annotations.results.tables import ResultTable

MOST_VARIANTS = 5_000  # drawn; the table has all
MOST_TRANSCRIPTS = 30
_SHOWN = ("chrom", "pos", "ref", "alt", "id", "consequence", "impact", "hgvsc", "hgvsp")


@dataclass(frozen=True)
class TranscriptModel:
    """Positions are 1-based and inclusive. `cds` is None where nothing is coding."""

    transcript: str
    biotype: str
    start: int
    end: int
    exons: list[tuple[int, int]]
    cds: tuple[int, int] | None
    canonical: bool
    mane: str


@dataclass(frozen=True)
class GeneModel:
    """`strand` is 1 or -1; transcripts that stand for the gene come first, then the longest."""

    gene_id: str
    symbol: str
    contig: str
    strand: int
    transcripts: list[TranscriptModel]

    @property
    def start(self) -> int:
        return min(one.start for one in self.transcripts)

    @property
    def end(self) -> int:
        return max(one.end for one in self.transcripts)

    @property
    def name(self) -> str:
        return self.symbol or self.gene_id


@dataclass(frozen=True)
class GeneView:
    """The alleles that the filter finds within reach of the gene: all counted, up to MOST_VARIANTS given."""

    gene: GeneModel
    counted: Counted
    variants: list[Row]
    transcripts_left_out: int


def gene_view(table: ResultTable, job: Job, wanted: ResultFilter, name: str) -> GeneView | None:
    """The gene called `name` (symbol or id); None where the reference has none or is no longer there.

    Raises FilterRefused, QueryTooCostly, TableUnreadable.
    """
    bundle = references.find(job.reference)
    gene = _find(bundle, table.layout, name) if bundle else None
    if gene is None:
        return None
    of_gene = replace(wanted, genes=(gene.gene_id,))
    rows = page_of_rows(table, of_gene, Slice(limit=MOST_VARIANTS), _SHOWN)
    shown = replace(gene, transcripts=gene.transcripts[:MOST_TRANSCRIPTS])
    left_out = len(gene.transcripts) - len(shown.transcripts)
    return GeneView(shown, count(table, of_gene), rows, left_out)


def drawn(view: GeneView) -> dict[str, Any]:
    """The view as the browser draws it."""
    return {
        "name": view.gene.name,
        "contig": view.gene.contig,
        "strand": view.gene.strand,
        "start": view.gene.start,
        "end": view.gene.end,
        "transcripts": [vars(one) for one in view.gene.transcripts],
        "variants": [{"row": row.number, **row.values} for row in view.variants],
    }


def _find(bundle: ReferenceBundle, layout: TableLayout, name: str) -> GeneModel | None:
    wanted = {name.upper(), name.partition(".")[0].upper()}
    for contig in _contigs(bundle, layout):
        path = bundle.transcripts(contig)
        if path is None:
            continue
        is_it = pl.col("symbol").str.to_uppercase().is_in(wanted) | pl.col(
            "gene_id"
        ).str.to_uppercase().is_in(wanted)
        found = pl.scan_parquet(path).filter(is_it).collect()
        if len(found):
            return _model(found.filter(pl.col("gene_id") == found["gene_id"][0]), contig.name)
    return None


def _contigs(bundle: ReferenceBundle, layout: TableLayout) -> Iterator[Contig]:
    """Those of the result first."""
    own = {contig.contig for contig in layout.contigs}
    yield from sorted((one for one in bundle.contigs if one.genes), key=lambda one: one.name not in own)


def _model(found: pl.DataFrame, contig: str) -> GeneModel:
    transcripts = [
        TranscriptModel(
            transcript=row["transcript"],
            biotype=row["biotype"] or "",
            start=row["start"],
            end=row["end"],
            exons=list(zip(row["exon_starts"], row["exon_ends"], strict=True)),
            cds=(row["cds_start"], row["cds_end"]) if row["cds_start"] is not None else None,
            canonical=bool(row["canonical"]),
            mane=row["mane_select"] or "",
        )
        for row in found.iter_rows(named=True)
    ]
    transcripts.sort(key=lambda one: (not one.mane, not one.canonical, one.cds is None, one.start - one.end))
    first = found.row(0, named=True)
    return GeneModel(first["gene_id"], first["symbol"] or "", contig, first["strand"], transcripts)

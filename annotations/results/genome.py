"""What a filter finds on a stretch of the genome, for the genome browser."""

from dataclasses import replace
from typing import Any

from annotations.results.conditions import condition_of
from annotations.results.filters import Region, ResultFilter
from annotations.results.layout import TableLayout
from annotations.results.rows import Row, Slice, page_of_rows
from annotations.results.tables import ResultTable

MOST_FEATURES = 5_000
_COLUMNS = ("chrom", "pos", "ref", "alt", "id", "consequence", "impact", "symbols", "hgvsc", "hgvsp")
_LONGEST_ALLELE = 30


def found_on(table: ResultTable, wanted: ResultFilter, stretch: Region) -> list[dict[str, Any]]:
    """Features of igv.js for the alleles found that begin or end within `stretch`; of very many, the first.

    Raises FilterRefused, QueryTooCostly, TableUnreadable.
    """
    columns = [name for name in _COLUMNS if name in table.layout.columns]
    regions = _common(wanted, table.layout, stretch)
    if not regions:
        condition_of(wanted, table.layout)  # a filter that can't be applied is refused wherever one looks
        return []
    rows = page_of_rows(table, replace(wanted, regions=regions), Slice(limit=MOST_FEATURES), columns)
    return [_feature(row, stretch.contig) for row in rows]


def _common(wanted: ResultFilter, layout: TableLayout, stretch: Region) -> tuple[Region, ...]:
    """The parts of the filter's regions that lie on the stretch; without any region, all of it."""
    if not wanted.regions:
        return (stretch,)
    return tuple(part for region in wanted.regions if (part := _part(region, layout, stretch)) is not None)


def _part(region: Region, layout: TableLayout, stretch: Region) -> Region | None:
    called = [contig for contig in layout.contigs if contig.is_called(stretch.contig)]
    if any(contig.is_called(str(region)) for contig in called):
        return stretch
    if region.start is None or region.end is None or not any(one.is_called(region.contig) for one in called):
        return None
    start, end = max(region.start, stretch.start or 1), min(region.end, stretch.end or region.end)
    return Region(stretch.contig, start, end) if start <= end else None


def _feature(row: Row, contig: str) -> dict[str, Any]:
    values = row.values
    change = f"{_short(values['ref'])}>{_short(values['alt'])}"
    protein = (values["hgvsp"] or values["hgvsc"] or "").rpartition(":")[2]
    return {
        "chr": contig,
        "start": values["pos"] - 1,
        "end": values["pos"] - 1 + len(values["ref"]),
        "name": protein or values["id"] or change,
        "change": change,
        "id": values["id"] or "",
        "genes": ", ".join(values["symbols"] or []),
        "consequence": (values["consequence"] or "not annotated").replace("_", " "),
        "impact": (values["impact"] or "").lower(),
    }


def _short(allele: str) -> str:
    return allele if len(allele) <= _LONGEST_ALLELE else f"{allele[:_LONGEST_ALLELE]}…"

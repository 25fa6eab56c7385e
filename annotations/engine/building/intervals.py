"""BED or TSV of intervals in, per contig one Parquet out, sorted by start."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from annotations.engine.building.site import BuildSite, some_of
from annotations.engine.building.tables import TableLayout, read_table
from annotations.engine.bundle import BundleError, intervals_name


@dataclass(frozen=True)
class IntervalsInput:
    """A table of intervals to annotate with: the source's name, its files and how they are laid out."""

    source: str
    files: tuple[Path, ...]
    layout: TableLayout
    version: str | None = None


@dataclass(frozen=True)
class IntervalsSummary:
    """What was built from one source, as the manifest has it."""

    source: str
    file: str
    version: str | None
    records: int
    fields: tuple[dict[str, str], ...]

    def as_manifest(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "file": self.file,
            "version": self.version,
            "records": self.records,
            "fields": list(self.fields),
        }


def write_intervals(intervals: IntervalsInput, site: BuildSite) -> IntervalsSummary:
    """Write intervals/<source>/<contig>.parquet for every contig that the source has intervals on.

    The source is held in memory. Raises BundleError for a line that is no interval, or one of another build.
    """
    by_contig: dict[str, list[pl.DataFrame]] = defaultdict(list)
    strangers: Counter[str] = Counter()
    for file in intervals.files:
        for batch in read_table(file, intervals.layout):
            for (name,), rows in batch.group_by("contig", maintain_order=True):
                contig = site.names.resolve(str(name))
                if contig is None:
                    strangers[str(name)] += len(rows)
                    continue
                _check_inside(rows, contig, site.names.lengths[contig], file)
                by_contig[contig].append(rows.drop("line", "contig"))
    if strangers:
        left_out = ", ".join(f"{name} ({count:,})" for name, count in strangers.most_common(5))
        site.report(f"intervals: {intervals.source}: left out, not in the FASTA: {left_out}")
    if not by_contig:
        raise BundleError(
            f"{intervals.files[0]} has no interval on the contigs of the FASTA "
            f"({some_of(site.names.lengths)}); its contigs are {some_of(strangers) or 'none'}. "
            "Take the file for this genome."
        )
    records = 0
    (site.folder / "intervals" / intervals.source).mkdir(parents=True)
    for contig, batches in by_contig.items():
        rows = pl.concat(batches).sort("start", "end", maintain_order=True)
        rows.write_parquet(site.folder / intervals_name(intervals.source, contig))
        records += len(rows)
    site.report(f"intervals: {intervals.source}: {records:,} intervals on {len(by_contig)} contigs")
    return IntervalsSummary(
        source=intervals.source,
        file=intervals.files[0].name,
        version=intervals.version,
        records=records,
        fields=tuple(
            {
                "from": str(field.column),
                "column": field.name,
                "id": f"{intervals.source}_{field.name}",
                "number": ".",
                "type": field.type,
                "description": field.description,
            }
            for field in intervals.layout.fields
        ),
    )


def _check_inside(rows: pl.DataFrame, contig: str, length: int, file: Path) -> None:
    wrong = rows.filter((pl.col("start") < 1) | (pl.col("end") < pl.col("start")) | (pl.col("end") > length))
    if not wrong.is_empty():
        first = wrong.row(0, named=True)
        raise BundleError(
            f"{file}, line {first['line']}: {contig}:{first['start']:,}-{first['end']:,} (counted from 1) is "
            f"no interval on the contig, which has {length:,} bases in the FASTA. The file may be of another "
            "build, or count differently than the recipe says (zero_based)."
        )

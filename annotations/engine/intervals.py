"""Which intervals of a source (cytogenetic bands, repeats, panels) overlap which variants."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from annotations.engine.alleles import Alleles, Reason
from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.contig_line import ContigLine


class Intervals:
    """The interval sources of a bundle; those of the contig last asked for are held in memory."""

    def __init__(self, bundle: ReferenceBundle) -> None:
        self._bundle = bundle
        self._contig = ""
        self._tables: list[pl.DataFrame] = []

    def values(self, alleles: Alleles, line: ContigLine) -> pl.DataFrame:
        """What the sources say of alleles, in as many rows.

        A list column for each field, by its id, of sources that have intervals on one of the contigs; null
        where none overlaps, and for alleles that are left without consequences. An insertion overlaps what
        either base beside it does.
        """
        judged = np.flatnonzero(alleles.reason == Reason.NONE)
        own = alleles.take(judged)
        edges = [0, *(np.flatnonzero(np.diff(own.contig)) + 1).tolist(), len(own)]
        parts = [self._values_on(line, own.part(*edge)) for edge in pairwise(edges)]
        found = pl.concat(parts, how="diagonal")
        fields = (field.id for source in self._bundle.interval_sources for field in source.fields)
        found = found.select(name for name in fields if name in found.columns)
        if len(own) == len(alleles) or not found.width:
            return found
        numbers = np.full(len(alleles), len(own))
        numbers[judged] = np.arange(len(own))
        return pl.concat([found, found.clear(1)], rechunk=True)[numbers]

    def _values_on(self, line: ContigLine, alleles: Alleles) -> pl.DataFrame:
        """Of alleles on one contig."""
        rows = pl.DataFrame({"row": alleles.row})
        contig = line.contig(int(alleles.contig[0])) if len(alleles) else None
        if contig is None:
            return rows
        if contig.name != self._contig:
            self._contig, self._tables = contig.name, self._tables_of(contig)
        found = [lookup_intervals(alleles.start, alleles.end, table) for table in self._tables]
        return pl.concat([rows, *found], how="horizontal")

    def _tables_of(self, contig: Contig) -> list[pl.DataFrame]:
        return [
            pl.read_parquet(path).select(
                "start", "end", *[pl.col(field.column).alias(field.id) for field in source.fields]
            )
            for source in self._bundle.interval_sources
            if (path := self._bundle.intervals(source, contig))
        ]


def lookup_intervals(positions: npt.ArrayLike, ends: npt.ArrayLike, table: pl.DataFrame) -> pl.DataFrame:
    """What the table says of each variant, by overlap.

    `positions` and `ends` are the variants' first and last bases on the contig, 1-based and inclusive, of
    equal length. `table` is a bundle's intervals/<source>/<contig>.parquet: start, end (likewise) and fields.
    Returns a row a variant, in their order, with a list column a field: the values of all intervals that
    overlap it, in the table's order; null where none does.
    """
    variants, rows = overlaps(positions, ends, table)
    values = table.drop("start", "end")[rows]
    grouped = (
        values.with_columns(pl.Series("variant", variants, dtype=pl.UInt32))
        .group_by("variant", maintain_order=True)
        .agg(pl.all())
    )
    everyone = pl.DataFrame({"variant": np.arange(np.size(positions), dtype=np.uint32)})
    return everyone.join(grouped, on="variant", how="left", maintain_order="left").drop("variant")


def overlaps(
    positions: npt.ArrayLike, ends: npt.ArrayLike, table: pl.DataFrame
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs (variant, row of the table) that overlap, sorted by variant and row.

    Rows are taken class by class of their lengths, each class twice as long as the one before: within a
    class the rows that can reach a variant stand in a run of the sorted starts, so that a single interval as
    long as the contig does not make every variant look at every row before it.
    """
    first_bases = np.asarray(positions, dtype=np.int64)
    last_bases = np.asarray(ends, dtype=np.int64)
    starts = table.get_column("start").to_numpy().astype(np.int64)
    stops = table.get_column("end").to_numpy().astype(np.int64)
    length_classes = np.ceil(np.log2(np.maximum(stops - starts + 1, 1))).astype(np.int64)
    found_variants, found_rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for length_class in np.flatnonzero(np.bincount(length_classes)):
        rows = np.flatnonzero(length_classes == length_class)
        rows = rows[np.argsort(starts[rows], kind="stable")]
        low = np.searchsorted(starts[rows], first_bases - (1 << int(length_class)) + 1, side="left")
        high = np.searchsorted(starts[rows], last_bases, side="right")
        counts = np.maximum(high - low, 0)
        variants = np.repeat(np.arange(len(first_bases)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        candidates = rows[np.repeat(low, counts) + within]
        reaches = stops[candidates] >= first_bases[variants]
        found_variants.append(variants[reaches])
        found_rows.append(candidates[reaches])
    all_variants, all_rows = np.concatenate(found_variants), np.concatenate(found_rows)
    order = np.lexsort((all_rows, all_variants))
    return all_variants[order], all_rows[order]

"""Look alleles up among the known variants of the reference bundle."""

from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.bundle import Contig, KnownSource, ReferenceBundle
from annotations.engine.contig_line import ContigLine
from annotations.engine.known_blocks import KnownBlocks

FEW_BLOCKS = 8  # to read one of so many blocks costs less than the whole table


def known_values(
    alleles: pl.DataFrame, line: ContigLine, source: KnownSource, bundle: ReferenceBundle
) -> pl.DataFrame | None:
    """What `source` has on each of `alleles` (alleles.SCHEMA and contig), in a frame of the same rows.

    Its columns are `<source>` (Boolean: known; null on contigs of which the source has nothing),
    `<source>_id` where the source gives ids, and the source's fields. None where it has nothing on any of
    the contigs.

    An allele is known when contig, position, REF and ALT agree after both are left-aligned and trimmed. Where
    the source lists it more than once, all its ids are given (`rs1;rs2`) and the fields of the first.
    """
    wanted = alleles.select("contig", "norm_pos", "norm_ref", "norm_alt").with_row_index("at")
    asked = wanted.drop_nulls()
    tables = _Tables(source, bundle)
    covered: list[int] = []
    for number in wanted["contig"].unique(maintain_order=True).to_list():
        contig = line.contig(number)
        if contig and bundle.known(source, contig):
            covered.append(number)
            positions = asked.filter(pl.col("contig") == number)["norm_pos"].unique().sort()
            tables.ask(contig, number, positions)
    if not covered:
        return None
    matched = asked.join(
        tables.listed(),
        left_on=["contig", "norm_pos", "norm_ref", "norm_alt"],
        right_on=["contig", "pos", "ref", "alt"],
        how="inner",
        maintain_order="left_right",
    )
    matched = _one_row_each(matched, source).with_columns(pl.lit(value=True).alias(source.name))
    is_covered = pl.col("contig").is_in(covered)
    return (
        wanted.select("at", "contig")
        .join(
            matched.select("at", source.name, *_columns(source)), on="at", how="left", maintain_order="left"
        )
        .with_columns(pl.when(is_covered).then(pl.col(source.name).fill_null(value=False)))
        .drop("at", "contig")
    )


def _one_row_each(matched: pl.DataFrame, source: KnownSource) -> pl.DataFrame:
    if not matched["at"].is_duplicated().any():
        return matched
    first = pl.all().first()
    if not source.gives_id:
        return matched.group_by("at", maintain_order=True).agg(first)
    name = f"{source.name}_id"
    ids = pl.col(name).drop_nulls().unique(maintain_order=True)
    joined = pl.when(ids.len() > 0).then(ids.str.join(";")).alias(name)
    return matched.group_by("at", maintain_order=True).agg(pl.exclude("at", name).first(), joined)


def _columns(source: KnownSource) -> list[str]:
    ids = [f"{source.name}_id"] if source.gives_id else []
    return ids + [field.id for field in source.fields]


class _Tables:
    """Reads what a source lists at positions of contigs, each table in the way that costs least."""

    def __init__(self, source: KnownSource, bundle: ReferenceBundle) -> None:
        self._source = source
        self._bundle = bundle
        self._scans: list[pl.LazyFrame] = []
        self._texts: list[tuple[int, bytes]] = []
        self._schema: dict[str, pl.DataType] = {}

    def ask(self, contig: Contig, number: int, positions: pl.Series) -> None:
        path = self._bundle.known(self._source, contig)
        if path is None:
            return
        blocks = self._bundle.known_blocks(self._source, contig)
        if blocks and len(positions):
            reader = KnownBlocks(*blocks)
            numbers = reader.blocks_with(positions.to_numpy())
            if len(numbers) * FEW_BLOCKS <= len(reader):
                self._schema = self._schema or dict(pl.read_parquet_schema(path))
                self._texts.append((number, reader.text(numbers)))
                return
        self._scans.append(self._columns(_scan(path, positions), pl.lit(number, pl.Int32)))

    def listed(self) -> pl.DataFrame:
        """contig (its number), pos, ref, alt, the source's fields and its ids; more than was asked for."""
        tables = list(self._scans)
        if self._texts:
            text = b"".join(text for _, text in self._texts)
            rows = pl.read_csv(text, separator="\t", has_header=False, quote_char=None, schema=self._schema)
            numbers = np.repeat(
                np.array([number for number, _ in self._texts], np.int32),
                [text.count(b"\n") for _, text in self._texts],
            )
            tables.append(self._columns(rows.lazy(), pl.lit(pl.Series(numbers))))
        return pl.concat(tables).collect()

    def _columns(self, table: pl.LazyFrame, contig: pl.Expr) -> pl.LazyFrame:
        ids = [pl.col("id").alias(f"{self._source.name}_id")] if self._source.gives_id else []
        fields = [field.id for field in self._source.fields]
        return table.select(contig.alias("contig"), "pos", "ref", "alt", *fields, *ids)


def _scan(path: Path, positions: pl.Series) -> pl.LazyFrame:
    """The known alleles at the positions; row groups without any are passed over by their statistics."""
    # a list of literals, unlike a column of values, is compared with the row groups' statistics
    return pl.scan_parquet(path).filter(pl.col("pos").is_in(positions.to_list()))

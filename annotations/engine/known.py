"""Look alleles up among the known variants of the reference bundle."""

from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.bundle import Contig, KnownSource, ReferenceBundle
from annotations.engine.contig_line import ContigLine
from annotations.engine.kernels.library import Array, call, structure
from annotations.engine.kernels.texts import text_column
from annotations.engine.known_blocks import BLOCK_ROWS, KnownBlocks

_Alleles = structure("_Alleles", count=int, contig=np.int32, pos=np.int32, ref="", alt="")
FEW_BLOCKS = 8  # to read one of so many blocks costs less than the whole table
MANY_BLOCKS = 64  # which, where they stand close together, cost less to read as rows of the Parquet


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
    wanted = alleles.select("contig", "norm_pos", "norm_ref", "norm_alt")
    tables = _Tables(source, bundle)
    covered: list[int] = []
    for number in wanted["contig"].unique(maintain_order=True).to_list():
        contig = line.contig(number)
        if contig and bundle.known(source, contig):
            covered.append(number)
            positions = wanted["norm_pos"].filter(wanted["contig"] == number).drop_nulls().unique().sort()
            tables.ask(contig, number, positions)
    if not covered:
        return None
    listed = tables.listed()
    first, following = match(wanted, listed)
    is_known = pl.Series(first >= 0)
    own = listed.select(_columns(source))
    values = pl.concat([own, own.clear(1)])[np.where(first >= 0, first, len(own))]
    has_more = first >= 0
    has_more[has_more] = following[first[has_more]] >= 0
    repeated = np.flatnonzero(has_more)
    if source.gives_id and len(repeated):
        name = f"{source.name}_id"
        ids = [_all_ids(listed[name], int(first[at]), following) for at in repeated]
        values = values.with_columns(values[name].scatter(repeated, pl.Series(ids, dtype=pl.String)))
    has_source = wanted.select(pl.when(pl.col("contig").is_in(covered)).then(is_known).alias(source.name))
    return has_source.hstack(values)


def match(wanted: pl.DataFrame, listed: pl.DataFrame) -> tuple[Array, Array]:
    """The first listed row of each wanted allele (-1: none), and of each row the next one that lists it."""
    asked, rows = (
        _Alleles(
            count=len(frame),
            contig=frame["contig"].to_numpy(),
            pos=frame[pos].fill_null(0).to_numpy(),
            ref=text_column(frame[ref]),
            alt=text_column(frame[alt]),
        )
        for frame, (pos, ref, alt) in (
            (wanted, ("norm_pos", "norm_ref", "norm_alt")),
            (listed, ("pos", "ref", "alt")),
        )
    )
    heads = np.empty(1 << len(listed).bit_length(), np.int32)
    chain, following = np.empty((2, len(listed)), np.int32)
    first = np.empty(len(wanted), np.int32)
    call("match_known", asked, rows, heads, len(heads), chain, first, following)
    return first, following


def _all_ids(ids: pl.Series, row: int, following: Array) -> str | None:
    """The ids of all rows that list an allele, each once."""
    found: list[str] = []
    while row >= 0:
        found.append(ids[row])
        row = int(following[row])
    return ";".join(dict.fromkeys(one for one in found if one is not None)) or None


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
            span = int(numbers[-1] - numbers[0]) + 1 if len(numbers) else 0
            if len(numbers) > MANY_BLOCKS and span <= 2 * len(numbers):
                rows = pl.scan_parquet(path).slice(int(numbers[0]) * BLOCK_ROWS, span * BLOCK_ROWS)
                self._scans.append(self._columns(rows, pl.lit(number, pl.Int32)))
                return
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

"""Read what a source of known variants lists near positions, without reading all that it has."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.bundle import Contig, KnownSource, ReferenceBundle
from annotations.engine.kernels.library import Array
from annotations.engine.known_blocks import BLOCK_ROWS, KnownBlocks

FEW_BLOCKS = 8  # to read one of so many blocks costs less than the whole table
MANY_BLOCKS = 64  # which, where they stand close together, cost less to read as rows of the Parquet
_KEY = ("pos", "ref", "alt")
PIECE_BLOCKS = 1024  # of the Parquet, so much is read at once, and the last one of it kept
Part = tuple[Array, pl.DataFrame]  # rows, and the number of the contig of each (int32)


class KnownTables:
    """The tables of one source: a row an allele, pos, ref, alt, id where the source gives ids, its fields."""

    def __init__(self, source: KnownSource, bundle: ReferenceBundle) -> None:
        self._source = source
        self._bundle = bundle
        self._latest: tuple[str, _ContigTable] | None = None

    def covers(self, contig: Contig) -> bool:
        """Whether the source has anything on the contig."""
        return self._bundle.known(self._source, contig) is not None

    def near(self, places: Mapping[int, tuple[Contig, Array]]) -> Iterator[Part]:
        """All rows at the positions (sorted), and more, in parts; in a contig's order.

        `places` has contigs that the source covers, by number, each with positions on it.
        """
        texts: list[tuple[int, bytes]] = []
        for number, (contig, positions) in places.items():
            if not len(positions):
                continue
            table = self._table(contig)
            blocks = table.blocks_with(positions)
            if blocks is None:
                frames = iter([table.filtered(positions)])
            elif table.are_few(blocks):
                texts.append((number, table.text(blocks)))
                continue
            else:
                frames = table.pieces(blocks)
            for rows in frames:
                yield np.full(len(rows), number, np.int32), rows
        if texts:
            yield self._parsed(texts)

    @cached_property
    def no_values(self) -> pl.DataFrame:
        """The columns with what the source says of an allele, id and fields, without rows."""
        return pl.DataFrame(schema=self._schema)[self._columns[len(_KEY) :]]

    @cached_property
    def _columns(self) -> list[str]:
        ids = ["id"] if self._source.gives_id else []
        return [*_KEY, *ids, *(field.id for field in self._source.fields)]

    @cached_property
    def _schema(self) -> dict[str, pl.DataType]:
        """The columns of the source's Parquet files, which are of one kind."""
        paths = (self._bundle.known(self._source, contig) for contig in self._bundle.contigs)
        return dict(pl.read_parquet_schema(next(path for path in paths if path)))

    def _table(self, contig: Contig) -> "_ContigTable":
        if self._latest is None or self._latest[0] != contig.name:
            path = self._bundle.known(self._source, contig)
            blocks = self._bundle.known_blocks(self._source, contig)
            if path is None:
                raise ValueError(f"{self._source.name} has nothing on {contig.name}")
            self._latest = (
                contig.name,
                _ContigTable(path, KnownBlocks(*blocks) if blocks else None, self._columns),
            )
        return self._latest[1]

    def _parsed(self, texts: list[tuple[int, bytes]]) -> Part:
        """The rows of blocks of several contigs, read at one go."""
        rows = pl.read_csv(
            b"".join(text for _, text in texts),
            separator="\t",
            has_header=False,
            quote_char=None,
            schema=self._schema,
            raise_if_empty=False,
        )
        numbers = np.array([number for number, _ in texts], np.int32)
        return np.repeat(numbers, [text.count(b"\n") for _, text in texts]), rows[self._columns]


class _ContigTable:
    """What a source lists on one contig. The piece of it that was last read is kept: the next variants that
    are asked for mostly lie in it, too."""

    def __init__(self, path: Path, blocks: KnownBlocks | None, columns: Sequence[str]) -> None:
        self._rows = pl.scan_parquet(path).select(columns)
        self._blocks = blocks
        self._kept: tuple[int, pl.DataFrame] | None = None

    def blocks_with(self, positions: Array) -> Array | None:
        """The numbers of the blocks that can have them; None in a bundle without blocks."""
        return self._blocks.blocks_with(positions) if self._blocks else None

    def are_few(self, blocks: Array) -> bool:
        """Whether these are read for less as text than as rows of the Parquet."""
        span = int(blocks[-1] - blocks[0]) + 1 if len(blocks) else 0
        stand_close = len(blocks) > MANY_BLOCKS and span <= 2 * len(blocks)
        return not stand_close and len(blocks) * FEW_BLOCKS <= len(self._blocks or ())

    def text(self, blocks: Array) -> bytes:
        return self._blocks.text(blocks) if self._blocks else b""

    def pieces(self, blocks: Array) -> Iterator[pl.DataFrame]:
        """The rows from the first to the last of the blocks, without pieces that have none of them."""
        for number in np.unique(blocks // PIECE_BLOCKS).tolist():
            start = number * PIECE_BLOCKS
            within = blocks[np.searchsorted(blocks, start) : np.searchsorted(blocks, start + PIECE_BLOCKS)]
            first, last = int(within[0]) - start, int(within[-1]) + 1 - start
            yield self._piece(number).slice(first * BLOCK_ROWS, (last - first) * BLOCK_ROWS)

    def _piece(self, number: int) -> pl.DataFrame:
        if self._kept is None or self._kept[0] != number:
            rows = PIECE_BLOCKS * BLOCK_ROWS
            self._kept = None  # two at a time would take more memory
            self._kept = number, self._rows.slice(number * rows, rows).collect().rechunk()
        return self._kept[1]

    def filtered(self, positions: Array) -> pl.DataFrame:
        """The rows at the positions; row groups without any are passed over by their statistics."""
        # a list of literals, unlike a column of values, is compared with the row groups' statistics
        wanted = pl.col("pos").is_in(np.unique(positions).tolist())
        return self._rows.filter(wanted).collect()

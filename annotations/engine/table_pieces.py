"""The result table, written in pieces that are joined as they are.

Every shard packs its own, side by side with the others, and to join them takes no time. A piece is one row
group, of the chunks that `cutting.cut_into_pieces` puts together.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.layout import Plan, Shard
from annotations.engine.parquet_join import join_parquet
from annotations.engine.table import table_schema


class TablePieces:
    """Takes the rows of a shard's chunks, one after the other, and leaves table-N.parquet in `directory`."""

    def __init__(self, directory: Path, shard: Shard, plan: Plan, bundle: ReferenceBundle) -> None:
        self._directory = directory
        self._metadata = _metadata(plan, bundle)
        self._pieces = list(enumerate(shard.pieces))[::-1]  # number and chunks, the next one last
        self._waiting: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        """The rows of the next chunk."""
        self._waiting.append(rows)
        number, chunks = self._pieces[-1]
        if len(self._waiting) == chunks:
            _write(pl.concat(self._waiting), self._directory / f"table-{number:05}.parquet", self._metadata)
            self._waiting.clear()
            self._pieces.pop()


def join_tables(directories: Sequence[Path], plan: Plan, bundle: ReferenceBundle, target: Path) -> None:
    """Join the pieces in the shards' directories into one table."""
    pieces = [piece for directory in directories for piece in sorted(directory.glob("table-*.parquet"))]
    if pieces:
        join_parquet(pieces, target)
    else:
        nothing = pl.DataFrame(schema=table_schema(bundle, bool(plan.samples)))
        _write(nothing, target, _metadata(plan, bundle))


def _write(rows: pl.DataFrame, target: Path, metadata: dict[str, str]) -> None:
    rows.write_parquet(
        target,
        compression="zstd",
        compression_level=1,
        row_group_size=max(1, len(rows)),
        metadata=metadata,
    )


def _metadata(plan: Plan, bundle: ReferenceBundle) -> dict[str, str]:
    return {
        "gas_samples": json.dumps(plan.samples),
        "gas_known": json.dumps([source.name for source in bundle.known_sources]),
    }

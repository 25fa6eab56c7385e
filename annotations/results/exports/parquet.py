"""The rows as Parquet, with the columns and metadata of the result's own table."""

import json
from pathlib import Path

import polars as pl

from annotations.results.conditions import condition_of
from annotations.results.database import query
from annotations.results.exports.batches import Progress, Wanted

_ROW = "__row"
_ROW_GROUP_ROWS = 65_536


def write_parquet(wanted: Wanted, path: Path, progress: Progress) -> None:
    table = wanted.table
    condition = condition_of(wanted.filter, table.layout)
    numbers = query(
        table.path,
        f"SELECT file_row_number FROM read_parquet($table, file_row_number = true) WHERE {condition.sql}",
        condition.parameters,
    )
    rows = pl.scan_parquet(table.path, row_index_name=_ROW)
    if wanted.filter:
        chosen = pl.Series([number for (number,) in numbers], dtype=pl.UInt32)
        rows = rows.filter(pl.col(_ROW).is_in(chosen.implode()))
    progress(0)
    rows.drop(_ROW).sink_parquet(
        path,
        compression="zstd",
        row_group_size=_ROW_GROUP_ROWS,
        metadata={
            "gas_samples": json.dumps(table.layout.samples),
            "gas_known": json.dumps(table.layout.sources),
            "gas_filter": wanted.filter.query(),
        },
    )
    progress(table.layout.records)

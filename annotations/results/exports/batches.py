"""All rows that a filter finds, some thousand at a time, in the order of the file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.results.conditions import condition_of
from annotations.results.database import query, quoted
from annotations.results.filters import ResultFilter
from annotations.results.tables import ResultTable

Progress = Callable[[int], None]
"""Told how many records of the table have been passed. May raise, to stop the export."""

RECORDS_AT_ONCE = 16_384
_CELLS_AT_ONCE = 1_000_000  # of samples' columns, each cell an object of Python's


@dataclass(frozen=True)
class Wanted:
    """What is exported: the rows of a table that a filter finds."""

    table: ResultTable
    filter: ResultFilter


def batches(wanted: Wanted, columns: Sequence[str], progress: Progress) -> Iterator[list[tuple[Any, ...]]]:
    """Values of `columns`, row by row, batch by batch.

    Each batch is a query of its own over a stretch of records, which the table's row groups know where to
    find: memory follows the batch. Raises FilterRefused, QueryTooCostly, TableUnreadable.
    """
    layout = wanted.table.layout
    condition = condition_of(wanted.filter, layout)
    names = ", ".join(quoted(name) for name in columns)
    step = max(16, min(RECORDS_AT_ONCE, _CELLS_AT_ONCE // max(1, len(layout.samples))))
    for first in range(1, layout.records + 1, step):
        last = min(first + step - 1, layout.records)
        rows = query(
            wanted.table.path,
            f"SELECT {names} FROM read_parquet($table) WHERE record BETWEEN {first} AND {last} "
            f"AND {condition.sql}",
            condition.parameters,
        )
        if rows:
            yield rows
        progress(last)

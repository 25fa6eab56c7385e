"""Pages of rows, for people and for scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from annotations.results.conditions import Condition, condition_of, frequency_sql
from annotations.results.database import query, query_one, quoted
from annotations.results.filters import ResultFilter
from annotations.results.layout import TableLayout
from annotations.results.problems import FilterProblem, FilterRefused
from annotations.results.tables import ResultTable
from annotations.results.vocabulary import CONSEQUENCES, IMPACT_LEVELS

FILE_ORDER = "position"
# In the order of the file DuckDB passes over rows; in another it holds all up to the page's last one.
DEEPEST_SORTED_ROW = 100_000


@dataclass(frozen=True)
class Row:
    """One ALT allele. `number` is its place in the table, from 0; the values are those of `engine.table`."""

    number: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Slice:
    """Which of the rows found are wanted, and in what order; `-` before a sort key is for descending."""

    sort: str = FILE_ORDER
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True)
class Counted:
    """How many alleles a filter finds, and of how many records of the annotated VCF."""

    rows: int
    records: int


def count(table: ResultTable, wanted: ResultFilter) -> Counted:
    """Raises FilterRefused, QueryTooCostly, TableUnreadable."""
    if not wanted:
        return Counted(table.layout.rows, table.layout.records)
    status = table.path.stat()
    return _count(table, wanted, status.st_mtime_ns)


@lru_cache(maxsize=512)
def _count(table: ResultTable, wanted: ResultFilter, modified_ns: int) -> Counted:
    condition = condition_of(wanted, table.layout)
    ((rows, alone),) = query(
        table.path,
        f"SELECT count(*), count(*) FILTER (alleles = 1) FROM read_parquet($table) WHERE {condition.sql}",
        condition.parameters,
    )
    if rows == alone:
        return Counted(rows, rows)
    together = query_one(
        table.path,
        f"SELECT count(DISTINCT record) FROM read_parquet($table) WHERE alleles > 1 AND {condition.sql}",
        condition.parameters,
    )
    return Counted(rows, alone + together)


def sort_keys(layout: TableLayout) -> dict[str, str]:
    """What rows can be sorted by, and its SQL; with a `-` before the name it is descending."""
    keys = {
        FILE_ORDER: "file_row_number",
        "gene": "gene_names",
        "consequence": _rank("consequence", CONSEQUENCES),
        "impact": _rank("impact", IMPACT_LEVELS),
        "quality": "qual",
        "id": "id",
    }
    if frequency := frequency_sql(layout, None):
        keys["frequency"] = frequency
    if layout.significance_columns:
        keys["significance"] = quoted(layout.significance_columns[0])
    return keys


def page_of_rows(
    table: ResultTable,
    wanted: ResultFilter,
    part: Slice,
    columns: Sequence[str] | None = None,
) -> list[Row]:
    """A part of the rows that the filter finds, with `columns` (all without it).

    Raises FilterRefused, QueryTooCostly, TableUnreadable.
    """
    condition = condition_of(wanted, table.layout)
    sort, offset, limit = part.sort, part.offset, part.limit
    name, key = sort.removeprefix("-"), sort_keys(table.layout).get(sort.removeprefix("-"))
    if key is None:
        names = ", ".join(sort_keys(table.layout))
        raise FilterRefused([FilterProblem("sort", f"one of {names}, perhaps after a -", f"“{sort[:60]}”")])
    if columns is None:
        columns = list(table.layout.columns)
    if sort == FILE_ORDER:
        return _rows_of_file(table, condition, columns, offset, limit)
    if offset + limit > DEEPEST_SORTED_ROW:
        expected = f"rows up to {DEEPEST_SORTED_ROW:,} of those sorted by {name}; filter, or sort by position"
        raise FilterRefused([FilterProblem("page", expected, f"row {offset + limit:,}")])
    direction = "DESC" if sort.startswith("-") else "ASC"
    numbers = [
        number
        for (number,) in query(
            table.path,
            "SELECT file_row_number FROM read_parquet($table, file_row_number = true) "
            f"WHERE {condition.sql} ORDER BY {key} {direction} NULLS LAST, file_row_number "
            f"LIMIT {int(limit)} OFFSET {int(offset)}",
            condition.parameters,
        )
    ]
    return rows_by_number(table, numbers, columns)


def rows_by_number(
    table: ResultTable, numbers: Sequence[int], columns: Sequence[str] | None = None
) -> list[Row]:
    """These rows, in this order; those that the table does not have are left out."""
    if not numbers:
        return []
    wanted = Condition()
    wanted.parts.append(f"file_row_number IN ({', '.join(str(int(number)) for number in numbers)})")
    found = {
        row.number: row
        for row in _rows_of_file(table, wanted, columns or list(table.layout.columns), 0, len(numbers))
    }
    return [found[number] for number in numbers if number in found]


def _rows_of_file(
    table: ResultTable, condition: Condition, columns: Sequence[str], offset: int, limit: int
) -> list[Row]:
    names = ", ".join(quoted(name) for name in columns)
    rows = query(
        table.path,
        f"SELECT file_row_number, {names} FROM read_parquet($table, file_row_number = true) "
        f"WHERE {condition.sql} LIMIT {int(limit)} OFFSET {int(offset)}",
        condition.parameters,
    )
    return [Row(number, dict(zip(columns, values, strict=True))) for number, *values in rows]


def _rank(column: str, words: Sequence[str]) -> str:
    cases = " ".join(f"WHEN '{word}' THEN {rank}" for rank, word in enumerate(words))
    return f"CASE {column} {cases} END"

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
# In the order of the file DuckDB passes over rows; in another it sorts all that is found, which so many rows
# let it do within `database.MEMORY_LIMIT`.
DEEPEST_SORTED_ROW = 5_000_000
BOUNDED_UP_TO_ROW = 10_000  # further on all keys must be sorted anyway


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


def counted_page(
    table: ResultTable, wanted: ResultFilter, part: Slice, columns: Sequence[str]
) -> tuple[Counted, list[Row]]:
    """How many there are, and a part of them. Raises FilterRefused, QueryTooCostly, TableUnreadable."""
    if part.sort != FILE_ORDER or part.offset or not wanted:
        return count(table, wanted), page_of_rows(table, wanted, part, columns)
    rows = page_of_rows(table, wanted, part, list(dict.fromkeys([*columns, "record"])))
    if len(rows) < part.limit:  # they are all: that the table is gone through once more can be spared
        return Counted(len(rows), len({row.values["record"] for row in rows})), rows
    return count(table, wanted), rows


@lru_cache(maxsize=512)
def _count(table: ResultTable, wanted: ResultFilter, modified_ns: int) -> Counted:
    condition = condition_of(wanted, table.layout)
    if table.layout.rows == table.layout.records:  # every record has one allele
        rows = query_one(
            table.path,
            f"SELECT count(*) FROM read_parquet($table) WHERE {condition.sql}",
            condition.parameters,
        )
        return Counted(rows, rows)
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
        "gene": quoted("gene_names"),
        "consequence": _rank("consequence", CONSEQUENCES),
        "impact": _rank("impact", IMPACT_LEVELS),
        "quality": quoted("qual"),
        "id": quoted("id"),
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
    return rows_by_number(table, _sorted_numbers(table, condition, key, part), columns)


def _sorted_numbers(table: ResultTable, condition: Condition, key: str, part: Slice) -> list[int]:
    """The rows of a sorted part; of those with the same key, the first of the file come first."""
    descending = part.sort.startswith("-")
    order = f"ORDER BY {key} {'DESC' if descending else 'ASC'} NULLS LAST"
    end = int(part.offset + part.limit)
    if key in table.layout.quoted_columns and end <= BOUNDED_UP_TO_ROW:
        # Keys alone are sorted at little cost. What comes before the part's last key is in few row groups,
        # and of the rows that have it the first ones are soon found.
        last = _found(table, condition, key, f"{order} LIMIT 1 OFFSET {end - 1}")
        if last and last[0] is not None:
            bound = condition.bind(last[0])
            before = f"AND {key} {'>' if descending else '<'} {bound} {order}, file_row_number"
            numbers = _found(table, condition, "file_row_number", before)
            with_it = f"AND {key} = {bound} LIMIT {end - len(numbers)}"
            return [*numbers, *_found(table, condition, "file_row_number", with_it)][int(part.offset) :]
    rest = f"{order}, file_row_number LIMIT {int(part.limit)} OFFSET {int(part.offset)}"
    return _found(table, condition, "file_row_number", rest)


def _found(table: ResultTable, condition: Condition, what: str, rest: str) -> list[Any]:
    sql = f"SELECT {what} FROM read_parquet($table, file_row_number = true) WHERE {condition.sql} {rest}"
    return [value for (value,) in query(table.path, sql, condition.parameters)]


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

"""The numbers of a plot, and how they are best drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from annotations.results.conditions import Condition, condition_of
from annotations.results.database import query
from annotations.results.exports.batches import Wanted, batches
from annotations.results.filters import ResultFilter
from annotations.results.layout import TableLayout
from annotations.results.tables import ResultTable


@dataclass(frozen=True)
class Drawing:
    """`kind` is bar, stack (columns on top of each other) or dots (x, y and a size).

    `horizontal`: long names beside the bars; `logarithmic`: counts of very different size side by side;
    `zoomable`: more categories than fit.
    """

    kind: str = "bar"
    horizontal: bool = False
    logarithmic: bool = False
    zoomable: bool = False
    x_title: str = ""


@dataclass(frozen=True)
class Numbers:
    """A table: its first column says what is counted in the others. `summary` says in words what it shows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    summary: str
    drawing: Drawing


class Counting:
    """Counts the rows that the filter finds, in groups."""

    def __init__(self, table: ResultTable, wanted: ResultFilter) -> None:
        self._table = table
        self._wanted = wanted
        self._condition: Condition = condition_of(wanted, table.layout)

    @property
    def layout(self) -> TableLayout:
        return self._table.layout

    def rows(
        self, select: str, rest: str = "", source: str = "read_parquet($table)"
    ) -> list[tuple[Any, ...]]:
        """SELECT ... of the rows found ... `rest` may narrow further with AND, then group and order."""
        sql = f"SELECT {select} FROM {source} WHERE {self._condition.sql} {rest}"
        return query(self._table.path, sql, self._condition.parameters)

    def batches(self, column: str) -> Iterator[list[Any]]:
        """The values of a column in the rows found, some thousand at a time."""
        for rows in batches(Wanted(self._table, self._wanted), [column], lambda _: None):
            yield [value for (value,) in rows]


@dataclass(frozen=True)
class Bins:
    """Stretches of numbers: below edges[0], from edges[0] to below edges[1], ..., from the last edge on."""

    edges: Sequence[float]
    names: Sequence[str]

    def sql(self, value: str) -> str:
        """The number of the bin that `value` is in; null where it is null."""
        cases = " ".join(f"WHEN {value} < {edge} THEN {place}" for place, edge in enumerate(self.edges))
        return f"CASE WHEN {value} IS NULL THEN NULL {cases} ELSE {len(self.edges)} END"

    def counted(self, rows: Sequence[tuple[Any, ...]], missing: str) -> list[tuple[str, int]]:
        """Every bin with its count, from rows of bin and count; then what has no value, if anything."""
        counts = dict(rows)
        named = [(name, int(counts.get(place, 0))) for place, name in enumerate(self.names)]
        return [*named, (missing, int(counts[None]))] if counts.get(None) else named

    @classmethod
    def between(cls, edges: Sequence[float]) -> "Bins":
        """Named by their edges.

        >>> Bins.between([10, 20]).names
        ['under 10', '10 to 20', '20 and over']
        """
        inner = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
        return cls(edges, [f"under {edges[0]:g}", *inner, f"{edges[-1]:g} and over"])

"""The engine's counts, made ready for a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

# Names of the engine's counts as headings; another one becomes words by itself.
_TITLES = {
    "consequences": "Most severe consequence",
    "impacts": "Impact",
    "left_out": "Left unannotated",
}
# From the worst to the mildest, as VEP orders them; other names go by their counts.
_IMPACTS = ("HIGH", "MODERATE", "LOW", "MODIFIER")


@dataclass(frozen=True)
class Row:
    name: str
    count: int


@dataclass(frozen=True)
class CountTable:
    title: str
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, name: str, counts: Mapping[str, int]) -> CountTable:
        rows = [Row(term, count) for term, count in counts.items()]
        if set(counts) <= set(_IMPACTS):
            rows.sort(key=lambda row: _IMPACTS.index(row.name))
        else:
            rows.sort(key=lambda row: -row.count)
        return cls(name, tuple(rows))

    @property
    def largest(self) -> int:
        """What the longest bar stands for."""
        return max((row.count for row in self.rows), default=0) or 1


@dataclass(frozen=True)
class Figure:
    """A single number; `percent` of all records, None where it is no part of them."""

    name: str
    value: int | float
    percent: float | None = None


@dataclass(frozen=True)
class Summary:
    """Figures (single numbers), tables (counts by name), and notes (sentences about the input)."""

    figures: tuple[Figure, ...]
    tables: tuple[CountTable, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, counts: Mapping[str, Any]) -> Summary:
        """Sort the engine's summary by the shape of its values, so that a new count needs no new page."""
        figures = [
            Figure(_title(name), value)
            for name, value in counts.items()
            if name != "seconds" and _is_number(value)
        ]
        tables = [
            CountTable.of(_title(name), value)
            for name, value in counts.items()
            if name != "known" and _is_counts(value)
        ]
        notes = [note for value in counts.values() if isinstance(value, list) for note in value]
        return cls(
            (*figures, *_known(counts)), tuple(tables), tuple(note for note in notes if isinstance(note, str))
        )


def _known(counts: Mapping[str, Any]) -> list[Figure]:
    """How many records each source knows: a part of all records that says whether the reference fits."""
    known, records = counts.get("known"), counts.get("records_in")
    if not _is_counts(known):
        return []
    whole = records if type(records) is int and records else None
    return [Figure(f"In {source}", n, 100 * n / whole if whole else None) for source, n in known.items()]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_counts(value: Any) -> TypeGuard[dict[str, int]]:
    return isinstance(value, dict) and bool(value) and all(type(count) is int for count in value.values())


def _title(name: str) -> str:
    return _TITLES.get(name) or name.replace("_", " ").capitalize()

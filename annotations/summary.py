"""The engine's counts, made ready for a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Terms whose spelling is fixed; other keys become words by themselves.
_WORDS = {"id": "ID", "rsid": "rsID", "snv": "SNV", "snvs": "SNVs", "cds": "CDS", "utr": "UTR", "vcf": "VCF"}


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
        return cls(_words(name), tuple(rows))

    @property
    def largest(self) -> int:
        """What the longest bar stands for."""
        return max((row.count for row in self.rows), default=0) or 1


@dataclass(frozen=True)
class Summary:
    """Figures (single numbers), tables (counts by name), and notes (sentences, as what was not annotated)."""

    figures: tuple[tuple[str, Any], ...]
    tables: tuple[CountTable, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, counts: Mapping[str, Any]) -> Summary:
        """Sort the engine's summary by the shape of its values, so that a new count needs no new page."""
        figures = [(_words(name), value) for name, value in counts.items() if _is_number(value)]
        tables = [CountTable.of(name, value) for name, value in counts.items() if _is_counts(value)]
        notes = [
            str(note)
            for value in counts.values()
            if isinstance(value, list)
            for note in value
            if isinstance(note, str)
        ]
        return cls(tuple(figures), tuple(tables), tuple(notes))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_counts(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(type(count) is int for count in value.values())


def _words(name: str) -> str:
    words = " ".join(_WORDS.get(word, word) for word in name.split("_"))
    return words if words.startswith(tuple(_WORDS.values())) else words[:1].upper() + words[1:]

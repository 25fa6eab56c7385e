"""The alleles of a chunk of records: where each lies, what VEP calls it, and whether it can be judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np

from annotations.engine.kernels.library import Array
from annotations.engine.kernels.texts import Texts

LARGEST_SPAN_BASES = 10_000_000  # beyond this an event hits so many genes that naming them says nothing


class Kind(IntEnum):
    """What an allele does to the bases from `start` to `end`; an insertion stands between those two."""

    REPLACEMENT = 0
    INSERTION = 1
    DELETION = 2
    DUPLICATION = 3


class Reason(IntEnum):
    """Why an allele is left without consequences; NONE when it is not."""

    NONE = 0
    UNKNOWN_CONTIG = 1
    BEYOND_CONTIG = 2
    REF_MISMATCH = 3
    NO_ALT = 4
    SPANNING_DELETION = 5
    REFERENCE_BLOCK = 6
    BREAKEND = 7
    SYMBOLIC = 8
    TOO_LONG = 9


REASON_TEXT: dict[Reason, str] = {
    Reason.UNKNOWN_CONTIG: "on a contig that the reference does not have",
    Reason.BEYOND_CONTIG: "beyond the end of its contig",
    Reason.REF_MISMATCH: "REF differs from the reference",
    Reason.NO_ALT: "no ALT allele (.)",
    Reason.SPANNING_DELETION: "deleted by a variant before it (*)",
    Reason.REFERENCE_BLOCK: "reference block (<NON_REF>, <*>)",
    Reason.BREAKEND: "breakend",
    Reason.SYMBOLIC: "symbolic allele without a length that could be read",
    Reason.TOO_LONG: f"longer than {LARGEST_SPAN_BASES:,} bases",
}


@dataclass(frozen=True)
class Alleles:
    """Alleles of a chunk, in order of record and number; a row each."""

    row: Array  # int32: the record, of the chunk's
    allele: Array  # uint16; 1 is the first ALT
    contig: Array  # int32, by the plan's number
    start: Array  # int32, 1-based; an insertion stands between start and end
    end: Array  # int32
    kind: Array  # uint8, a Kind
    norm_pos: Array  # int32: left-aligned and parsimonious, to look the allele up by; 0 for none
    reason: Array  # uint8, a Reason
    for_csq: Array  # bool: plain bases (or <INS>, <DEL>) on plain reference bases that agree
    name: Texts  # VEP's form: the bases, or - for a deletion
    norm_ref: Texts  # null for none
    norm_alt: Texts

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: Array) -> "Alleles":
        """Those of these rows: numbers, or a mask."""
        columns: dict[str, Any] = {
            name: column.take(rows) if isinstance(column, Texts) else column[rows]
            for name, column in vars(self).items()
        }
        return Alleles(**columns)

    def part(self, first: int, last: int) -> "Alleles":
        """Rows `first` up to `last` (exclusive)."""
        columns: dict[str, Any] = {
            name: column.part(first, last) if isinstance(column, Texts) else column[first:last]
            for name, column in vars(self).items()
        }
        return Alleles(**columns)

    @classmethod
    def join(cls, parts: Sequence["Alleles"]) -> "Alleles":
        """Those of several parts, each in order, put in order of record and number."""
        columns: dict[str, Any] = {
            name: Texts.join([getattr(part, name) for part in parts])
            if isinstance(column, Texts)
            else np.concatenate([getattr(part, name) for part in parts])
            for name, column in vars(parts[0]).items()
        }
        return cls(**columns).take(np.argsort(columns["row"], kind="stable"))

    def save(self, path: Path) -> None:
        with path.open("wb") as file:
            for column in vars(self).values():
                arrays = (column.data, column.at, column.length) if isinstance(column, Texts) else (column,)
                for array in arrays:
                    np.save(file, array)

    @classmethod
    def load(cls, path: Path) -> "Alleles":
        with path.open("rb") as file:
            columns: dict[str, Any] = {
                name: Texts(*(np.load(file) for _ in range(3))) if kind is Texts else np.load(file)
                for name, kind in cls.__annotations__.items()
            }
        return cls(**columns)


@dataclass
class Comparison:
    """How REF compared with the reference, in records."""

    compared: int = 0
    mismatched: int = 0
    unknown: int = 0  # the reference has N there

"""The record lines of a chunk, and the same with annotations and no other change (kernels/lines.c)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from annotations.engine.kernels.library import Array, Room, Structure, call, structure
from annotations.engine.kernels.texts import Texts

CHROM, POS, ID, REF, ALT, QUAL, FILTER, INFO, REST = range(9)  # numbers of the columns
_COLUMNS = 10
_Lines = structure("_Lines", block=np.uint8, size=int, count=int, starts=np.int64)
_Edits = structure(
    "_Edits",
    ids="",
    infos="",
    additions="",
    rests="",
    csq="",
    allele_count=int,
    allele_record=np.int32,
    allele_csq=np.int32,
)


@dataclass(frozen=True)
class Edits:
    """What is put into the lines of a chunk; a null, or None for a whole column, leaves a field as it is.

    `ids`, `infos` and `rests` (FORMAT and all behind it) take the place of a field, `additions` stand behind
    INFO, and behind these the CSQ texts of the record's alleles. `csq` has each text once; `allele_record` is
    the record of each allele, in order, and `allele_csq` the number of its text (int32; -1 for none).
    """

    csq: Texts
    allele_record: Array
    allele_csq: Array
    ids: Texts | None = None
    infos: Texts | None = None
    additions: Texts | None = None
    rests: Texts | None = None


class Lines:
    """The lines of a block of so many records, and where their fields are."""

    def __init__(self, block: bytes, records: int) -> None:
        self._text = block
        self.block = np.frombuffer(block, np.uint8)
        self._records = records
        starts = np.empty((records, _COLUMNS), np.int64)
        call("split_records", self.block, len(self.block), records, starts)
        self._starts = starts
        self.for_kernels = _Lines(block=self.block, size=len(self.block), count=records, starts=starts)

    def __len__(self) -> int:
        return self._records

    def has(self, text: bytes) -> bool:
        """Whether it stands anywhere in the lines."""
        return text in self._text

    def fields(self, column: int) -> Texts:
        """CHROM (0) to INFO (7) as they came, or FORMAT and all behind it (8), null where there is none."""
        at, behind = self._starts[:, column], self._starts[:, column + 1]
        length = (behind - at - (1 if column < REST else 0)).astype(np.int32)
        return Texts(self.block, np.ascontiguousarray(at), length)

    @cached_property
    def positions(self) -> Array:
        """POS of each record, as int32."""
        positions = np.empty(len(self), np.int32)
        call("read_positions", self.for_kernels, positions)
        return positions

    def edited(self, edits: Edits) -> tuple[Array, Array]:
        """The lines with annotations (as bytes), and where each of them ends."""
        line_ends = np.empty(self._records, np.int64)
        columns = _Edits(
            csq=edits.csq.for_kernels,
            allele_count=len(edits.allele_record),
            allele_record=edits.allele_record,
            allele_csq=edits.allele_csq,
            **_columns(edits),
        )
        size = 8 * len(self.block)
        while True:
            lines = np.empty(size, np.uint8)
            out = Room(bytes=lines, size=size, used=0)
            call("write_lines", self.for_kernels, columns, out, line_ends)
            if out.used <= size:
                return lines[: out.used], line_ends
            size = out.used


def _columns(edits: Edits) -> dict[str, Structure]:
    named = {
        "ids": edits.ids,
        "infos": edits.infos,
        "additions": edits.additions,
        "rests": edits.rests,
    }
    return {name: texts.for_kernels for name, texts in named.items() if texts is not None}

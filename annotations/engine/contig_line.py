"""Contigs laid end to end, so that the variants of all of them are worked on at once.

A place on the line is a place on a contig plus the contig's offset. Work on whole columns costs by the call
as much as by the row, and a small file has variants on every chromosome.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping

import numpy as np

from annotations.engine.bundle import Contig

# Between two contigs, more than anything reaches that is looked for around a variant; offsets are multiples
# of it, so that blocks of the genome start with a contig.
GAP_BASES = 1 << 16
OVERHANG_BASES = 1_000  # of an allele that goes on beyond its contig's end, so much is kept


class ContigLine:
    """A line of contigs, known by the numbers that the plan gives them.

    A contig that a file names in two ways has two numbers, and two places on the line.
    """

    def __init__(self, contigs: Mapping[int, Contig], count: int) -> None:
        """`contigs` in their order on the line, by number; `count` is how many numbers there are."""
        self._contigs = dict(contigs)
        self._names: list[str] = []
        self._starts: list[int] = []
        self._by_number = np.full((count, 2), -1, np.int64)
        end = 0
        for number, contig in contigs.items():
            self._names.append(contig.name)
            self._starts.append(end)
            self._by_number[number] = end, end + contig.length
            end += -(-(contig.length + GAP_BASES) // GAP_BASES) * GAP_BASES

    def __iter__(self) -> Iterator[Contig]:
        """Each of the contigs once."""
        return iter(dict.fromkeys(self._contigs.values()))

    def contig(self, number: int) -> Contig | None:
        """The contig of this number, if it is on the line."""
        return self._contigs.get(number)

    def offset(self, number: int) -> int:
        """Where the contig of this number starts."""
        return int(self._by_number[number, 0])

    def extents(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where contigs of these numbers start and end (0-based, half-open); -1 for those not on the line."""
        start, end = self._by_number[numbers].T
        return start, end

    def spans(self, numbers: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and last bases (1-based) of alleles on these contigs, as places on the line."""
        offset, limit = self.extents(numbers)
        return start + offset, np.minimum(end + offset, limit + OVERHANG_BASES)

    def at(self, place: int) -> tuple[str, int]:
        """The contig that lies at or before a place (0-based), and its offset."""
        number = max(0, bisect_right(self._starts, place) - 1)
        return self._names[number], self._starts[number]

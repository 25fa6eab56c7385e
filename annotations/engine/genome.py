"""The bases of the reference under a chunk of variants, a few windows at a time."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.contig_line import ContigLine
from annotations.engine.packed_genome import PackedGenome

GAP_BASES = 20_000  # a gap longer than this costs more to read than to seek over
WINDOW_BASES = 4 << 20
HELD_BASES = 4 * WINDOW_BASES  # a chunk of a whole genome's variants spans about 13 million bases
MARGIN_BASES = 200  # to the left of a variant, for left-alignment


_Read = Callable[[str, int, int], bytes]


class Genome:
    """The bases of a bundle: the packed ones or, where it was built without, those of its FASTA."""

    def __init__(self, bundle: ReferenceBundle) -> None:
        if bundle.packed_genome:
            lengths = ((contig.name, contig.length) for contig in bundle.contigs)
            self._read: _Read = PackedGenome(*bundle.packed_genome, lengths).fetch
        else:
            self._read = _fasta_reader(bundle.genome)

    def fetch(self, contig: str, start: int, end: int) -> bytes:
        """Upper-case bases from `start` (0-based) up to `end`; shorter at the contig's end."""
        return self._read(contig, max(0, start), max(0, start, end))

    def windows(
        self, line: ContigLine, starts: np.ndarray, ends: np.ndarray, contig_starts: np.ndarray
    ) -> "Windows":
        """The bases under, and left of, [start, end) intervals on the line, 0-based, in order of start."""
        left = np.maximum(starts - MARGIN_BASES, contig_starts)
        return Windows(partial(self.fetch_line, line), left, ends)

    def fetch_line(self, line: ContigLine, start: int, end: int) -> bytes:
        """Bases as by `fetch`, of the contig that `start` on the line lies in; none in the gap behind it."""
        contig, offset = line.at(start)
        return self.fetch(contig, start - offset, end - offset)


def _fasta_reader(path: Path) -> _Read:
    import pysam  # which takes long to load, and few bundles need it here

    fasta = pysam.FastaFile(str(path))

    def read(contig: str, start: int, end: int) -> bytes:
        bases: str = fasta.fetch(contig, start, end)
        return bases.encode().upper()

    return read


@dataclass(frozen=True)
class Stretches:
    """Several stretches of the reference: places on the line, 0-based and half-open, and the bases."""

    start: np.ndarray
    end: np.ndarray
    at: np.ndarray  # of each in `bases`
    bases: np.ndarray

    @classmethod
    def of(cls, starts: Sequence[int], held: Sequence[bytes]) -> "Stretches":
        lengths = np.array([len(bases) for bases in held], np.int64)
        start = np.array(starts, np.int64)
        joined = np.frombuffer(b"".join(held) if len(held) > 1 else held[0], np.uint8)
        return cls(start, start + lengths, np.cumsum(lengths) - lengths, joined)


class Windows:
    """Stretches of a line of contigs, read when first looked at; the latest ones are held."""

    def __init__(self, fetch: Callable[[int, int], bytes], starts: np.ndarray, ends: np.ndarray) -> None:
        self._fetch = fetch
        self._edges = _merge(starts, ends)
        self._held: dict[int, bytes] = {}  # by number of the window, the latest one last
        self._held_bases = 0
        self._start = self._end = 0  # of the window last looked at
        self._bases = b""

    def slice(self, start: int, end: int) -> bytes:
        """The bases from `start` (0-based) up to `end`."""
        if start < self._start or end > self._end:
            number = bisect_right(self._edges, start, key=lambda edge: edge[0]) - 1
            if number < 0 or self._edges[number][1] < end:
                return self._fetch(start, end)
            self._move_to(number)
        return self._bases[start - self._start : end - self._start]

    def from_offset(self, offset: int) -> Callable[[int, int], bytes]:
        """`slice` for places on the contig that starts at `offset`."""
        if not offset:
            return self.slice
        return lambda start, end: self.slice(start + offset, end + offset)

    def groups(self) -> Iterator[tuple[int, int, "Stretches"]]:
        """Consecutive windows, by their numbers from first up to last, of about WINDOW_BASES in all."""
        first = 0
        while first < len(self._edges):
            held: list[bytes] = []
            last, bases = first, 0
            while last < len(self._edges) and (not held or bases < WINDOW_BASES):
                self._move_to(last)
                held.append(self._bases)
                bases += len(self._bases)
                last += 1
            yield first, last, Stretches.of([start for start, _ in self._edges[first:last]], held)
            first = last

    def numbers(self, places: np.ndarray) -> np.ndarray:
        """The window that each 0-based place lies in, or the one before it; -1 for none."""
        return np.searchsorted([start for start, _ in self._edges], places, "right") - 1

    def _move_to(self, number: int) -> None:
        self._start, self._end = self._edges[number]
        held = self._held.pop(number, None)
        if held is None:
            held = self._fetch(self._start, self._end)
            self._held_bases += len(held)
        self._held[number] = self._bases = held
        while self._held_bases > HELD_BASES:
            self._held_bases -= len(self._held.pop(next(iter(self._held))))


def _merge(starts: np.ndarray, ends: np.ndarray) -> list[tuple[int, int]]:
    """Windows over intervals in order of start, each about WINDOW_BASES at most, across small gaps only."""
    if not len(starts):
        return []
    reach = np.maximum.accumulate(ends)
    first = np.concatenate([[0], np.flatnonzero(starts[1:] > reach[:-1] + GAP_BASES) + 1])
    stretch_start = np.repeat(starts[first], np.diff([*first, len(starts)]))
    bucket = (starts - stretch_start) // WINDOW_BASES
    cut = (np.diff(bucket) != 0) | (np.diff(stretch_start) != 0)
    first = np.concatenate([[0], np.flatnonzero(cut) + 1])
    return list(zip(starts[first].tolist(), np.maximum.reduceat(ends, first).tolist(), strict=True))

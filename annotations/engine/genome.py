"""The bases of the reference under a chunk of variants, a few windows at a time."""

from bisect import bisect_right
from pathlib import Path

import numpy as np
import pysam

GAP_BASES = 20_000  # a gap longer than this costs more to read than to seek over
WINDOW_BASES = 4 << 20
HELD_BASES = 4 * WINDOW_BASES  # a chunk of a whole genome's variants spans about 13 million bases
MARGIN_BASES = 200  # to the left of a variant, for left-alignment


class Genome:
    """A BGZF FASTA with its index."""

    def __init__(self, path: Path) -> None:
        self._fasta = pysam.FastaFile(str(path))

    def fetch(self, contig: str, start: int, end: int) -> bytes:
        """Upper-case bases from `start` (0-based) up to `end`; shorter at the contig's end."""
        bases: str = self._fasta.fetch(contig, max(0, start), max(0, start, end))
        return bases.encode().upper()

    def length(self, contig: str) -> int:
        return int(self._fasta.get_reference_length(contig))

    def windows(self, contig: str, starts: np.ndarray, ends: np.ndarray) -> "Windows":
        """The bases under [start, end) intervals, 0-based, in order of start."""
        return Windows(self, contig, starts, ends)


class Windows:
    """Stretches of one contig, read when first looked at; the latest ones are held."""

    def __init__(self, genome: Genome, contig: str, starts: np.ndarray, ends: np.ndarray) -> None:
        self._genome = genome
        self._contig = contig
        self._edges = _merge(starts, ends)
        self._held: dict[int, bytes] = {}  # by number of the window, the latest one last
        self._start = self._end = 0
        self._bases = b""

    def slice(self, start: int, end: int) -> bytes:
        """The bases from `start` (0-based) up to `end`."""
        if start < self._start or end > self._end:
            self._move_to(start, end)
            if start < self._start or end > self._end:
                return self._genome.fetch(self._contig, start, end)
        return self._bases[start - self._start : end - self._start]

    def single_bases(self, positions: np.ndarray) -> np.ndarray:
        """The base at each 0-based position (sorted), as ASCII codes; 0 beyond the contig's end."""
        found = np.zeros(len(positions), np.uint8)
        done = 0
        while done < len(positions):
            first = int(positions[done])
            if not self._start <= first < self._end:
                self._move_to(first, first + 1)
            end = int(np.searchsorted(positions, self._end, "left"))
            if end <= done:  # beyond the contig's end, as are all after it
                break
            window = np.frombuffer(self._bases, np.uint8)
            at = positions[done:end] - self._start
            inside = at < len(window)
            found[done:end][inside] = window[at[inside]]
            done = end
        return found

    def _move_to(self, start: int, end: int) -> None:
        number = bisect_right(self._edges, start, key=lambda edge: edge[0]) - 1
        if number < 0 or self._edges[number][1] < end:
            return
        self._start, self._end = self._edges[number]
        self._bases = self._held.pop(number, b"") or self._genome.fetch(self._contig, self._start, self._end)
        self._held[number] = self._bases
        while sum(map(len, self._held.values())) > HELD_BASES:
            del self._held[next(iter(self._held))]


def _merge(starts: np.ndarray, ends: np.ndarray) -> list[tuple[int, int]]:
    """Windows over intervals in order of start, each about WINDOW_BASES at most, across small gaps only."""
    if not len(starts):
        return []
    left = np.maximum(0, starts - MARGIN_BASES)
    reach = np.maximum.accumulate(ends)
    first = np.concatenate([[0], np.flatnonzero(left[1:] > reach[:-1] + GAP_BASES) + 1])
    stretch_start = np.repeat(left[first], np.diff([*first, len(left)]))
    bucket = (left - stretch_start) // WINDOW_BASES
    cut = (np.diff(bucket) != 0) | (np.diff(stretch_start) != 0)
    first = np.concatenate([[0], np.flatnonzero(cut) + 1])
    return list(zip(left[first].tolist(), np.maximum.reduceat(ends, first).tolist(), strict=True))

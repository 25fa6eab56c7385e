"""The genome at two bits a base, so that any stretch is read without unpacking 64 KB of FASTA around it.

    genome.2b           contig after contig, in the bundle's order, each from a byte of its own; four bases a
                        byte, the first in the lowest bits: A 0, C 1, G 2, T 3
    genome.others.npy   the runs of all other letters (N and the IUPAC codes), which are A in genome.2b:
                        rows of contig (from 0), start (0-based), end, letter (its ASCII code), sorted

Both hold what the FASTA holds, no less.
"""

import os
import weakref
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

_LETTERS = np.frombuffer(b"ACGT", np.uint8)
_FEWEST_RUNS = np.empty((0, 4), np.int64)
# the four letters of each byte, as one number
_FOUR_LETTERS = (
    _LETTERS[(np.arange(256)[:, np.newaxis] >> np.array([0, 2, 4, 6])) & 3].reshape(-1).view(np.uint32)
)
_IS_OTHER = ~np.isin(np.arange(256), _LETTERS)
_CODES = np.zeros(256, np.uint8)
_CODES[_LETTERS] = np.arange(4)


class PackedGenome:
    """Reads the bases of contigs of given lengths, in the order in which they were packed."""

    def __init__(self, packed: Path, others: Path, lengths: Iterable[tuple[str, int]]) -> None:
        self._descriptor = os.open(packed, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        runs = np.load(others)
        self._contigs: dict[str, tuple[int, int, npt.NDArray[np.int64]]] = {}
        first_byte = 0
        for number, (name, length) in enumerate(lengths):
            own = slice(*np.searchsorted(runs[:, 0], [number, number + 1]).tolist())
            self._contigs[name] = first_byte, length, runs[own, 1:]
            first_byte += -(-length // 4)

    def fetch(self, contig: str, start: int, end: int) -> bytes:
        """Upper-case bases from `start` (0-based) up to `end`; shorter at the contig's end."""
        first_byte, length, others = self._contigs[contig]
        end = min(end, length)
        if start >= end:
            return b""
        low = start >> 2
        packed = os.pread(self._descriptor, ((end + 3) >> 2) - low, first_byte + low)
        four = _FOUR_LETTERS.take(np.frombuffer(packed, np.uint8))  # half the time of indexing
        letters = four.view(np.uint8)[start - 4 * low :][: end - start]
        if len(others):
            reached = int(np.searchsorted(others[:, 1], start, "right"))
            passed = int(np.searchsorted(others[:, 0], end, "left"))
            for run_start, run_end, letter in others[reached:passed].tolist():
                letters[max(0, run_start - start) : run_end - start] = letter
        return letters.tobytes()


class GenomePacker:
    """Packs contigs piece by piece into the two files."""

    def __init__(self, packed: Path, others: Path) -> None:
        self._out = packed.open("wb")
        self._others = others
        self._runs: list[npt.NDArray[np.int64]] = [_FEWEST_RUNS]
        self._contig = -1
        self._length = 0
        self._rest = np.empty(0, np.uint8)

    def start_contig(self) -> None:
        self._finish_contig()
        self._contig += 1
        self._length = 0

    def write(self, bases: bytes) -> None:
        """Further bases of the contig, upper case."""
        letters = np.frombuffer(bases, np.uint8)
        self._note_others(letters)
        self._length += len(letters)
        codes = np.concatenate([self._rest, _CODES[letters]])
        whole = len(codes) // 4 * 4
        self._rest = codes[whole:]
        self._write_codes(codes[:whole])

    def close(self) -> None:
        self._finish_contig()
        self._out.close()
        np.save(self._others, _joined(np.concatenate(self._runs)))

    def _finish_contig(self) -> None:
        self._write_codes(np.pad(self._rest, (0, -len(self._rest) % 4)))
        self._rest = self._rest[:0]

    def _write_codes(self, codes: npt.NDArray[np.uint8]) -> None:
        one, two, three, four = codes.reshape(-1, 4).T
        self._out.write((one | (two << 2) | (three << 4) | (four << 6)).tobytes())

    def _note_others(self, letters: npt.NDArray[np.uint8]) -> None:
        at = np.flatnonzero(_IS_OTHER[letters])
        if len(at):
            found = letters[at].astype(np.int64)
            starts = at + self._length
            contig = np.full(len(at), self._contig)
            self._runs.append(_joined(np.stack([contig, starts, starts + 1, found], axis=1)))


def _joined(runs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Runs of the same letter that touch become one."""
    if not len(runs):
        return runs
    contig, start, end, letter = runs.T
    breaks = (contig[1:] != contig[:-1]) | (start[1:] != end[:-1]) | (letter[1:] != letter[:-1])
    first = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    last = np.concatenate([first[1:], [len(runs)]]) - 1
    return np.stack([contig[first], start[first], end[last], letter[first]], axis=1)

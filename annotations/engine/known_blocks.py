"""Known alleles once more, in small blocks, so that a few of them are found without reading all.

    known/<source>/<contig>.tsv.gz        the rows of <contig>.parquet as text without a header, BGZF; every
                                          block has 64 whole lines
    known/<source>/<contig>.blocks.npy    two rows of integers: the first position in each block, and the byte
                                          at which it starts; then the file's end

Parquet unpacks 16,384 values of a column to give one of them: a thousand variants over the genome meet most
row groups of ten million known ones.
"""

import io
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from isal import isal_zlib

from annotations.engine.bgzf import BLOCK_BYTES, END, block

BLOCK_ROWS = 64
_ROWS_AT_ONCE = 4096 * BLOCK_ROWS
_HEADER_BYTES, _TRAILER_BYTES = 18, 8  # of a BGZF block (SAM specification, section 4.1)
_RAW_DEFLATE = -15
_LONGEST = 2**31 - 1


class KnownBlocks:
    """The blocks of one source on one contig."""

    def __init__(self, path: Path, index: Path) -> None:
        self._path = path
        self._first_positions, self._starts = np.load(index, mmap_mode="r")

    def blocks_with(self, positions: np.ndarray) -> np.ndarray:
        """The numbers of the blocks that can hold rows at one of the (sorted) positions."""
        if not len(positions):
            return np.empty(0, np.int64)
        edges = self._first_positions  # the last one is that of no block
        first = max(int(np.searchsorted(edges[:-1], positions[0], "left")) - 1, 0)
        last = int(np.searchsorted(edges[:-1], positions[-1], "right"))
        if last - first < len(positions):  # each block is looked up, or else each position
            begun = np.searchsorted(positions, edges[first + 1 : last + 1], "right")
            passed = np.searchsorted(positions, edges[first:last], "left")
            return np.flatnonzero(begun > passed) + first
        firsts = edges[:-1]
        low = np.maximum(np.searchsorted(firsts, positions, "left") - 1, 0)
        high = np.searchsorted(firsts, positions, "right")
        count = np.maximum(high - low, 0)
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return np.unique(np.repeat(low, count) + within)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def text(self, numbers: np.ndarray) -> bytes:
        """The lines of these blocks: pos, ref, alt, id and the source's fields, divided by tabs."""
        starts, ends = self._starts[numbers].tolist(), self._starts[numbers + 1].tolist()
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            packed = [
                os.pread(descriptor, end - start, start) for start, end in zip(starts, ends, strict=True)
            ]
        finally:
            os.close(descriptor)
        return b"".join(_unpacked(one) for one in packed)


def _unpacked(blocks: bytes) -> bytes:
    """The text of a BGZF block, or of the several that lines with long values take."""
    view = memoryview(blocks)
    size = int.from_bytes(view[16:18], "little") + 1
    text: bytes = isal_zlib.decompress(view[_HEADER_BYTES : size - _TRAILER_BYTES], _RAW_DEFLATE)
    return text if size == len(view) else text + _unpacked(blocks[size:])


def write_blocks(parquet: Path, target: Path, index: Path) -> None:
    """Write the rows of <contig>.parquet as blocks; memory is bounded, whatever their number."""
    firsts: list[int] = []
    starts = [0]
    with target.open("wb") as out:
        for rows in _slices(parquet):
            buffer = io.BytesIO()
            rows.write_csv(buffer, include_header=False, separator="\t", quote_style="never")
            text = memoryview(buffer.getvalue())
            line_ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
            edges = [0, *line_ends[BLOCK_ROWS - 1 : -1 : BLOCK_ROWS].tolist(), len(text)]
            firsts += rows["pos"].gather_every(BLOCK_ROWS).to_list()
            for start, end in pairwise(edges):
                size = sum(
                    out.write(block(text[at : min(end, at + BLOCK_BYTES)]))
                    for at in range(start, end, BLOCK_BYTES)
                )
                starts.append(starts[-1] + size)
        out.write(END)
    np.save(index, np.array([[*firsts, _LONGEST], starts], np.int64))


def _slices(parquet: Path) -> Iterator[pl.DataFrame]:
    table = pl.scan_parquet(parquet)
    rows = table.select(pl.len()).collect().item()
    for first in range(0, rows, _ROWS_AT_ONCE):
        yield table.slice(first, _ROWS_AT_ONCE).collect()

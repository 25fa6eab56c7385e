"""Reading the genome in blocks, so that neighbouring transcripts share what was read."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from annotations.engine.hgvs.genetic_code import base_codes

# (contig, start, end) -> bases; 0-based, half-open, cut off at the contig's end: as pysam.FastaFile.fetch.
GenomeFetch = Callable[[str, int, int], str | bytes]

BLOCK_BITS = 14  # 16,384 bases: a quarter of a BGZF block, so that reading one costs hardly more than a base
BLOCK_BASES = 1 << BLOCK_BITS
CACHED_BLOCKS = 512  # 8 MB


class GenomeBlocks:
    """One contig's bases, in upper case, over a cache of the blocks last used."""

    def __init__(self, fetch: GenomeFetch, contig: str) -> None:
        self._fetch = fetch
        self._contig = contig
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def between(self, start: int, end: int) -> str:
        """The bases start..end, 1-based and inclusive; empty where end < start."""
        first, last = (start - 1) >> BLOCK_BITS, (end - 1) >> BLOCK_BITS
        bases = b"".join(self._block(number) for number in range(first, last + 1))
        offset = first << BLOCK_BITS
        return bases[start - 1 - offset : end - offset].decode("ascii")

    def codes_at(self, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Base codes at 1-based positions, of any shape and order, on the contig's forward strand."""
        flat = positions.ravel() - 1
        codes = np.empty(len(flat), dtype=np.uint8)
        order = np.argsort(flat, kind="stable")
        numbers = flat[order] >> BLOCK_BITS
        bounds = np.flatnonzero(np.diff(numbers)) + 1
        for rows in np.split(order, bounds):
            if len(rows):
                number = int(flat[rows[0]]) >> BLOCK_BITS
                codes[rows] = base_codes(self._block(number))[flat[rows] - (number << BLOCK_BITS)]
        return codes.reshape(positions.shape)

    def _block(self, number: int) -> bytes:
        block = self._blocks.get(number)
        if block is not None:
            self._blocks.move_to_end(number)
            return block
        start = number << BLOCK_BITS
        fetched = self._fetch(self._contig, start, start + BLOCK_BASES)
        block = fetched.upper() if isinstance(fetched, bytes) else fetched.upper().encode("ascii")
        block = block.ljust(BLOCK_BASES, b"N")
        self._blocks[number] = block
        if len(self._blocks) > CACHED_BLOCKS:
            self._blocks.popitem(last=False)
        return block

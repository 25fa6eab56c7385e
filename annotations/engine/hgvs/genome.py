"""Reading the genome in blocks, so that neighbouring transcripts share what was read."""

from collections.abc import Callable

import numpy as np

from annotations.engine.kernels.library import Structure, structure

# (contig, start, end) -> bases; 0-based, half-open, cut off at the contig's end: text in either case, as of
# pysam.FastaFile.fetch, or bytes in upper case.
GenomeFetch = Callable[[str, int, int], str | bytes]

BLOCK_BITS = 14  # 16,384 bases: a quarter of a BGZF block, so that reading one costs hardly more than a base
BLOCK_BASES = 1 << BLOCK_BITS
HELD_BLOCKS = 512  # 8 MB

_Blocks = structure("_Blocks", count=int, slot=np.int32, held=int, bases=np.uint8, lacking=int)


class GenomeBlocks:
    """One contig's bases, in upper case: the blocks that kernels came to, until there are HELD_BLOCKS."""

    def __init__(self, fetch: GenomeFetch, contig: str) -> None:
        self._fetch = fetch
        self._contig = contig
        self._slot = np.full(1, -1, np.int32)  # of each block in `_bases`
        self._bases = np.empty(HELD_BLOCKS << BLOCK_BITS, np.uint8)  # takes memory only as it is filled
        self.for_kernels = self._structure()

    def load(self, number: int, *, keep: bool) -> None:
        """Read a block. If there is no room, the others are forgotten, or kept (`keep`) in a larger one."""
        if number >= len(self._slot):
            self._slot = np.pad(self._slot, (0, number + 1), constant_values=-1)
            self.for_kernels = self._structure(self.for_kernels.held)
        if self.for_kernels.held << BLOCK_BITS == len(self._bases):
            if keep:
                self._bases = np.concatenate([self._bases, np.empty_like(self._bases)])
                self.for_kernels = self._structure(self.for_kernels.held)
            else:
                self._slot.fill(-1)
                self.for_kernels.held = 0
        start = number << BLOCK_BITS
        fetched = self._fetch(self._contig, start, start + BLOCK_BASES)
        bases = fetched if isinstance(fetched, bytes) else fetched.upper().encode("ascii")
        slot = self._slot[number] = self.for_kernels.held
        room = self._bases[slot << BLOCK_BITS :][:BLOCK_BASES]
        room[: len(bases)] = np.frombuffer(bases, np.uint8)
        room[len(bases) :] = ord("N")
        self.for_kernels.held += 1

    def _structure(self, held: int = 0) -> Structure:
        """The blocks that are held (struct genome_blocks of kernels/bases.h)."""
        return _Blocks(count=len(self._slot), slot=self._slot, held=held, bases=self._bases, lacking=-1)

"""The way from genomic positions to positions in spliced transcripts, for whole arrays at once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from annotations.engine.kernels.exons import exons_of
from annotations.engine.kernels.library import Structure

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_KEY_BITS = 38  # one sorted array serves all transcripts: the transcript's row above, the position below


@dataclass(frozen=True)
class TranscriptPositions:
    """Where genomic positions lie on their transcripts; one entry each.

    `base` is the 1-based position in the spliced transcript (cDNA) of the position itself or, in an
    intron, of the nearest exonic base; `offset` is 0 in an exon, else the signed distance from that base
    along the transcript. Both mean nothing where `inside` is False: outside of the transcript.
    """

    base: Ints
    offset: Ints
    inside: Flags


@dataclass(frozen=True)
class ExonMap:
    """Exons of many transcripts of one contig; positions are 1-based and inclusive.

    `forward`, `start`, `end` and `length` (exonic bases) have one entry a transcript, the others one an exon.
    """

    forward: Flags
    start: Ints
    end: Ints
    length: Ints
    _bounds: Ints  # exons of transcript t: rows _bounds[t] to _bounds[t + 1], in genomic order
    _exon_start: Ints
    _exon_end: Ints
    exon_cdna: Ints  # cDNA position of the exon's first transcribed base
    _genomic_keys: Ints

    @classmethod
    def of(cls, forward: Flags, exon_counts: Ints, exon_start: Ints, exon_end: Ints) -> Self:
        """Lay out transcripts that have at least one exon each, their exons in genomic order."""
        bounds = np.concatenate([[0], np.cumsum(exon_counts)]).astype(np.int64)
        owner = np.repeat(np.arange(len(exon_counts)), exon_counts)
        bases = exon_end - exon_start + 1
        before = np.concatenate([[0], np.cumsum(bases)])
        length = before[bounds[1:]] - before[bounds[:-1]]
        at_lower_positions = before[:-1] - before[bounds[owner]]
        at_higher_positions = length[owner] - at_lower_positions - bases
        exon_cdna = np.where(forward[owner], at_lower_positions, at_higher_positions) + 1
        return cls(
            forward=forward,
            start=exon_start[bounds[:-1]],
            end=exon_end[bounds[1:] - 1],
            length=length,
            _bounds=bounds,
            _exon_start=exon_start,
            _exon_end=exon_end,
            exon_cdna=exon_cdna,
            _genomic_keys=(owner << _KEY_BITS) | exon_start,
        )

    @cached_property
    def for_kernels(self) -> Structure:
        """The exons as kernels read them."""
        return exons_of(self.forward, np.diff(self._bounds), self._exon_start, self._exon_end)

    def exons(self, transcript: int) -> list[tuple[int, int]]:
        """(start, end) of a transcript's exons, in genomic order."""
        rows = slice(self._bounds[transcript], self._bounds[transcript + 1])
        return list(zip(self._exon_start[rows].tolist(), self._exon_end[rows].tolist(), strict=True))

    def locate(self, transcript: Ints, position: Ints) -> TranscriptPositions:
        """Where genomic positions lie on their transcripts; arrays of equal length."""
        inside = (position >= self.start[transcript]) & (position <= self.end[transcript])
        left = np.searchsorted(self._genomic_keys, (transcript << _KEY_BITS) | position, side="right") - 1
        left = np.where(inside, left, self._bounds[transcript])
        right = np.minimum(left + 1, len(self._exon_end) - 1)
        forward = self.forward[transcript]
        past_left = position - self._exon_end[left]
        to_right = self._exon_start[right] - position
        # The middle base of an intron counts from the exon before it: HGVS's rule, and VEP's.
        from_left = np.where(forward, past_left <= to_right, past_left < to_right)
        intronic_base = np.where(
            from_left,
            np.where(forward, self._last_cdna(left), self.exon_cdna[left]),
            np.where(forward, self.exon_cdna[right], self._last_cdna(right)),
        )
        distance = np.where(from_left, past_left, -to_right)
        into_exon = np.where(forward, position - self._exon_start[left], -past_left)
        exonic = past_left <= 0
        return TranscriptPositions(
            base=np.where(exonic, self.exon_cdna[left] + into_exon, intronic_base),
            offset=np.where(exonic, 0, np.where(forward, distance, -distance)),
            inside=inside,
        )

    def _last_cdna(self, row: Ints) -> Ints:
        """The cDNA position of an exon's last transcribed base."""
        return self.exon_cdna[row] + self._exon_end[row] - self._exon_start[row]

"""The transcripts of a contig, and which of them a variant touches and where.

Everything works on whole columns: transcripts are arrays sorted by start, exons lie end to end in one
array, and a position is looked up in them by a key that holds transcript and position together. The rules
are those of Ensembl VEP's VariationEffect (which bases are splice site, splice region, intron); flanks are
5,000 bases.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import polars as pl

from annotations.engine.alleles import Kind
from annotations.engine.intervals import overlaps
from annotations.engine.terms import BIT, SPLICE_SITE

FLANK_BASES = 5_000
NEAR_EXON_BASES = 50
NEAR_BASES = FLANK_BASES + NEAR_EXON_BASES  # from a transcript: nothing beyond concerns it
PAIRS_AT_ONCE = 500_000  # bounds the memory where one long gene spans many variants
_SHIFT = 38  # a key is transcript number << 38 | position, which may be one on a line of contigs
_TERMS_OF_A_WHOLE_INTRON = (
    "intron_variant",
    "splice_donor_variant",
    "splice_acceptor_variant",
    "splice_donor_5th_base_variant",
    "splice_polypyrimidine_tract_variant",
)
Array = np.ndarray


@dataclass(frozen=True)
class Pairs:
    """Span by transcript, for each transcript within reach of a span.

    `span` and `transcript` are indexes; `mask` the set of terms; `first_exon` and `last_exon` the numbers, in
    the transcript's direction, of the exons touched (0 where none is).
    """

    span: Array
    transcript: Array
    mask: Array
    first_exon: Array
    last_exon: Array


def _sorted_once(numbers: Array) -> Array:
    """As np.unique gives, which would hash the numbers first: ten times as slow for many different ones."""
    ordered = np.sort(numbers)
    return ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0]


class Transcripts:
    """Gene models, sorted by start (see the reference bundle for their columns)."""

    def __init__(self, frame: pl.DataFrame) -> None:
        """`frame` has rows of genes/<contig>.parquet, in their order, of a contig or of several on a line."""
        self.frame = frame
        self._start = self.frame["start"].to_numpy().astype(np.int64)
        self._end = self.frame["end"].to_numpy().astype(np.int64)
        self._forward = self.frame["strand"].to_numpy() > 0
        self._cds_start = self.frame["cds_start"].fill_null(0).to_numpy().astype(np.int64)
        self._cds_end = self.frame["cds_end"].fill_null(-1).to_numpy().astype(np.int64)
        self._coding = self.frame["cds_start"].is_not_null().to_numpy()
        self._nmd = self.frame["biotype"].is_in(["nonsense_mediated_decay", "NMD"]).to_numpy()
        self._exon_count = self.frame["exon_starts"].list.len().to_numpy().astype(np.int64)
        self._first_exon = np.cumsum(self._exon_count) - self._exon_count
        self._exon_start = self.frame["exon_starts"].explode().to_numpy().astype(np.int64)
        self._exon_end = self.frame["exon_ends"].explode().to_numpy().astype(np.int64)
        owner = np.repeat(np.arange(len(self.frame)), self._exon_count)
        self._exon_key = (owner << _SHIFT) | self._exon_start
        # for each transcript, how far any one up to it reaches: bounds the search to the left
        self._reach = np.maximum.accumulate(self._end) if len(self.frame) else self._end
        # all exons in order of start, and how far any one up to it reaches
        by_start = np.argsort(self._exon_start, kind="stable")
        self._exon_cover_start = self._exon_start[by_start]
        self._exon_cover_end = np.maximum.accumulate(self._exon_end[by_start])

    @staticmethod
    def rows_near(frame: pl.DataFrame, start: Array, end: Array) -> pl.DataFrame:
        """Those rows of genes/<contig>.parquet that are within reach of one of the spans."""
        _, rows = overlaps(start - NEAR_BASES, end + NEAR_BASES, frame)
        return frame[_sorted_once(rows)]

    def segments(self, positions: Array) -> Array:
        """The number of the stretch, between two breakpoints, that each position lies in.

        Within one stretch all positions have the same terms in all transcripts.
        """
        return np.searchsorted(self.breakpoints, positions, "right")

    def near_exons(self, start: Array, end: Array) -> Array:
        """Whether each span comes within 50 bases of an exon of any transcript.

        Elsewhere csq has nothing to tell that the model does not: its reach is 8 bases into an intron.
        """
        at = np.searchsorted(self._exon_cover_start, end + NEAR_EXON_BASES, "right") - 1
        found = at >= 0
        found[found] = self._exon_cover_end[at[found]] >= start[found] - NEAR_EXON_BASES
        return found

    def locate(self, start: Array, end: Array, kind: Array) -> Pairs:
        """Where spans lie in the transcripts within 5,000 bases; an insertion is the two bases beside it."""
        stop = np.searchsorted(self._start, end + FLANK_BASES, "right")
        first = np.minimum(np.searchsorted(self._reach, start - FLANK_BASES, "left"), stop)
        batch = np.cumsum(stop - first) // PAIRS_AT_ONCE
        edges = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(start)]
        parts = [
            self._locate_batch(
                low, start[low:high], end[low:high], kind[low:high], first[low:high], stop[low:high]
            )
            for low, high in pairwise(edges)
        ]
        return Pairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _locate_batch(  # noqa: PLR0913, PLR0917 - columns of one table
        self, offset: int, start: Array, end: Array, kind: Array, first: Array, stop: Array
    ) -> tuple[Array, Array, Array, Array, Array]:
        count = stop - first
        span = np.repeat(np.arange(len(start)), count)
        transcript = first[span] + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        reached = self._end[transcript] >= start[span] - FLANK_BASES
        span, transcript = span[reached], transcript[reached]
        near = _Near(self, start[span], end[span], kind[span], transcript)
        keep = near.mask != 0
        return (
            span[keep] + offset,
            transcript[keep],
            near.mask[keep],
            near.first_exon[keep],
            near.last_exon[keep],
        )

    @cached_property
    def breakpoints(self) -> Array:
        """Where terms can change: all positions between two of these have the same ones."""
        edges = [
            self._start - FLANK_BASES,
            self._start,
            self._end + 1,
            self._end + FLANK_BASES + 1,
            self._cds_start[self._coding],
            self._cds_end[self._coding] + 1,
        ]
        for offset in (3, 0, -2, -4, -5, -6, -8, -17):  # from an exon's first base
            edges.append(self._exon_start + offset)
        for offset in (-2, 1, 3, 5, 6, 7, 9, 18):  # from an exon's last base
            edges.append(self._exon_end + offset)
        return _sorted_once(np.concatenate(edges))


class _Near:
    """The terms of each pair of span and transcript."""

    def __init__(self, model: Transcripts, start: Array, end: Array, kind: Array, transcript: Array) -> None:
        self._model = model
        self._start, self._end = start, end
        self._transcript = transcript
        self._insertion = kind == Kind.INSERTION
        self._forward = model._forward[transcript]
        begin, finish = model._start[transcript], model._end[transcript]
        self.mask = np.zeros(len(transcript), np.int64)

        inside = np.where(
            self._insertion, (start >= begin) & (end <= finish), (start <= finish) & (end >= begin)
        )
        self._add_flanks(begin, finish, inside)
        covers = (start < begin) & (end > finish)
        ablated = inside & covers & (kind == Kind.DELETION)
        amplified = inside & covers & (kind == Kind.DUPLICATION)

        left = np.maximum(start, begin)
        right = np.minimum(end, finish)
        self._left, self._right = np.where(inside, left, begin), np.where(inside, right, begin)
        self._first = self._exon_before(self._left)
        self._last = self._exon_before(self._right)
        in_exon_left = self._left <= model._exon_end[self._first]
        in_exon_right = self._right <= model._exon_end[self._last]
        exonic = np.where(
            self._insertion,
            in_exon_left & in_exon_right & (self._first == self._last),
            in_exon_left | (self._last > self._first),
        )
        self._add_intron(inside)
        self._add_exon(inside & exonic, in_exon_left, in_exon_right)
        self._add_kind_of_transcript(inside, exonic)
        self.mask[ablated] = BIT["transcript_ablation"]
        self.mask[amplified] = BIT["transcript_amplification"]
        self.first_exon, self.last_exon = self._exon_numbers(inside & exonic, in_exon_left)

    def _exon_before(self, position: Array) -> Array:
        """The last exon of the transcript that starts at or before the position."""
        key = (self._transcript << _SHIFT) | position
        return np.searchsorted(self._model._exon_key, key, "right") - 1

    def _add(self, term: str, where: Array) -> None:
        self.mask[where] |= BIT[term]

    def _drop(self, term: str, where: Array) -> None:
        self.mask[where] &= ~BIT[term]

    def _add_flanks(self, begin: Array, finish: Array, inside: Array) -> None:
        # between the two bases of an insertion lies nothing: VEP sets its start after its end
        first = np.where(self._insertion, self._end, self._start)
        last = np.where(self._insertion, self._start, self._end)
        before = ~inside & (last < begin) & (begin - last <= FLANK_BASES)
        after = ~inside & (first > finish) & (first - finish <= FLANK_BASES)
        self._add("upstream_gene_variant", np.where(self._forward, before, after))
        self._add("downstream_gene_variant", np.where(self._forward, after, before))

    def _touches(self, low: Array, high: Array) -> Array:
        return np.where(
            self._insertion,
            (self._left >= low) & (self._right <= high),
            (self._left <= high) & (self._right >= low),
        )

    def _add_intron(self, inside: Array) -> None:
        model = self._model
        last_exon = model._first_exon[self._transcript] + model._exon_count[self._transcript] - 1
        middle = inside & (self._last - self._first >= 2)  # an intron lies wholly within
        for term in _TERMS_OF_A_WHOLE_INTRON:
            self._add(term, middle)
        for exon in (self._first, np.maximum(self._first, self._last - 1), self._last):
            exists = inside & (exon < last_exon)
            follower = np.minimum(exon + 1, len(model._exon_start) - 1)
            self._add_one_intron(exists, model._exon_end[exon] + 1, model._exon_start[follower] - 1)
        self._drop("splice_donor_region_variant", (self.mask & BIT["splice_donor_5th_base_variant"]) != 0)
        self._drop("splice_region_variant", (self.mask & SPLICE_SITE) != 0)

    def _add_one_intron(self, exists: Array, begin: Array, finish: Array) -> None:
        first_two = exists & self._touches(begin, begin + 1)
        last_two = exists & self._touches(finish - 1, finish)
        self._add("splice_donor_variant", np.where(self._forward, first_two, last_two))
        self._add("splice_acceptor_variant", np.where(self._forward, last_two, first_two))
        insertion = exists & self._insertion
        at_edge_of_middle = insertion & ((self._right == begin + 2) | (self._left == finish - 2))
        self._add("intron_variant", (exists & self._touches(begin + 2, finish - 2)) | at_edge_of_middle)
        at_edge = insertion & ((self._right == begin) | (self._left == finish))
        region = (
            self._touches(begin - 3, begin - 1)
            | self._touches(begin + 2, begin + 7)
            | self._touches(finish - 7, finish - 2)
            | self._touches(finish + 1, finish + 3)
        )
        self._add("splice_region_variant", (exists & region) | at_edge | at_edge_of_middle)
        self._add_near_donor(exists, begin, finish)
        self._add("splice_polypyrimidine_tract_variant", exists & self._in_tract(begin, finish))

    def _add_near_donor(self, exists: Array, begin: Array, finish: Array) -> None:
        fifth = np.where(
            self._forward, self._touches(begin + 4, begin + 4), self._touches(finish - 4, finish - 4)
        )
        region = np.where(
            self._forward, self._touches(begin + 2, begin + 5), self._touches(finish - 5, finish - 2)
        )
        self._add("splice_donor_5th_base_variant", exists & fifth)
        self._add("splice_donor_region_variant", exists & region)

    def _in_tract(self, begin: Array, finish: Array) -> Array:
        """Whether it reaches the 3rd to 17th base before an exon; of an insertion either side counts."""
        low = np.where(self._forward, finish - 16, begin + 2)
        high = np.where(self._forward, finish - 2, begin + 16)
        return (self._left <= high) & (self._right >= low)

    def _add_exon(self, exonic: Array, in_exon_left: Array, in_exon_right: Array) -> None:
        model = self._model
        coding = exonic & model._coding[self._transcript]
        begin, finish = model._cds_start[self._transcript], model._cds_end[self._transcript]
        more = self._last > self._first
        follower = np.minimum(self._first + 1, len(model._exon_start) - 1)
        before = (self._left < begin) & (in_exon_left | (more & (model._exon_start[follower] < begin)))
        after = (self._right > finish) & (
            in_exon_right | (more & (model._exon_end[np.maximum(self._last - 1, 0)] > finish))
        )
        # an insertion before the first codon is still before it
        before = np.where(self._insertion, self._left < begin, before)
        after = np.where(self._insertion, self._right > finish, after)
        within = np.where(self._insertion, ~before & ~after, (self._left <= finish) & (self._right >= begin))
        self._add("5_prime_UTR_variant", coding & np.where(self._forward, before, after))
        self._add("3_prime_UTR_variant", coding & np.where(self._forward, after, before))
        self._add("coding_sequence_variant", coding & within)
        self._add("non_coding_transcript_exon_variant", exonic & ~model._coding[self._transcript])

    def _add_kind_of_transcript(self, inside: Array, exonic: Array) -> None:
        coding = self._model._coding[self._transcript]
        self._add("non_coding_transcript_variant", inside & ~coding & ~exonic)
        self._add("NMD_transcript_variant", inside & self._model._nmd[self._transcript])

    def _exon_numbers(self, exonic: Array, in_exon_left: Array) -> tuple[Array, Array]:
        model = self._model
        offset = model._first_exon[self._transcript]
        count = model._exon_count[self._transcript]
        low = np.where(in_exon_left, self._first, self._first + 1) - offset
        high = self._last - offset
        first = np.where(self._forward, low + 1, count - high)
        last = np.where(self._forward, high + 1, count - low)
        return np.where(exonic, first, 0), np.where(exonic, last, 0)

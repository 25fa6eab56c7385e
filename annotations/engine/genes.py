"""The transcripts of a contig, and which of them an allele touches and where (kernels/locate.c).

The rules are those of Ensembl VEP's VariationEffect (which bases are splice site, splice region, intron);
flanks are 5,000 bases.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from annotations.engine.intervals import overlaps
from annotations.engine.kernels.exons import Exons, exons_of
from annotations.engine.kernels.library import Array, call, structure

FLANK_BASES = 5_000
NEAR_EXON_BASES = 50
NEAR_BASES = FLANK_BASES + NEAR_EXON_BASES  # from a transcript: nothing beyond concerns it
FEW_ALLELES = 2_000  # of so few, hardly any lie alike, and to sort all breakpoints would cost most
_SHIFT = 38  # a key is transcript number << 38 | position, which may be one on a line of contigs
_PAIRS_OF_AN_ALLELE = 4  # as a first guess

_GeneModels = structure(
    "_GeneModels",
    exons=Exons,
    start=np.int64,
    end=np.int64,
    reach=np.int64,
    cds_start=np.int64,
    cds_end=np.int64,
    last_codon=np.int64,
    coding=np.uint8,
    nmd=np.uint8,
)
_Alleles = structure("_Alleles", count=int, start=np.int64, end=np.int64, kind=np.uint8, alone=np.uint8)
_Pairs = structure(
    "_Pairs",
    size=int,
    count=int,
    span=np.int32,
    transcript=np.int32,
    terms=np.uint32,
    first_exon=np.int32,
    last_exon=np.int32,
)


@dataclass(frozen=True)
class Pairs:
    """Span by transcript, for each transcript within reach of a span, sorted by both.

    `span` and `transcript` are indexes; `mask` the set of terms (terms.BIT); `first_exon` and `last_exon` the
    numbers, in the transcript's direction, of the exons touched (0 where none is).
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


@dataclass(frozen=True)
class Located:
    """The span of each allele, an allele of each span, and the transcripts near each span."""

    span_of: Array
    example: Array
    pairs: Pairs


class Transcripts:
    """Gene models, sorted by start (see the reference bundle for their columns)."""

    def __init__(self, frame: pl.DataFrame) -> None:
        """`frame` has rows of genes/<contig>.parquet, in their order, of a contig or of several on a line."""
        self.frame = frame
        self._start = frame["start"].to_numpy().astype(np.int64)
        self._end = frame["end"].to_numpy().astype(np.int64)
        self._cds_start = frame["cds_start"].fill_null(0).to_numpy().astype(np.int64)
        self._cds_end = frame["cds_end"].fill_null(-1).to_numpy().astype(np.int64)
        self._coding = frame["cds_start"].is_not_null().to_numpy()
        self._exon_start = frame["exon_starts"].explode().to_numpy().astype(np.int64)
        self._exon_end = frame["exon_ends"].explode().to_numpy().astype(np.int64)
        forward = frame["strand"].to_numpy() > 0
        exon_counts = frame["exon_starts"].list.len().to_numpy().astype(np.int64)
        self._last_codon = self._incomplete_last_codons(forward, exon_counts)
        self._models = _GeneModels(
            exons=exons_of(forward, exon_counts, self._exon_start, self._exon_end),
            start=self._start,
            end=self._end,
            reach=np.maximum.accumulate(self._end) if len(frame) else self._end,
            cds_start=self._cds_start,
            cds_end=self._cds_end,
            coding=self._coding.astype(np.uint8),
            last_codon=self._last_codon,
            nmd=frame["biotype"].is_in(["nonsense_mediated_decay", "NMD"]).to_numpy().astype(np.uint8),
        )
        # all exons in order of start, and how far any one up to it reaches
        by_start = np.argsort(self._exon_start, kind="stable")
        self._exon_cover_start = self._exon_start[by_start]
        self._exon_cover_end = np.maximum.accumulate(self._exon_end[by_start])

    def _incomplete_last_codons(self, forward: Array, exon_counts: Array) -> Array:
        """Where the last codon starts of each transcript whose coding sequence ends within it; else 0.

        Nothing is said where the frame is not known.
        """
        owner = np.repeat(np.arange(len(forward)), exon_counts)
        first = np.maximum(self._exon_start, self._cds_start[owner])
        last = np.minimum(self._exon_end, self._cds_end[owner])
        coding_bases = np.bincount(owner, np.maximum(last - first + 1, 0), len(forward)).astype(np.int64)
        phase = self.frame["cds_phase"]
        in_frame = np.maximum(coding_bases - phase.fill_null(0).to_numpy(), 0)
        bases = np.where(self._coding & phase.is_not_null().to_numpy(), in_frame % 3, 0)
        end = np.where(forward, self._cds_end, self._cds_start)
        exon_key = (owner << _SHIFT) | self._exon_start
        exon = np.searchsorted(exon_key, (np.arange(len(end)) << _SHIFT) | end, "right") - 1
        alone = end == np.where(forward, self._exon_start[exon], self._exon_end[exon])
        neighbour = np.clip(np.where(forward, exon - 1, exon + 1), 0, len(owner) - 1)
        before = np.where(
            forward,
            np.where(alone, self._exon_end[neighbour], end - 1),
            np.where(alone, self._exon_start[neighbour], end + 1),
        )
        return np.select([bases == 1, bases == 2], [end, before], 0).astype(np.int64)

    @staticmethod
    def rows_near(frame: pl.DataFrame, start: Array, end: Array) -> pl.DataFrame:
        """Those rows of genes/<contig>.parquet that are within reach of one of the spans."""
        _, rows = overlaps(start - NEAR_BASES, end + NEAR_BASES, frame)
        return frame[_sorted_once(rows)]

    def near_exons(self, start: Array, end: Array) -> Array:
        """Whether each span comes within 50 bases of an exon of any transcript.

        Elsewhere csq has nothing to tell that the model does not: its reach is 8 bases into an intron.
        """
        at = np.searchsorted(self._exon_cover_start, end + NEAR_EXON_BASES, "right") - 1
        found = at >= 0
        found[found] = self._exon_cover_end[at[found]] >= start[found] - NEAR_EXON_BASES
        return found

    def locate(self, start: Array, end: Array, kind: Array, alone: Array) -> "Located":
        """Group alleles into spans, and find the transcripts within 5,000 bases of each.

        Alleles that lie alike, between two breakpoints, are one span, unless they are described there in
        words of their own, or `alone` says so. `start` and `end` are int64, sorted by start, `kind` uint8,
        as in alleles.Kind, `alone` uint8. An insertion is the two bases beside it.
        """
        count = len(start)
        if count <= FEW_ALLELES:
            breakpoints, alone = np.empty(0, np.int64), np.ones(count, np.uint8)
        else:
            breakpoints = self.breakpoints
        alleles = _Alleles(count=count, start=start, end=end, kind=kind, alone=alone)
        span_of, example = np.empty(count, np.int32), np.empty(count, np.int32)
        size = _PAIRS_OF_AN_ALLELE * count
        while True:
            columns = {
                name: np.empty(size, np.uint32 if name == "terms" else np.int32)
                for name in ("span", "transcript", "terms", "first_exon", "last_exon")
            }
            pairs = _Pairs(size=size, count=0, **columns)
            spans = call(
                "locate_alleles",
                self._models,
                breakpoints,
                len(breakpoints),
                alleles,
                span_of,
                example,
                pairs,
            )
            if pairs.count <= size:
                break
            size = pairs.count
        found = Pairs(*(column[: pairs.count] for column in columns.values()))
        return Located(span_of, example[:spans], found)

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
            self._last_codon,
            self._last_codon + 1,
        ]
        for offset in (3, 0, -2, -4, -5, -6, -8, -17):  # from an exon's first base
            edges.append(self._exon_start + offset)
        for offset in (-2, 1, 3, 5, 6, 7, 9, 18):  # from an exon's last base
            edges.append(self._exon_end + offset)
        return _sorted_once(np.concatenate(edges))

"""Transcripts of one contig: their exons, their coding sequences and the names to describe them by."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl

from annotations.engine.hgvs.exon_map import ExonMap, Ints
from annotations.engine.kernels.exons import Exons
from annotations.engine.kernels.library import Structure, structure
from annotations.engine.kernels.texts import text_column

REQUIRED_COLUMNS = (
    "transcript_id",
    "strand",
    "exon_starts",
    "exon_ends",
    "cds_start",
    "cds_end",
    "protein_id",
)

_Spliced = structure(
    "_Spliced",
    exons=Exons,
    exon_cdna=np.int64,
    length=np.int64,
    coding_first=np.int64,
    coding_last=np.int64,
    pad=np.int64,
)


@dataclass(frozen=True)
class TranscriptTable:
    """Transcripts of one contig, one entry each, in the rows of the frame they came from.

    `coding_first` and `coding_last` are the cDNA positions (1-based, inclusive) of the coding sequence, 0
    where there is none. `pad` is how many bases of its first codon an incomplete start lacks, -1 where the
    reading frame is not known.
    """

    ids: pl.Series
    protein_ids: pl.Series
    exon_map: ExonMap
    coding_first: Ints
    coding_last: Ints
    pad: Ints
    genetic_code: int

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, *, genetic_code: int = 1) -> Self:
        """Read transcripts of one contig; a pair's `transcript` is a row number of `frame`.

        Columns: transcript_id, strand (1 or -1), exon_starts and exon_ends (lists, in genomic order,
        1-based and inclusive), cds_start and cds_end (genomic, the lower first; null in non-coding
        transcripts), protein_id; and, where there, cds_phase: the GFF3 phase of the first coding exon, in
        transcript order, which is the number of bases before its first whole codon.

        Without a phase the reading frame starts with the coding sequence if that is a multiple of three
        bases, and is not known otherwise. On the mitochondrion it always does: many of its stop codons are
        completed only by polyadenylation. ValueError names a missing column, or transcripts without exons.
        """
        missing = [name for name in REQUIRED_COLUMNS if name not in frame.columns]
        if missing:
            raise ValueError(f"The transcript table lacks {', '.join(missing)}; it has {frame.columns}.")
        exon_counts = frame["exon_starts"].list.len().fill_null(0)
        if (exon_counts == 0).any():
            bare = frame.filter(exon_counts == 0)["transcript_id"].head(3).to_list()
            raise ValueError(f"Every transcript needs an exon; without one: {', '.join(bare)}.")
        exon_map = ExonMap.of(
            frame["strand"].to_numpy() > 0,
            exon_counts.to_numpy().astype(np.int64),
            _integers(frame["exon_starts"].explode()),
            _integers(frame["exon_ends"].explode()),
        )
        first, last = _coding_ends(frame, exon_map)
        return cls(
            ids=frame["transcript_id"],
            protein_ids=frame["protein_id"],
            exon_map=exon_map,
            coding_first=first,
            coding_last=last,
            pad=_pads(frame, last - first + 1, genetic_code),
            genetic_code=genetic_code,
        )

    @cached_property
    def for_kernels(self) -> Structure:
        """The transcripts as they are spliced (struct spliced of kernels/spliced.h)."""
        return _Spliced(
            exons=self.exon_map.for_kernels,
            exon_cdna=self.exon_map.exon_cdna,
            length=self.exon_map.length,
            coding_first=self.coding_first,
            coding_last=self.coding_last,
            pad=self.pad,
        )

    @cached_property
    def ids_for_kernels(self) -> Structure:
        """The ids as a column of texts."""
        return text_column(self.ids)


def _coding_ends(frame: pl.DataFrame, exon_map: ExonMap) -> tuple[Ints, Ints]:
    coding = np.flatnonzero((frame["cds_start"].is_not_null() & frame["cds_end"].is_not_null()).to_numpy())
    low = exon_map.locate(coding, _integers(frame["cds_start"])[coding]).base
    high = exon_map.locate(coding, _integers(frame["cds_end"])[coding]).base
    first, last = np.zeros((2, len(frame)), dtype=np.int64)
    first[coding] = np.minimum(low, high)
    last[coding] = np.maximum(low, high)
    return first, last


def _pads(frame: pl.DataFrame, coding_length: Ints, genetic_code: int) -> Ints:
    begins_in_frame = (coding_length % 3 == 0) | (genetic_code == 2)
    pads = np.where(begins_in_frame, 0, -1)
    if "cds_phase" in frame.columns:
        known = frame["cds_phase"].is_not_null().to_numpy()
        pads = np.where(known, -_integers(frame["cds_phase"]) % 3, pads)
    return pads.astype(np.int64)


def _integers(column: pl.Series) -> Ints:
    return column.fill_null(0).cast(pl.Int64).to_numpy()

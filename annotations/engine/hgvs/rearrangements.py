"""Insertions, deletions and whatever else is more than one base: described one pair at a time, exactly."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from annotations.engine.hgvs.coding import CodingTranscripts
from annotations.engine.hgvs.columns import spread
from annotations.engine.hgvs.exon_map import Ints
from annotations.engine.hgvs.genome import GenomeBlocks
from annotations.engine.hgvs.numbering import position_names, reference_prefix
from annotations.engine.hgvs.placement import Kind, Placement, Trimmed, place, trim_and_shift
from annotations.engine.hgvs.protein import ProteinChange, TranscriptEdit, protein_change
from annotations.engine.hgvs.transcripts import TranscriptTable


@dataclass(frozen=True)
class _Placed:
    """Placements on transcripts, and the rows of the batch that they belong to."""

    rows: Ints
    transcript: Ints
    placements: list[Placement]

    def column(self, of: Callable[[Placement], int]) -> Ints:
        return np.fromiter((of(placement) for placement in self.placements), np.int64, len(self.placements))


def describe_rearrangements(
    table: TranscriptTable, pairs: pl.DataFrame, genome: GenomeBlocks, coding: CodingTranscripts
) -> pl.DataFrame:
    """Describe pairs of any REF and ALT spelled out in A, C, G, T; one row a pair, as in RESULT_SCHEMA.

    `hgvsp` is here the bare change, without accession and parentheses. All columns are null where REF is not
    the genome's, or where the change is not on the transcript as a whole.
    """
    placed = _place_all(table, pairs, genome)
    changes = _protein_changes(table, placed, coding)
    described = pl.DataFrame(
        {
            "hgvsc": _coding_names(table, placed),
            "hgvsp": pl.Series([change and change.hgvs for change in changes], dtype=pl.String),
            "codons": pl.Series([change and change.codons for change in changes], dtype=pl.String),
            "amino_acids": pl.Series([change and change.amino_acids for change in changes], dtype=pl.String),
            "protein_position": pl.Series([change and change.position for change in changes], dtype=pl.Int32),
        }
    )
    return spread(described, placed.rows, len(pairs))


def _place_all(table: TranscriptTable, pairs: pl.DataFrame, genome: GenomeBlocks) -> _Placed:
    exon_map = table.exon_map
    limits = int(exon_map.start.min(initial=1)), int(exon_map.end.max(initial=0))
    trimmed: dict[tuple[tuple[int, str, str], bool], Trimmed | None] = {}
    rows, transcripts, placements = [], [], []
    for row, (transcript, *allele_fields) in enumerate(
        pairs.select("transcript", "pos", "ref", "alt").iter_rows()
    ):
        forward = bool(exon_map.forward[transcript])
        position, ref, alt = allele_fields
        key = (position, ref, alt), forward
        if key not in trimmed:
            trimmed[key] = trim_and_shift(key[0], forward=forward, limits=limits, genome=genome)
        allele = trimmed[key]
        bounds = int(exon_map.start[transcript]), int(exon_map.end[transcript])
        placement = allele and place(allele, forward=forward, bounds=bounds, genome=genome)
        if placement:
            rows.append(row)
            transcripts.append(transcript)
            placements.append(placement)
    return _Placed(np.array(rows, dtype=np.int64), np.array(transcripts, dtype=np.int64), placements)


def _coding_names(table: TranscriptTable, placed: _Placed) -> pl.Series:
    forward = table.exon_map.forward[placed.transcript]
    start, end = placed.column(lambda at: at.start), placed.column(lambda at: at.end)
    first, last = np.where(forward, start, end), np.where(forward, end, start)
    both = np.concatenate([placed.transcript, placed.transcript])
    names = position_names(table, both, table.exon_map.locate(both, np.concatenate([first, last])))
    first_names, last_names = names.head(len(first)), names.tail(len(last))
    span = first_names.zip_with(pl.Series(start == end), first_names + "_" + last_names)
    return (
        reference_prefix(table, placed.transcript)
        + span
        + pl.Series([_change(placement) for placement in placed.placements], dtype=pl.String)
    )


def _change(placement: Placement) -> str:
    if placement.kind is Kind.SUBSTITUTION:
        return f"{placement.deleted}>{placement.inserted}"
    if placement.kind in {Kind.INSERTION, Kind.DELINS}:
        return placement.kind + placement.inserted
    return placement.kind.value


def _protein_changes(
    table: TranscriptTable, placed: _Placed, coding: CodingTranscripts
) -> list[ProteinChange | None]:
    """What placements do to proteins; None where what they name is not wholly inside one exon."""
    transcript = placed.transcript
    start, end = placed.column(lambda at: at.start), placed.column(lambda at: at.end)
    at_start, at_end = (table.exon_map.locate(transcript, position) for position in (start, end))
    low, high = np.minimum(at_start.base, at_end.base), np.maximum(at_start.base, at_end.base)
    in_one_exon = (at_start.offset == 0) & (at_end.offset == 0) & (high - low == end - start)
    near_coding = (high >= table.coding_first[transcript]) & (low <= table.coding_last[transcript])
    changes: list[ProteinChange | None] = [None] * len(transcript)
    for at in np.flatnonzero(in_one_exon & near_coding).tolist():
        spliced = coding.get(int(transcript[at]))
        if spliced is not None:
            changes[at] = protein_change(spliced, _edit(placed.placements[at], int(low[at]), int(high[at])))
    return changes


def _edit(placement: Placement, low: int, high: int) -> TranscriptEdit:
    """The edit of the cDNA where a placement names its bases `low` to `high`, 1-based and inclusive."""
    if placement.kind is Kind.INSERTION:
        return TranscriptEdit(low, low, placement.inserted)
    if placement.kind is Kind.DUPLICATION:
        return TranscriptEdit(high, high, placement.inserted)
    return TranscriptEdit(low - 1, high, placement.inserted)

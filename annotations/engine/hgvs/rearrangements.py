"""Insertions, deletions and whatever else is more than one base: described one pair at a time, exactly."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from annotations.engine.hgvs.coding import CodingTranscripts
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
    changes = [None] * len(placed.rows) if not len(placed.rows) else _protein_changes(table, placed, coding)
    described = pl.DataFrame(
        {
            "row": placed.rows,
            "hgvsc": _coding_names(table, placed),
            "hgvsp": pl.Series([change and change.hgvs for change in changes], dtype=pl.String),
            "codons": pl.Series([change and change.codons for change in changes], dtype=pl.String),
            "amino_acids": pl.Series([change and change.amino_acids for change in changes], dtype=pl.String),
            "protein_position": pl.Series([change and change.position for change in changes], dtype=pl.Int32),
        }
    )
    rows = pl.DataFrame({"row": np.arange(len(pairs))})
    return rows.join(described, on="row", how="left", maintain_order="left").drop("row")


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
    first_names, last_names = (
        position_names(table, placed.transcript, table.exon_map.locate(placed.transcript, position))
        for position in (first, last)
    )
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
    """What placements do to proteins; None where they are not wholly inside one exon's coding part."""
    transcript = placed.transcript
    is_pure_insertion = placed.column(lambda at: at.edit_end < at.edit_start).astype(bool)
    # An insertion replaces no base: it is inside an exon if the two bases that flank it are.
    low = placed.column(lambda at: at.edit_start) - is_pure_insertion
    high = placed.column(lambda at: at.edit_end) + is_pure_insertion
    spans = np.stack([low, high, placed.column(lambda at: at.start), placed.column(lambda at: at.end)])
    owners = np.broadcast_to(transcript, spans.shape)
    located = table.exon_map.locate(owners.ravel(), spans.ravel())
    exonic = (located.offset == 0).reshape(spans.shape).all(axis=0)
    base = located.base.reshape(spans.shape)
    within_one_exon = exonic & (np.abs(base[1] - base[0]) == high - low)
    first = np.minimum(base[0], base[1]) + is_pure_insertion - 1  # 0-based
    past = np.maximum(base[0], base[1]) - is_pure_insertion
    touches_coding = (past > table.coding_first[transcript] - 1) & (first < table.coding_last[transcript])
    changes: list[ProteinChange | None] = [None] * len(transcript)
    for at in np.flatnonzero(within_one_exon & touches_coding).tolist():
        spliced = coding.get(int(transcript[at]))
        if spliced is not None:
            edit = TranscriptEdit(int(first[at]), int(past[at]), placed.placements[at].inserted)
            changes[at] = protein_change(spliced, edit)
    return changes

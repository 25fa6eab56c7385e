"""Single-base substitutions, whole arrays of them at once: they are nine in ten of all variants."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from annotations.engine.hgvs.coding import CodingTranscripts
from annotations.engine.hgvs.columns import spread
from annotations.engine.hgvs.exon_map import Flags, Ints, TranscriptPositions
from annotations.engine.hgvs.genetic_code import (
    BASES,
    COMPLEMENT_CODES,
    RESIDUES,
    STOP,
    UNKNOWN,
    GeneticCode,
    base_names,
    codon_index,
    codon_names,
    residue_letters,
    residue_names,
    single_base_codes,
)
from annotations.engine.hgvs.genome import GenomeBlocks
from annotations.engine.hgvs.numbering import position_names, reference_prefix
from annotations.engine.hgvs.protein import INITIATOR_LOST, CodingTranscript, TranscriptEdit, protein_change
from annotations.engine.hgvs.transcripts import TranscriptTable

Codes = NDArray[np.uint8]

_MET, _STOP, _UNKNOWN = (np.uint8(RESIDUES.index(residue)) for residue in ("M", STOP, UNKNOWN))


@dataclass(frozen=True)
class _CodonChanges:
    """Substitutions in whole codons: rows of the batch, codons before and after as base codes (n, 3)."""

    rows: Ints
    residue: Ints  # 1-based number in the protein
    in_codon: Ints  # 0, 1 or 2
    before: Codes
    after: Codes


def describe_substitutions(
    table: TranscriptTable, pairs: pl.DataFrame, genome: GenomeBlocks, coding: CodingTranscripts
) -> pl.DataFrame:
    """Describe pairs whose REF and ALT are one base each; one row a pair, columns as in RESULT_SCHEMA.

    `hgvsp` is here the bare change, without accession and parentheses. REF is compared with the genome
    where a codon is read, and the protein's columns stay null where they disagree.
    """
    transcript = pairs["transcript"].cast(pl.Int64).to_numpy()
    position = pairs["pos"].cast(pl.Int64).to_numpy()
    forward = table.exon_map.forward[transcript]
    ref = _on_strand(single_base_codes(pairs["ref"].to_list()), forward)
    alt = _on_strand(single_base_codes(pairs["alt"].to_list()), forward)
    at = table.exon_map.locate(transcript, position)
    names = position_names(table, transcript, at)
    change = base_names(ref) + ">" + base_names(alt)
    described = pl.DataFrame({"hgvsc": reference_prefix(table, transcript) + names + change})
    changes = _codon_changes(table, transcript, at, (ref, alt), genome)
    proteins = _describe_codon_changes(table, transcript, changes, coding)
    return described.hstack(spread(proteins.drop("row"), proteins["row"].to_numpy(), len(pairs)))


def _on_strand(codes: Codes, forward: Flags) -> Codes:
    return np.where(forward, codes, COMPLEMENT_CODES[codes])


def _codon_changes(
    table: TranscriptTable,
    transcript: Ints,
    at: TranscriptPositions,
    alleles: tuple[Codes, Codes],
    genome: GenomeBlocks,
) -> _CodonChanges:
    """Those of the substitutions that stand in a whole codon, with REF as the genome has it."""
    first, last, pad = table.coding_first[transcript], table.coding_last[transcript], table.pad[transcript]
    coding = at.inside & (at.offset == 0) & (first > 0) & (pad >= 0) & (at.base >= first) & (at.base <= last)
    in_frame = at.base - first + pad
    in_codon = in_frame % 3
    codon_start = at.base - in_codon
    rows = np.flatnonzero(coding & (codon_start >= first) & (codon_start + 2 <= last))
    bases = codon_start[rows, np.newaxis] + np.arange(3)
    owners = np.broadcast_to(transcript[rows, np.newaxis], bases.shape)
    codes = genome.codes_at(table.exon_map.genomic(owners, bases))
    before = np.where(table.exon_map.forward[owners], codes, COMPLEMENT_CODES[codes])
    place = np.arange(len(rows)), in_codon[rows]
    ref, alt = alleles
    agrees = before[place] == ref[rows]
    after = before.copy()
    after[place] = alt[rows]
    return _CodonChanges(
        rows[agrees], (in_frame[rows] // 3 + 1)[agrees], in_codon[rows][agrees], before[agrees], after[agrees]
    )


def _describe_codon_changes(
    table: TranscriptTable, transcript: Ints, changes: _CodonChanges, coding: CodingTranscripts
) -> pl.DataFrame:
    """The protein's columns, with `row` to join them by; no row where a base of the codon is not known."""
    code = GeneticCode.of(table.genetic_code)
    before, after = codon_index(changes.before), codon_index(changes.after)
    owners = transcript[changes.rows]
    starts = (changes.residue == 1) & (table.pad[owners] == 0) & code.initiates_by_codon[before]
    keeps_start = starts & code.initiates_by_codon[after]
    old = np.where(keeps_start, _MET, code.residue_by_codon[before])
    new = np.where(keeps_start, _MET, code.residue_by_codon[after])
    same = pl.Series(old == new)
    names = (
        residue_names(old)
        + pl.Series(changes.residue).cast(pl.String)
        + pl.Series(["="])[np.zeros(len(old), dtype=np.int64)].zip_with(same, residue_names(new))
    )
    lost_stops = np.flatnonzero((old == _STOP) & (new != _STOP))
    extensions = [_extension(coding.get(int(owners[at])), changes, int(at)) for at in lost_stops]
    return pl.DataFrame(
        {
            "row": changes.rows,
            "hgvsp": names.scatter(np.flatnonzero(starts & ~keeps_start), INITIATOR_LOST).scatter(
                lost_stops, pl.Series(extensions, dtype=pl.String)
            ),
            "codons": codon_names(before, changes.in_codon) + "/" + codon_names(after, changes.in_codon),
            "amino_acids": residue_letters(old).zip_with(
                same, residue_letters(old) + "/" + residue_letters(new)
            ),
            "protein_position": changes.residue.astype(np.int32),
        }
    ).filter((old != _UNKNOWN) & (new != _UNKNOWN))


def _extension(transcript: CodingTranscript | None, changes: _CodonChanges, at: int) -> str | None:
    """What follows a lost stop codon has to be read from the transcript itself."""
    if transcript is None:
        return None
    in_frame = 3 * (int(changes.residue[at]) - 1) + int(changes.in_codon[at])
    start = transcript.coding[0] - transcript.pad + in_frame
    new_base = BASES[changes.after[at, changes.in_codon[at]]]
    change = protein_change(transcript, TranscriptEdit(start, start + 1, new_base))
    return None if change is None else change.hgvs

"""Single-base substitutions, compiled (kernels/substitutions.c): they are nine in ten of all variants."""

import ctypes
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from annotations.engine.hgvs.genetic_code import RESIDUES, STOP, THREE_LETTERS, UNKNOWN, GeneticCode
from annotations.engine.hgvs.genome import GenomeBlocks
from annotations.engine.hgvs.transcripts import TranscriptTable
from annotations.engine.kernels.library import Array, Room, Structure, TextColumn, call, structure

COLUMNS = ("hgvsc", "hgvsp", "amino_acids", "codons")
_TEXT_BYTES = 64  # of one pair, as a first guess

_Substitutions = structure(
    "_Substitutions", count=int, transcript=np.int32, place=np.int64, ref=np.uint8, alt=np.uint8
)
_Code = structure(
    "_Code",
    residue_by_codon=np.uint8,
    initiates=np.uint8,
    residue_count=int,
    letters=np.uint8,
    names=np.uint8,
    methionine=ctypes.c_uint8,
    stop=ctypes.c_uint8,
    unknown=ctypes.c_uint8,
)
_Descriptions = structure(
    "_Descriptions", text=Room, at=np.int64, length=np.int32, residue=np.int32, reads_on=np.uint8
)


@dataclass
class Descriptions:
    """What HGVS says of pairs of allele and transcript.

    `text` has all the texts; `at` and `length`, of shape (pairs, 4), where those of COLUMNS stand in it, and
    a length of -1 for what is not described. `hgvsp` is the bare change, without accession and parentheses.
    `residue` is the number of the first residue concerned, 0 for none.
    """

    text: Array
    at: Array
    length: Array
    residue: Array

    def texts(self, column: str) -> list[str | None]:
        """One column."""
        number = COLUMNS.index(column)
        text = self.text.tobytes()
        places = zip(self.at[:, number].tolist(), self.length[:, number].tolist(), strict=True)
        return [None if length < 0 else text[at : at + length].decode() for at, length in places]

    def has(self, column: str) -> Array:
        """Whether there is a text in one column."""
        return self.length[:, COLUMNS.index(column)] >= 0

    def spread(self, rows: Array, count: int) -> "Descriptions":
        """The same for `count` pairs, of which these are `rows`; the others are not described."""
        at, length = np.zeros((count, len(COLUMNS)), np.int64), np.full((count, len(COLUMNS)), -1, np.int32)
        residue = np.zeros(count, np.int32)
        at[rows], length[rows], residue[rows] = self.at, self.length, self.residue
        return Descriptions(self.text, at, length, residue)

    def column(self, name: str) -> Structure:
        """One column for a kernel."""
        number = COLUMNS.index(name)
        return TextColumn(
            bytes=self.text,
            size=len(self.text),
            count=len(self.at),
            at=np.ascontiguousarray(self.at[:, number]),
            length=np.ascontiguousarray(self.length[:, number]),
        )

    def put(self, rows: Array, described: pl.DataFrame) -> None:
        """Take the descriptions of some rows from a frame of COLUMNS."""
        columns = [described[name] for name in COLUMNS]
        texts = pl.concat(columns)
        joined = np.frombuffer(texts.fill_null("").str.join("").item().encode(), np.uint8)
        length = texts.str.len_bytes().cast(pl.Int64)
        taken = length.fill_null(0).to_numpy()
        at = np.cumsum(taken) - taken + len(self.text)
        self.at[rows] = at.reshape(len(COLUMNS), -1).T
        self.length[rows] = length.fill_null(-1).to_numpy().reshape(len(COLUMNS), -1).T
        self.residue[rows] = described["protein_position"].fill_null(0).to_numpy()
        self.text = np.concatenate([self.text, joined])


@cache
def _code_tables(number: int) -> Structure:
    """The genetic code as tables."""
    code = GeneticCode.of(number)
    return _Code(
        residue_by_codon=code.residue_by_codon,
        initiates=code.initiates_by_codon.astype(np.uint8),
        residue_count=len(RESIDUES),
        letters=np.frombuffer(RESIDUES.encode(), np.uint8),
        names=np.frombuffer("".join(THREE_LETTERS.values()).encode(), np.uint8),
        methionine=RESIDUES.index("M"),
        stop=RESIDUES.index(STOP),
        unknown=RESIDUES.index(UNKNOWN),
    )


def describe_substitutions(
    table: TranscriptTable,
    genome: GenomeBlocks,
    pairs: tuple[Array, Array, Array, Array],
) -> tuple[Descriptions, Array]:
    """Describe `pairs`: transcript (int32), place (int64, 1-based), base codes of REF and ALT (uint8).

    What is no change between two known bases is not described, and no protein where REF is not the genome's.
    Returns also which pairs lose a stop codon: of these, what becomes of the protein has to be read from the
    transcript itself.
    """
    transcript, place, ref, alt = pairs
    count = len(transcript)
    asked = _Substitutions(count=count, transcript=transcript, place=place, ref=ref, alt=alt)
    places = np.empty((count, 3), np.int64)
    residue, in_codon = np.empty(count, np.int32), np.empty(count, np.uint8)
    transcripts, code = table.for_kernels, _code_tables(table.genetic_code)
    call("find_codons", transcripts, asked, places, residue, in_codon)
    bases = np.zeros((count, 3), np.uint8)
    coding = np.flatnonzero(residue)
    bases[coding] = genome.codes_at(places[coding])
    at, length = np.empty((count, len(COLUMNS)), np.int64), np.empty((count, len(COLUMNS)), np.int32)
    described, reads_on = np.empty(count, np.int32), np.empty(count, np.uint8)
    size = _TEXT_BYTES * count
    while True:
        text = np.empty(max(size, 1), np.uint8)
        out = _Descriptions(
            text=Room(bytes=text, size=size, used=0),
            at=at,
            length=length,
            residue=described,
            reads_on=reads_on,
        )
        ids = table.ids_for_kernels
        call("describe_substitutions", transcripts, asked, ids, residue, in_codon, bases, code, out)
        if out.text.used <= size:
            break
        size = out.text.used
    return Descriptions(text[: out.text.used], at, length, described), np.flatnonzero(reads_on)

"""The kernel that describes alleles (kernels/describe.c), and what it works by."""

import ctypes
from enum import IntEnum
from functools import cache

import numpy as np

from annotations.engine.hgvs.descriptions import COLUMNS, Descriptions
from annotations.engine.hgvs.genetic_code import RESIDUES, STOP, THREE_LETTERS, UNKNOWN, GeneticCode
from annotations.engine.hgvs.genome import GenomeBlocks
from annotations.engine.hgvs.transcripts import TranscriptTable
from annotations.engine.kernels.library import Array, Room, Structure, call, structure
from annotations.engine.kernels.texts import Texts

SPLICED_BASES = 4 << 20  # of transcripts that are kept spliced
_TEXT_BYTES = 64  # of one pair, as a first guess

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
_Store = structure(
    "_Store",
    bases=np.uint8,
    size=int,
    used=int,
    at=np.int64,
    has_initiator=np.uint8,
    reads_to_its_end=np.uint8,
)
_Reference = structure("_Reference", model="", ids="", code="", store="")
_Pairs = structure("_Pairs", count=int, transcript=np.int32, place=np.int64, ref="", alt="")
_Descriptions = structure(
    "_Descriptions", text=Room, count=int, at=np.int64, length=np.int32, residue=np.int32, next=int
)


class _State(IntEnum):
    ALL_DESCRIBED = 0
    WANTS_BASES = 1
    WANTS_ROOM = 2


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


class DescribingKernel:
    """Describes pairs of allele and transcript; keeps the transcripts that it has spliced."""

    def __init__(self, table: TranscriptTable, genome: GenomeBlocks) -> None:
        self._genome = genome
        count = len(table.ids)
        size = max(SPLICED_BASES, int(table.exon_map.length.max(initial=0)))
        store = _Store(
            bases=np.empty(size, np.uint8),
            size=size,
            used=0,
            at=np.full(count, -1, np.int64),
            has_initiator=np.empty(count, np.uint8),
            reads_to_its_end=np.empty(count, np.uint8),
        )
        self._reference = _Reference(
            model=table.for_kernels,
            ids=table.ids_for_kernels,
            code=_code_tables(table.genetic_code),
            store=store,
        )

    def describe(self, transcript: Array, place: Array, ref: Texts, alt: Texts) -> Descriptions:
        """Describe pairs: rows of the transcript table (int32), POS (int64), and alleles in upper case."""
        count = len(transcript)
        pairs = _Pairs(
            count=count, transcript=transcript, place=place, ref=ref.for_kernels, alt=alt.for_kernels
        )
        text = np.empty(max(1, _TEXT_BYTES * count), np.uint8)
        at, length = np.empty((len(COLUMNS), count), np.int64), np.empty((len(COLUMNS), count), np.int32)
        residue = np.empty(count, np.int32)
        room = Room(bytes=text, size=len(text), used=0)
        out = _Descriptions(text=room, count=count, at=at, length=length, residue=residue, next=0)
        begun = -1  # the pair for which bases were last read
        while state := call("describe_pairs", self._reference, self._genome.for_kernels, pairs, out):
            if state == _State.WANTS_BASES:
                self._genome.load(self._genome.for_kernels.lacking, keep=begun == out.next)
                begun = out.next
            else:
                text = np.concatenate([text, np.empty_like(text)])
                out.text = Room(bytes=text, size=len(text), used=out.text.used)
        return Descriptions(text[: out.text.used], at, length, residue)

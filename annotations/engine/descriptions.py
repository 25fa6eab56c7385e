"""HGVS descriptions for the alleles of a chunk."""

from dataclasses import replace

import numpy as np
import polars as pl

from annotations.engine.alleles import Alleles
from annotations.engine.genes import Located
from annotations.engine.hgvs import GenomeFetch, HgvsDescriber, TranscriptTable
from annotations.engine.hgvs.descriptions import Descriptions
from annotations.engine.hgvs.genetic_code import SUPPORTED_CODES
from annotations.engine.kernels.library import Array
from annotations.engine.terms import SPLICE, mask_of

# Alleles are described where one of these holds: in exons, and in introns as far as splice regions reach.
DESCRIBED = SPLICE | mask_of(
    (
        "splice_donor_5th_base_variant",
        "splice_donor_region_variant",
        "coding_sequence_variant",
        "5_prime_UTR_variant",
        "3_prime_UTR_variant",
        "non_coding_transcript_exon_variant",
    )
)
CODING_SEQUENCE = mask_of(["coding_sequence_variant"])
NOT_IN_CSQ = r"[|,;=&\s]"  # what may stand in no field of a CSQ entry
_STANDARD_CODE = 1
_FRAME_UNKNOWN = -1


def describe_pairs(
    located: Located, norm_pos: Array, alleles: Alleles, describer: HgvsDescriber
) -> Descriptions:
    """The descriptions of all `located.pairs`, nothing of those that are not described.

    `alleles` are those that were located, and `norm_pos` where they lie on the line.
    """
    pairs = located.pairs
    rows = np.flatnonzero(pairs.mask & DESCRIBED)
    described = _describe(located, rows, norm_pos, alleles, describer)
    return described.spread(rows, len(pairs.span))


def proteins_unread(
    located: Located, norm_pos: Array, alleles: Alleles, describer: HgvsDescriber, has_protein: Array
) -> Array:
    """Which of single-base alleles lie in a coding sequence without a description of the protein.

    Of a transcript that has no protein's name (`has_protein`, by transcript), none is used.
    """
    pairs = located.pairs
    rows = np.flatnonzero(pairs.mask & CODING_SEQUENCE)
    described = _describe(located, rows, norm_pos, alleles, describer)
    unread = ~described.has("hgvsp") | ~has_protein[pairs.transcript[rows]]
    spans = np.zeros(len(located.example), np.bool_)
    spans[pairs.span[rows[unread]]] = True
    return spans[located.span_of]


def _describe(
    located: Located, rows: Array, norm_pos: Array, alleles: Alleles, describer: HgvsDescriber
) -> Descriptions:
    pairs = located.pairs
    examples = located.example[pairs.span[rows]]
    return describer.describe_plain(
        pairs.transcript[rows],
        norm_pos[examples],
        alleles.norm_ref.take(examples),
        alleles.norm_alt.take(examples),
    )


def describer_of(
    frame: pl.DataFrame, genetic_code: int, fetch: GenomeFetch, contig: str = ""
) -> HgvsDescriber:
    """What describes alleles on transcripts (the bundle's columns).

    `fetch` reads the genome at the transcripts' places and gets the name `contig`. Under a genetic code that
    the describer does not read, no protein is described.
    """
    ids = pl.col("transcript_id", "protein_id").str.replace_all(NOT_IN_CSQ, "_")
    readable = genetic_code in SUPPORTED_CODES
    code = genetic_code if readable else _STANDARD_CODE
    table = TranscriptTable.from_frame(frame.with_columns(ids), genetic_code=code)
    if not readable:
        table = replace(table, pad=np.full_like(table.pad, _FRAME_UNKNOWN))
    return HgvsDescriber(table, fetch, contig)

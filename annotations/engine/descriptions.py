"""HGVS descriptions for the alleles of a chunk, and the terms that go with them.

csq says which terms an allele has in a coding sequence, and the describer what becomes of the protein. They
read the same codons, so that both of them stand in one entry of CSQ only if they mean the same: where they
do not, the describer's reading decides (docs/engine.md says which these are).
"""

from dataclasses import replace

import numpy as np
import polars as pl

from annotations.engine.genes import Array, Pairs
from annotations.engine.hgvs import GenomeFetch, HgvsDescriber, TranscriptTable
from annotations.engine.hgvs.columns import spread
from annotations.engine.hgvs.genetic_code import SUPPORTED_CODES
from annotations.engine.terms import BIT, CODING, SPLICE, SPLICE_SITE, mask_of

# Alleles are described where one of these holds: in exons, and in introns as far as splice regions reach.
_DESCRIBED = SPLICE | mask_of(
    (
        "splice_donor_5th_base_variant",
        "splice_donor_region_variant",
        "coding_sequence_variant",
        "5_prime_UTR_variant",
        "3_prime_UTR_variant",
        "non_coding_transcript_exon_variant",
    )
)
NOT_IN_CSQ = r"[|,;=&\s]"  # what may stand in no field of a CSQ entry
_STANDARD_CODE = 1
_FRAME_UNKNOWN = -1
DESCRIPTION_SCHEMA = {"hgvsc": pl.String, "hgvsp": pl.String, "amino_acids": pl.String}


def is_described(mask: Array) -> Array:
    """Whether alleles are described on a transcript where they have these terms."""
    return (mask & _DESCRIBED) != 0


def describe_pairs(
    pairs: Pairs, allele_of: Array, alleles: pl.DataFrame, describer: HgvsDescriber
) -> pl.DataFrame:
    """The descriptions (DESCRIPTION_SCHEMA) of each of `pairs`, null where it is not described.

    `allele_of` has the row of `alleles` (alleles.SCHEMA) for each span.
    """
    rows = np.flatnonzero(is_described(pairs.mask))
    plain = alleles.select("norm_pos", "norm_ref", "norm_alt")[allele_of[pairs.span[rows]]]
    described = describer.describe(
        pl.DataFrame(
            {
                "transcript": pairs.transcript[rows].astype(np.uint32),
                "pos": plain["norm_pos"],
                "ref": plain["norm_ref"],
                "alt": plain["norm_alt"],
            }
        )
    )
    return spread(described.select(DESCRIPTION_SCHEMA.keys()), rows, len(pairs.span))


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


_LENGTH_TERMS = mask_of(("inframe_insertion", "inframe_deletion", "protein_altering_variant"))
_FRAMESHIFT = BIT["frameshift_variant"]
_SYNONYMOUS = BIT["synonymous_variant"]
# What HGVS says of a protein, by a pattern, of which the first that fits counts: the terms that follow from
# it, and those that csq may add.
_READINGS: tuple[tuple[str, int, int], ...] = (
    (r"Met1=", BIT["start_retained_variant"] | _SYNONYMOUS, 0),
    (r"Ter\d+=", BIT["stop_retained_variant"], 0),
    (r"=", _SYNONYMOUS, 0),
    (r"Met1\?", BIT["start_lost"], _LENGTH_TERMS | _FRAMESHIFT),
    (r"fs", _FRAMESHIFT, BIT["stop_lost"]),
    (r"ext", BIT["stop_lost"], _LENGTH_TERMS | _FRAMESHIFT),
    (r"Ter\)$", BIT["stop_gained"], _LENGTH_TERMS | _FRAMESHIFT),
    (r"\ddel\)$", BIT["inframe_deletion"], 0),
    (r"dup|\dins", BIT["inframe_insertion"], BIT["stop_retained_variant"]),
)
_TELLING = ("mask", "csq", "change", "hgvsp", "amino_acids")


def terms_agreed(frame: pl.DataFrame) -> pl.Series:
    """The terms of each pair of allele and transcript, by gene model, csq and description together.

    `frame` has `mask` (of the gene model), `csq` (what csq adds; null for nothing), `change` (the amino acids
    of a whole haplotype: there csq alone can tell), hgvsp and amino_acids.
    """
    told = frame.select(pl.col("csq").is_not_null() | pl.col("hgvsp").is_not_null()).to_series().arg_true()
    if not len(told):
        return frame["mask"]
    return frame["mask"].scatter(told, _terms_told(frame.select(_TELLING)[told]))


def _terms_told(frame: pl.DataFrame) -> pl.Series:
    csq = pl.col("csq").fill_null(0)
    is_read = pl.col("hgvsp").is_not_null() & pl.col("change").is_null()
    coding = pl.when(is_read).then(_terms_read(csq)).otherwise(_terms_unread(csq))
    located = pl.when(coding != 0).then(pl.col("mask") & ~pl.lit(BIT["coding_sequence_variant"]))
    together = located.otherwise(pl.col("mask")) | (csq & ~pl.lit(CODING)) | coding
    narrowed = pl.when(together & pl.lit(SPLICE_SITE) != 0).then(
        together & ~pl.lit(BIT["splice_region_variant"])
    )
    return frame.select(narrowed.otherwise(together).alias("mask"))["mask"]


def _terms_read(csq: pl.Expr) -> pl.Expr:
    """The coding terms where the protein is described."""
    sides = pl.col("amino_acids").str.split("/")
    as_long = sides.list.first().str.len_bytes() == sides.list.last().str.len_bytes()
    by_csq = csq & pl.lit(_LENGTH_TERMS)
    longer_or_shorter = pl.when(by_csq != 0).then(by_csq).otherwise(BIT["protein_altering_variant"])
    terms = pl.when(as_long).then(BIT["missense_variant"]).otherwise(longer_or_shorter)
    for pattern, follow, may_add in reversed(_READINGS):
        fits = pl.col("hgvsp").str.contains(pattern)
        terms = pl.when(fits).then((csq & pl.lit(may_add)) | pl.lit(follow)).otherwise(terms)
    return terms


def _terms_unread(csq: pl.Expr) -> pl.Expr:
    """The coding terms where there is csq's word alone.

    It calls what reaches over an exon's edge synonymous, for the codons that it could not read.
    """
    others = csq & pl.lit(CODING & ~_SYNONYMOUS)
    uncoded = (pl.col("mask") & pl.lit(BIT["coding_sequence_variant"])) == 0
    return pl.when((others != 0) | uncoded).then(others).otherwise(csq & pl.lit(CODING))

"""Substitutions are described by the kernel as they are by the exact way, one at a time."""

import random

import numpy as np
import polars as pl
import pytest

from annotations.engine.hgvs import HgvsDescriber, TranscriptTable
from annotations.engine.hgvs.rearrangements import describe_rearrangements

# Coding sequences without a stop inside, in either direction and any frame; one codon of each is a start.
FORWARD = list("".join(random.Random(2).choices("AC", k=1_200)))  # noqa: S311 - the same in every run
FORWARD[149:153] = "ATGC"
FORWARD[700:703] = "NNN"
EXONS = [(101, 220), (301, 397), (450, 450), (600, 800), (1_001, 1_100)]
KINDS = [(150, 1_050, 0), (150, 1_050, 1), (301, 640, 2), (302, 641, None), (None, None, None)]
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def genome(strand: int) -> str:
    bases = "".join(FORWARD)
    return bases if strand > 0 else bases.translate(COMPLEMENT)[::-1]


def table(strand: int, code: int) -> TranscriptTable:
    """Transcripts of one direction: coding from various frames, of unknown frame, and not coding."""

    def span(first: int | None, last: int | None) -> tuple[int | None, int | None]:
        if strand > 0 or first is None or last is None:
            return first, last
        return len(FORWARD) + 1 - last, len(FORWARD) + 1 - first

    exons = sorted(span(first, last) for first, last in EXONS)
    rows = []
    for number, (first, last, phase) in enumerate(KINDS):
        start, end = span(first, last)
        rows.append(
            {
                "transcript_id": f"T{number}",
                "strand": strand,
                "exon_starts": [first for first, _ in exons],
                "exon_ends": [last for _, last in exons],
                "cds_start": start,
                "cds_end": end,
                "cds_phase": phase,
                "protein_id": f"P{number}",
            }
        )
    return TranscriptTable.from_frame(pl.DataFrame(rows), genetic_code=code)


def describer(strand: int, code: int) -> HgvsDescriber:
    bases = genome(strand)
    return HgvsDescriber(table(strand, code), lambda _, start, end: bases[start:end], "1")


@pytest.mark.parametrize("strand", [1, -1])
@pytest.mark.parametrize("code", [1, 2])
def test_every_base_is_described_as_by_the_exact_way(code: int, strand: int) -> None:
    kernel, bases = describer(strand, code), genome(strand)
    places = np.arange(95, 1_110)
    changes = [(place, bases[place - 1], alt) for place in places.tolist() for alt in "ACGT"]
    changes = [change for change in changes if change[1] != change[2]]
    pairs = pl.DataFrame(
        [(number, *change) for number in range(len(KINDS)) for change in changes],
        schema={"transcript": pl.Int32, "pos": pl.Int64, "ref": pl.String, "alt": pl.String},
        orient="row",
    )
    found = kernel.describe(pairs)
    known = pairs["ref"] != "N"
    assert found.filter(~known)["hgvsc"].null_count() == len(KINDS) * 3 * 4
    pairs, found = pairs.filter(known), found.filter(known)
    exact = describe_rearrangements(kernel._table, pairs, kernel._genome, kernel._coding)
    residue = pl.col("amino_acids").str.extract_groups(r"^(?<old>.)/(?<new>.)$")
    exact = exact.with_columns(
        hgvsp="P" + pairs["transcript"].cast(pl.String) + ":p.(" + exact["hgvsp"] + ")",
        # it gives what does not change on both sides
        amino_acids=pl.when(residue.struct[0] == residue.struct[1])
        .then(residue.struct[0])
        .otherwise("amino_acids"),
    )
    # and the bases of codons of which not all are known, or are there
    parts = ("codons", "amino_acids", "protein_position")
    exact = exact.with_columns(
        pl.when(pl.col("hgvsp").is_not_null()).then(name).alias(name) for name in parts
    )
    differ = [
        (pair, one, other)
        for pair, one, other in zip(pairs.rows(), found.rows(), exact.rows(), strict=True)
        if one != other
    ]
    assert differ == []


def test_a_ref_that_is_not_the_genomes_has_no_protein() -> None:
    place = 170
    ref = "G" if FORWARD[place - 1] != "G" else "A"
    pair = pl.DataFrame({"transcript": [0], "pos": [place], "ref": [ref], "alt": ["T"]})
    described = describer(1, 1).describe(pair).row(0, named=True)
    assert described["hgvsc"] == f"T0:c.21{ref}>T"
    assert (described["hgvsp"], described["codons"], described["protein_position"]) == (None, None, None)

"""Descriptions of published variants, on the real genome."""

import polars as pl
import pytest

from annotations.engine.hgvs import PAIR_SCHEMA, HgvsDescriber, TranscriptTable
from annotations.engine.hgvs.tests.real_data import (
    CHR21_FASTA,
    CHR21_GENES,
    MT_FASTA,
    MT_GENES,
    Fasta,
    needs_real_data,
    transcripts_of,
)

pytestmark = needs_real_data


def described(
    frame: pl.DataFrame, describer: HgvsDescriber, transcript: str, allele: tuple[int, str, str]
) -> tuple[str, str]:
    row = frame["transcript"].to_list().index(transcript)
    pairs = pl.DataFrame([(row, *allele)], schema=PAIR_SCHEMA, orient="row")
    return describer.describe(pairs).select("hgvsc", "hgvsp").row(0)


@pytest.mark.parametrize(
    ("allele", "coding", "protein"),
    [
        ((25891784, "C", "A"), "c.2149G>T", "p.(Val717Phe)"),
        ((25891784, "C", "G"), "c.2149G>C", "p.(Val717Leu)"),
        ((25891784, "C", "T"), "c.2149G>A", "p.(Val717Ile)"),
        ((25891783, "A", "C"), "c.2150T>G", "p.(Val717Gly)"),
    ],
)
def test_familial_alzheimer_variants_of_app_have_their_names(
    allele: tuple[int, str, str], coding: str, protein: str
) -> None:
    frame = transcripts_of(CHR21_GENES)
    describer = HgvsDescriber(TranscriptTable.from_frame(frame), Fasta(CHR21_FASTA), "21")
    assert described(frame, describer, "ENST00000346798", allele) == (
        f"ENST00000346798.7:{coding}",
        f"ENSP00000284981:{protein}",
    )


@pytest.mark.parametrize(
    ("gene", "allele", "coding", "protein"),
    [
        ("MT-ATP6", (8860, "A", "G"), "c.334A>G", "p.(Thr112Ala)"),
        ("MT-CO1", (7028, "C", "T"), "c.1125C>T", "p.(Ala375=)"),
        ("MT-ND4", (11778, "G", "A"), "c.1019G>A", "p.(Arg340His)"),  # LHON
        ("MT-ND1", (3460, "G", "A"), "c.154G>A", "p.(Ala52Thr)"),  # LHON
        ("MT-ND6", (14484, "T", "C"), "c.190A>G", "p.(Met64Val)"),  # LHON, on the light strand
        ("MT-ND2", (4472, "T", "C"), "c.3T>C", "p.(Met1=)"),  # ATT and ATC both start
        ("MT-ND2", (4471, "T", "C"), "c.2T>C", "p.(Met1?)"),  # ACT does not
    ],
)
def test_mitochondrial_variants_are_read_in_their_own_genetic_code(
    gene: str, allele: tuple[int, str, str], coding: str, protein: str
) -> None:
    frame = transcripts_of(MT_GENES)
    describer = HgvsDescriber(TranscriptTable.from_frame(frame, genetic_code=2), Fasta(MT_FASTA), "MT")
    names = transcript_names()
    coding_name, protein_name = described(frame, describer, names[gene], allele)
    assert (coding_name.split(":")[1], protein_name.split(":")[1]) == (coding, protein)


def transcript_names() -> dict[str, str]:
    """Transcript ids of the mitochondrion by gene symbol."""
    attributes = [
        line.split("\t")[8] for line in MT_GENES.read_text().splitlines() if "ID=transcript:" in line
    ]
    pairs = [dict(part.split("=", 1) for part in text.split(";")) for text in attributes]
    return {pair["Name"].removesuffix("-201"): pair["transcript_id"] for pair in pairs}

"""Carrying a description out gives what the VCF allele gives."""

from dataclasses import dataclass

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine.hgvs import PAIR_SCHEMA, HgvsDescriber, TranscriptTable
from annotations.engine.hgvs.genetic_code import GeneticCode
from annotations.engine.hgvs.tests.plain import translate
from annotations.engine.hgvs.tests.readback import (
    COMPLEMENT,
    Edit,
    Gene,
    coding_edit,
    protein_outcome,
    to_stop,
)

CODE = GeneticCode.of(1)


@dataclass(frozen=True)
class Case:
    genome: str
    gene: Gene
    position: int
    ref: str
    alt: str

    def bases(self, start: int, end: int) -> str:
        return self.genome[start - 1 : end]

    def edited(self, edit: Edit) -> str:
        return self.genome[: edit.start - 1] + edit.inserted + self.genome[edit.end :]

    def described(self, position: int, ref: str, alt: str) -> tuple[str | None, str | None]:
        coding = self.gene.coding
        ends = sorted(self.gene.exonic()[at - 1] for at in coding) if coding else [None, None]
        frame = pl.DataFrame(
            {
                "transcript_id": ["T.1"],
                "strand": [1 if self.gene.forward else -1],
                "exon_starts": [[start for start, _ in self.gene.exons]],
                "exon_ends": [[end for _, end in self.gene.exons]],
                "cds_start": [ends[0]],
                "cds_end": [ends[1]],
                "protein_id": ["P.1"],
            }
        )
        describer = HgvsDescriber(
            TranscriptTable.from_frame(frame),
            lambda _, start, end: self.genome[start:end],
            "1",
            predicted_parentheses=False,
        )
        row = describer.describe(
            pl.DataFrame([(0, position, ref, alt)], schema=PAIR_SCHEMA, orient="row")
        ).row(0)
        return (row[0] and row[0].removeprefix("T.1:"), row[1] and row[1].removeprefix("P.1:p."))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    # Two letters make repeats, which is where shifts go wrong; four make proteins of every kind.
    alphabet = draw(st.sampled_from(["AC", "AT", "ACG", "ACGT", "ACGT"]))
    genome = draw(st.text(alphabet, min_size=60, max_size=110))
    edges = sorted(
        draw(st.sets(st.integers(6, 52), min_size=2, max_size=6).filter(lambda found: len(found) % 2 == 0))
    )
    exons = list(zip(edges[::2], edges[1::2], strict=True))
    forward = draw(st.booleans())
    length = sum(end - start + 1 for start, end in exons)
    coding = None
    if length >= 9 and draw(st.integers(0, 5)):
        first = draw(st.integers(1, length - 8))
        codons = draw(st.integers(3, (length - first + 1) // 3))
        coding = first, first + 3 * codons - 1
    gene = Gene(exons, forward, coding)
    if coding:
        genome = _with_start_and_stop(genome, gene, coding)
    position = draw(st.integers(edges[0], edges[-1]))
    ref = genome[position - 1 : position - 1 + draw(st.integers(1, 7))]
    alt = draw(st.one_of(st.text(alphabet, min_size=1, max_size=7), st.just(ref[:1]), st.just(ref + ref[1:])))
    return Case(genome, gene, position, ref, alt)


def _with_start_and_stop(genome: str, gene: Gene, coding: tuple[int, int]) -> str:
    bases = list(genome)
    places = gene.exonic()
    for first, codon in ((coding[0], "ATG"), (coding[1] - 2, "TAA")):
        for at, base in enumerate(codon):
            bases[places[first - 1 + at] - 1] = base if gene.forward else base.translate(COMPLEMENT)
    return "".join(bases)


def _new_protein(case: Case, edit: Edit) -> str:
    """The protein of the edited transcript, whose edit lies in an exon's coding part."""
    assert case.gene.coding
    pieces = {at: case.bases(at, at) for at in case.gene.exonic()}
    for at in range(edit.start, edit.end + 1):
        pieces[at] = ""
    if edit.start in pieces:
        pieces[edit.start] = edit.inserted + pieces[edit.start]
    else:
        pieces[edit.start - 1] += edit.inserted
    ordered = [pieces[at] for at in case.gene.exonic()]
    if not case.gene.forward:
        ordered = [piece.translate(COMPLEMENT)[::-1] for piece in ordered]
    return to_stop(translate(CODE, "".join(ordered[case.gene.coding[0] - 1 :])))


@settings(max_examples=80, deadline=None)
@given(cases())
def test_a_coding_description_says_what_the_allele_says(case: Case) -> None:
    coding, _ = case.described(case.position, case.ref, case.alt)
    if coding is not None:
        edit = coding_edit(coding, case.gene, case.bases)
        assert case.edited(edit) == case.edited(
            Edit(case.position, case.position + len(case.ref) - 1, case.alt)
        )


@settings(max_examples=120, deadline=None)
@given(cases())
def test_a_protein_description_says_what_translation_of_the_changed_transcript_says(case: Case) -> None:
    coding, protein_change = case.described(case.position, case.ref, case.alt)
    if coding is None or protein_change is None:
        return
    assert case.gene.coding
    first, last = case.gene.coding
    cdna = "".join(case.bases(at, at) for at in case.gene.exonic())
    cdna = cdna if case.gene.forward else cdna.translate(COMPLEMENT)
    protein = translate(CODE, cdna[first - 1 : last])
    outcome = protein_outcome(protein_change, protein)
    if outcome is None:
        assert coding[2] in "-123"  # the initiator is concerned
    else:
        new = _new_protein(case, coding_edit(coding, case.gene, case.bases))
        assert outcome.agrees_with(new), f"{coding} {protein_change}: {protein} to {new}"


@settings(max_examples=80, deadline=None)
@given(cases(), st.integers(0, 4), st.integers(0, 4))
def test_an_allele_is_described_alike_however_the_vcf_pads_it(case: Case, before: int, after: int) -> None:
    end = case.position + len(case.ref) - 1
    ahead, behind = case.bases(case.position - before, case.position - 1), case.bases(end + 1, end + after)
    padded = case.position - before, ahead + case.ref + behind, ahead + case.alt + behind
    descriptions = case.described(*padded), case.described(case.position, case.ref, case.alt)
    # Where a repeat runs over the end of the transcript, an allele may be given as one outside of it.
    if (None, None) not in descriptions:
        assert descriptions[0] == descriptions[1]

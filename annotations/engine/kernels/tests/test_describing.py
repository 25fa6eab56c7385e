"""Alleles are described by the kernel as they are plainly, one at a time."""

import random
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine.hgvs import PAIR_SCHEMA, HgvsDescriber, TranscriptTable, genome, kernel
from annotations.engine.hgvs.tests.plain import Description, PlainTranscript, other_strand

SCHEMA: dict[str, Any] = {
    "transcript_id": pl.String,
    "strand": pl.Int64,
    "exon_starts": pl.List(pl.Int64),
    "exon_ends": pl.List(pl.Int64),
    "cds_start": pl.Int64,
    "cds_end": pl.Int64,
    "cds_phase": pl.Int64,
    "protein_id": pl.String,
}
STOPS = {"TAA", "TAG", "TGA", "AGA", "AGG"}
BEFORE = genome.BLOCK_BASES - 100  # bases before the gene, so that the border of two blocks is in it
Row = dict[str, Any]
Allele = tuple[int, str | None, str | None]


class Case:
    """A genome that ends with the `letters` of a gene, and alleles on it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the same for the same seed
        self.letters = "".join(self._pieces())
        self.row = self._transcript(len(self.letters) - 2)
        if self.row["cds_start"] and self.chance.random() < 0.8:
            self._read_whole()
        self.alleles = [self._allele() for _ in range(150)]
        self.genome = "C" * BEFORE + self.letters

    def _pieces(self) -> Iterator[str]:
        """Of repeats and others, and some bases that are not known."""
        for _ in range(self.chance.randint(4, 9)):
            kind = self.chance.random()
            if kind < 0.4:
                yield self._some(1, 6) * self.chance.randint(2, 12)
            elif kind < 0.95:
                yield self._some(10, 60)
            else:
                yield self.chance.choice("NNR")
        yield self._some(20, 20)

    def _some(self, fewest: int, most: int) -> str:
        return "".join(self.chance.choices("ACGT", k=self.chance.randint(fewest, most)))

    def _transcript(self, size: int) -> Row:
        """One with exons of any length, down to one base, of which any part is coding."""
        edges = sorted(self.chance.sample(range(1, size + 1), 2 * self.chance.choice([1, 1, 2, 3, 6])))
        exons = list(zip(edges[::2], edges[1::2], strict=True))
        if self.chance.random() < 0.3:
            exons.append((edges[-1] + 2, edges[-1] + 2))
        places = [place + BEFORE for start, end in exons for place in range(start, end + 1)]
        coding = sorted(self.chance.choices(places, k=2))
        if self.chance.random() < 0.4:
            coding = [places[0], places[-1]]
        is_coding = self.chance.random() < 0.9
        return {
            "transcript_id": "T",
            "strand": self.chance.choice([1, -1]),
            "exon_starts": [start + BEFORE for start, _ in exons],
            "exon_ends": [end + BEFORE for _, end in exons],
            "cds_start": coding[0] if is_coding else None,
            "cds_end": coding[1] if is_coding else None,
            "cds_phase": self.chance.choice([None, 0, 0, 0, 1, 2]),
            "protein_id": "P",
        }

    def _read_whole(self) -> None:
        """Give the coding sequence a start, an end and no stop inside, or most of this."""
        row, letters, forward = self.row, list(self.letters), self.row["strand"] > 0
        exons = zip(row["exon_starts"], row["exon_ends"], strict=True)
        places = [place - BEFORE - 1 for start, end in exons for place in range(start, end + 1)]
        low, high = row["cds_start"] - BEFORE - 1, row["cds_end"] - BEFORE - 1
        places = [place for place in places if low <= place <= high][:: row["strand"]]
        starts = range(row["cds_phase"] or 0, len(places) - 2, 3)
        for first in starts:
            codon = [
                letters[place] if forward else other_strand(letters[place]) for place in places[first:][:3]
            ]
            now = "".join(codon)
            new = "CCC" if now in STOPS else now
            if first == starts[-1]:
                new = self.chance.choice(["TAA", "TGA", "AGA", now])
            if first == starts[0]:
                new = self.chance.choice(["ATG", "ATG", "ATT", now])
            for place, base in zip(places[first:], new, strict=False):
                letters[place] = base if forward else other_strand(base)
        self.letters = "".join(letters)

    def _allele(self) -> Allele:
        row, letters, chance = self.row, self.letters, self.chance
        near = [place for place in (row["cds_start"], row["cds_end"]) if place]
        near += row["exon_starts"] + row["exon_ends"]
        place = chance.choice(near) - BEFORE + chance.randint(-9, 7)
        if chance.random() < 0.4:
            place = chance.randint(1, len(letters))
        place = max(1, min(place, len(letters)))
        ref = letters[place - 1 :][: chance.choice([1, 1, 2, 3, 3, 4, 5, 6, 7, 9, 12])]
        some = self._some(1, 7)
        kinds = (
            [some[:1]] * 2
            + [ref[:1]] * 4
            + [ref + ref[1:]] * 2
            + [ref + some[:3], ref[:1] + some[:3] + ref[1:]]
        )
        alt = chance.choice([*kinds, some, other_strand(ref), ref + "TAA", ref[:1] + "TGA" + ref[1:]])
        given = chance.choices(
            [(ref, alt), (ref, "*"), (ref, None), (some, alt), (None, alt)], [90, 1, 1, 3, 1]
        )
        return place + BEFORE, *given[0]


def plainly(table: TranscriptTable, whole: str, alleles: list[Allele]) -> list[Description]:
    transcript = PlainTranscript.of(table, 0, whole)
    return [transcript.describe(*allele) for allele in alleles]


def by_kernel(table: TranscriptTable, whole: str, alleles: list[Allele]) -> list[Description]:
    describer = HgvsDescriber(table, lambda _, start, end: whole[start:end], "1", predicted_parentheses=False)
    pairs = [(0, *allele) for allele in alleles]
    found = describer.describe(pl.DataFrame(pairs, schema=PAIR_SCHEMA, orient="row"))
    return [
        Description(name and name.removeprefix("T:"), change and change.removeprefix("P:p."), *others)
        for name, change, *others in found.iter_rows()
    ]


def table_of(row: Row, code: int = 1) -> TranscriptTable:
    return TranscriptTable.from_frame(pl.DataFrame([row], schema=SCHEMA), genetic_code=code)


def assert_agree(table: TranscriptTable, whole: str, alleles: list[Allele]) -> None:
    found, expected = by_kernel(table, whole, alleles), plainly(table, whole, alleles)
    differ = [one for one in zip(alleles, found, expected, strict=True) if one[1] != one[2]]
    assert differ == []


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 1 << 40), st.sampled_from([1, 1, 2]))
def test_alleles_are_described_as_they_are_plainly(seed: int, code: int) -> None:
    case = Case(seed)
    assert_agree(table_of(case.row, code), case.genome, case.alleles)


def test_a_start_codon_lost_before_another_one_leaves_a_protein_that_starts() -> None:
    whole = "C" * 20 + "GTGATGCCATAA" + "C" * 20
    spans = {"exon_starts": [11], "exon_ends": [40], "cds_start": 21, "cds_end": 32, "cds_phase": 0}
    table = table_of(Case(1).row | spans | {"strand": 1}, code=2)
    assert_agree(table, whole, [(20, "CGTG", "C")])
    assert by_kernel(table, whole, [(20, "CGTG", "C")])[0].amino_acids == "M/M"


@pytest.mark.parametrize("strand", [1, -1])
def test_it_is_all_the_same_with_room_for_little(strand: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genome, "HELD_BLOCKS", 1)
    monkeypatch.setattr(kernel, "SPLICED_BASES", 1)
    monkeypatch.setattr(kernel, "_TEXT_BYTES", 0)
    # a repeat that runs over three blocks, and a transcript of exons in each
    step = genome.BLOCK_BASES
    whole = "C" * 500 + "ATGGCT" + "CA" * (2 * step) + "TTTGACTAA" + "C" * 500
    last = len(whole) - 500
    row = Case(1).row | {
        "strand": strand,
        "exon_starts": [400, step, 2 * step, 3 * step, 4 * step],
        "exon_ends": [501 + 20, step + 30, 2 * step + 40, 3 * step + 50, len(whole) - 100],
        "cds_start": 501,
        "cds_end": last,
        "cds_phase": 0,
    }
    places = [501, 507, step + 7, 3 * step + 9, last - 30, last - 2]
    alleles: list[Allele] = [
        (place, whole[place - 1 :][:length], whole[place - 1] + alt)
        for place in places * 2
        for length, alt in ((1, "A"), (2, ""), (3, ""), (4, "TTT"), (1, whole[place:][:2]))
    ]
    assert_agree(table_of(row), whole, alleles)
    assert any((found.hgvsc or "").endswith("del") for found in plainly(table_of(row), whole, alleles))

"""Alleles are located base by base as the rules say, alone or together with others."""

from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine.alleles import Kind
from annotations.engine.genes import FLANK_BASES, Located, Transcripts
from annotations.engine.terms import SPLICE_SITE, mask_of


@st.composite
def transcripts(draw: st.DrawFn) -> pl.DataFrame:
    """Up to four transcripts, sorted by start, with long and with very short exons and introns."""
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(6_000, 6_200))
        exons = []
        for _ in range(draw(st.integers(1, 4))):
            end = at + draw(st.integers(0, 30))
            exons.append((at, end))
            at = end + 1 + draw(st.integers(4, 60))
        inside = [place for start, end in exons for place in range(start, end + 1)]
        coding = sorted(draw(st.lists(st.sampled_from(inside), min_size=2, max_size=2)))
        is_coding = draw(st.booleans())
        rows.append(
            {
                "start": exons[0][0],
                "end": exons[-1][1],
                "strand": draw(st.sampled_from([1, -1])),
                "exon_starts": [start for start, _ in exons],
                "exon_ends": [end for _, end in exons],
                "cds_start": coding[0] if is_coding else None,
                "cds_end": coding[1] if is_coding else None,
                "cds_phase": draw(st.sampled_from([None, 0, 1, 2])) if is_coding else None,
                "biotype": draw(st.sampled_from(["mRNA", "nonsense_mediated_decay"])),
            }
        )
    return pl.DataFrame(
        rows, schema_overrides=dict.fromkeys(("cds_start", "cds_end", "cds_phase"), pl.Int64)
    ).sort("start")


def located_plainly(place: int, row: dict[str, Any]) -> tuple[int, int]:
    """The terms of one base that is replaced, in one transcript, and the number of the exon that it is in."""
    exons = list(zip(row["exon_starts"], row["exon_ends"], strict=True))
    forward = row["strand"] == 1
    if place < row["start"] or place > row["end"]:
        is_before = place < row["start"]
        distance = row["start"] - place if is_before else place - row["end"]
        name = "upstream_gene_variant" if is_before == forward else "downstream_gene_variant"
        return (mask_of([name]) if distance <= FLANK_BASES else 0), 0
    number = max(at for at, (start, _) in enumerate(exons) if start <= place)
    exonic = place <= exons[number][1]
    found = {"NMD_transcript_variant"} if row["biotype"] == "nonsense_mediated_decay" else set()
    if number + 1 < len(exons):
        found |= beside_intron(place - exons[number][1], exons[number + 1][0] - place, forward=forward)
    if exonic and number and place - exons[number][0] < 3:
        found.add("splice_region_variant")
    if row["cds_start"] is None:
        found.add("non_coding_transcript_exon_variant" if exonic else "non_coding_transcript_variant")
    elif exonic and row["cds_start"] <= place <= row["cds_end"]:
        found.add("coding_sequence_variant")
        coding = [
            at
            for start, end in exons
            for at in range(start, end + 1)
            if row["cds_start"] <= at <= row["cds_end"]
        ]
        in_frame = (coding if forward else coding[::-1])[row["cds_phase"] or 0 :]
        if row["cds_phase"] is not None and place in in_frame[len(in_frame) // 3 * 3 :]:
            found.add("incomplete_terminal_codon_variant")
    elif exonic:
        found.add("5_prime_UTR_variant" if (place < row["cds_start"]) == forward else "3_prime_UTR_variant")
    return mask_of(found), (number + 1 if forward else len(exons) - number) if exonic else 0


def beside_intron(low: int, high: int, *, forward: bool) -> set[str]:
    """The terms of a base so far behind the exon before an intron, and so far before the exon behind it."""
    if low < 1:
        return {"splice_region_variant"} if low > -3 else set()
    donor, acceptor = (low, high) if forward else (high, low)
    conditions = {
        "splice_donor_variant": donor in {1, 2},
        "splice_acceptor_variant": acceptor in {1, 2},
        "intron_variant": low >= 3 and high >= 3,
        "splice_donor_5th_base_variant": donor == 5,
        "splice_donor_region_variant": donor in {3, 4, 6},
        "splice_polypyrimidine_tract_variant": 3 <= acceptor <= 17,
        "splice_region_variant": 3 <= low <= 8 or 3 <= high <= 8,
    }
    found = {name for name, holds in conditions.items() if holds}
    return found - {"splice_region_variant"} if mask_of(found) & SPLICE_SITE else found


def located(models: Transcripts, alleles: list[tuple[int, int, Kind]], *, alone: bool) -> Located:
    start, end = (np.array([allele[at] for allele in alleles], np.int64) for at in (0, 1))
    kind = np.array([allele[2] for allele in alleles], np.uint8)
    return models.locate(start, end, kind, np.full(len(alleles), alone, np.uint8))


@settings(deadline=None)
@given(transcripts(), st.lists(st.integers(900, 12_000) | st.integers(5_990, 6_500), min_size=1, max_size=60))
def test_each_base_has_the_terms_of_the_rules(frame: pl.DataFrame, places: list[int]) -> None:
    found = located(
        Transcripts(frame), [(place, place, Kind.REPLACEMENT) for place in sorted(places)], alone=False
    )
    for place, pairs in zip(sorted(places), rows_of(found), strict=True):
        expected = [
            (number, *located_plainly(place, row)) for number, row in enumerate(frame.rows(named=True))
        ]
        assert pairs == [(at, terms, exon, exon) for at, terms, exon in expected if terms]


ALLELE = st.tuples(
    st.integers(900, 12_000) | st.integers(5_990, 6_500), st.integers(0, 400), st.sampled_from(Kind)
)


@settings(deadline=None)
@given(transcripts(), st.lists(ALLELE, min_size=1, max_size=40))
def test_alleles_that_lie_alike_are_located_as_each_by_itself(
    frame: pl.DataFrame, given_alleles: list[tuple[int, int, Kind]]
) -> None:
    models = Transcripts(frame)
    alleles = sorted(
        (start, start + (1 if kind == Kind.INSERTION else length), kind)
        for start, length, kind in given_alleles
    )
    together, alone = (rows_of(located(models, alleles, alone=each)) for each in (False, True))
    assert together == alone


def rows_of(found: Located) -> list[list[tuple[int, ...]]]:
    """Transcript, terms and exons for each allele."""
    pairs = found.pairs
    columns = zip(
        pairs.transcript.tolist(),
        pairs.mask.tolist(),
        pairs.first_exon.tolist(),
        pairs.last_exon.tolist(),
        strict=True,
    )
    by_span: dict[int, list[tuple[int, ...]]] = {}
    for span, row in zip(pairs.span.tolist(), columns, strict=True):
        by_span.setdefault(span, []).append(row)
    return [by_span.get(span, []) for span in found.span_of.tolist()]

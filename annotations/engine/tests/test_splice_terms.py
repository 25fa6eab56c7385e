"""Which term each base beside an exon has, by the Sequence Ontology's definitions and VEP's precedence.

SO:0001787 5th base of the donor; SO:0002170 its 3rd to 6th base; SO:0002169 3rd to 17th base before an exon;
SO:0001630 1-3 bases into the exon, 3-8 into the intron, unless a donor or acceptor term says more.
"""

import random

import pytest

from annotations.engine.building import BundleRecipe, build_bundle
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.tests.conftest import Annotate

# Introns are 1201-1500 of T1 and 3201-3500 of T2, which reads the other way.
GENES = "".join(
    f"1\tt\tgene\t{at}\t{at + 700}\t.\t{strand}\t.\tID=gene:G{n};biotype=lncRNA\n"
    f"1\tt\tlnc_RNA\t{at}\t{at + 700}\t.\t{strand}\t.\tID=transcript:T{n};Parent=gene:G{n};biotype=lncRNA\n"
    f"1\tt\texon\t{at}\t{at + 199}\t.\t{strand}\t.\tParent=transcript:T{n}\n"
    f"1\tt\texon\t{at + 500}\t{at + 700}\t.\t{strand}\t.\tParent=transcript:T{n}\n"
    for n, at, strand in ((1, 1001, "+"), (2, 3001, "-"))
)
DONOR = "splice_donor_variant"
NEAR_DONOR = "splice_donor_region_variant&intron_variant"
FIFTH = "splice_donor_5th_base_variant&intron_variant"
REGION = "splice_region_variant&intron_variant"
REGION_AND_TRACT = "splice_region_variant&splice_polypyrimidine_tract_variant&intron_variant"
TRACT = "splice_polypyrimidine_tract_variant&intron_variant"
ACCEPTOR = "splice_acceptor_variant"
EXON = "non_coding_transcript_exon_variant"
EDGE_OF_EXON = f"splice_region_variant&{EXON}"
INTRON = "intron_variant"
# Bases into the intron from its donor, and, negative, from its acceptor.
INTO_INTRON = {
    1: DONOR, 2: DONOR, 3: NEAR_DONOR, 4: NEAR_DONOR, 5: FIFTH, 6: NEAR_DONOR, 7: REGION, 8: REGION,
    9: INTRON, -1: ACCEPTOR, -2: ACCEPTOR, -3: REGION_AND_TRACT, -8: REGION_AND_TRACT, -9: TRACT, -17: TRACT,
    -18: INTRON,
}  # fmt: skip
# First and last base deleted, or the two around what is inserted, likewise.
DELETED = {
    (2, 3): f"{DONOR}&{NEAR_DONOR}",
    (3, 6): FIFTH,
    (6, 9): NEAR_DONOR,
    (-20, -17): TRACT,
    (-3, -2): f"{ACCEPTOR}&{TRACT}",
}
INSERTED = {
    (2, 3): REGION,
    (3, 4): NEAR_DONOR,
    (4, 5): NEAR_DONOR,
    (6, 7): REGION,
    (-18, -17): TRACT,
    (-10, -9): TRACT,
}


# Positions in the exons beside the introns: three bases on either side, and then others.
IN_EXONS = {
    "+": dict.fromkeys([1198, 1199, 1200, 1501, 1502, 1503], EDGE_OF_EXON) | {1197: EXON, 1504: EXON},
    "-": dict.fromkeys([3198, 3199, 3200, 3501, 3502, 3503], EDGE_OF_EXON) | {3197: EXON, 3504: EXON},
}


@pytest.fixture(scope="module")
def bases() -> str:
    """No base is like its neighbours, so that no insertion or deletion can be shifted."""
    chance = random.Random(1)  # noqa: S311 - made-up bases, no secret
    text = "A"
    while len(text) < 5_000:
        text += chance.choice([base for base in "ACGT" if base not in text[-4:-3] + text[-1:]])
    return text


@pytest.fixture(scope="module")
def bundle(bases: str, tmp_path_factory: pytest.TempPathFactory) -> ReferenceBundle:
    folder = tmp_path_factory.mktemp("made")
    (folder / "g.fa").write_text(f">1\n{bases}\n")
    (folder / "g.gff3").write_text("##gff-version 3\n" + GENES)
    return build_bundle(BundleRecipe("made", "1", folder / "g.fa", folder / "g.gff3"), folder / "references")


def place(strand: str, into_intron: int) -> int:
    """The position on the contig."""
    if strand == "+":
        return 1200 + into_intron if into_intron > 0 else 1501 + into_intron
    return 3501 - into_intron if into_intron > 0 else 3200 - into_intron


@pytest.mark.parametrize("strand", ["+", "-"])
def test_each_base_beside_an_exon_has_its_terms(
    run: Annotate, bundle: ReferenceBundle, bases: str, strand: str
) -> None:
    expected: dict[tuple[int, str, str], str] = {}
    for into_intron, terms in INTO_INTRON.items():
        at = place(strand, into_intron)
        expected[at, bases[at - 1], "ACGTA"["ACGT".index(bases[at - 1]) + 1]] = terms
    for at, terms in IN_EXONS[strand].items():
        expected[at, bases[at - 1], "ACGTA"["ACGT".index(bases[at - 1]) + 1]] = terms
    for edges, terms in DELETED.items():
        first, last = sorted(place(strand, edge) for edge in edges)
        expected[first - 1, bases[first - 2 : last], bases[first - 2]] = terms
    for edges, terms in INSERTED.items():
        first, last = sorted(place(strand, edge) for edge in edges)
        new = next(base for base in "ACGT" if base not in {bases[first - 1], bases[last - 1]})
        expected[first, bases[first - 1], bases[first - 1] + new] = terms
    lines = "".join(f"1\t{at}\t.\t{ref}\t{alt}\t.\t.\t.\n" for at, ref, alt in sorted(expected))
    result = run("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + lines, bundle)
    found = {}
    for record in result.records:
        csq = record[7].partition("CSQ=")[2].split(",")
        own = [entry.split("|") for entry in csq if f"|T{1 if strand == '+' else 2}|" in entry]
        found[int(record[1]), record[3], record[4]] = own[0][1].removesuffix("&non_coding_transcript_variant")
    assert found == expected

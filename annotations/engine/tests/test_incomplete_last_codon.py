"""Where a coding sequence ends within a codon, what changes there is told as VEP's partial_codon has it."""

import pytest

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.tests.conftest import Annotate
from annotations.engine.tests.sources import EXONS, GENE, TRANSCRIPT, Sources, base, gff_text, other_bases

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
TERM = "incomplete_terminal_codon_variant"
LENGTHS = {0: 349, 1: 350, 2: 351}  # bases of the last codon: where the coding sequence from 151 ends


def bundle_of(sources: Sources, strand: str, *cds: tuple[int, int, int]) -> ReferenceBundle:
    """A gene with exons at 101-200 and 301-400 and stretches of coding sequence: start, end, phase."""
    lines = [line.replace("\t+\t", f"\t{strand}\t") for line in (GENE, TRANSCRIPT, *EXONS)]
    lines += [
        f"1\tx\tCDS\t{start}\t{end}\t.\t{strand}\t{phase}\tID=CDS:P1;Parent=transcript:T1;protein_id=P1"
        for start, end, phase in cds
    ]
    sources.write("genes.gff3", gff_text(lines))
    return sources.build()


def with_term(run: Annotate, bundle: ReferenceBundle, positions: range) -> list[int]:
    """Those of the positions at which a single base has the term."""
    records = "".join(f"1\t{at}\t.\t{base(at)}\t{other_bases(at)[0]}\t.\t.\t.\n" for at in positions)
    result = run(HEADER + records, bundle)
    found = []
    for at in positions:
        [entry] = result.csq(at)
        if TERM in entry["Consequence"]:
            assert "coding_sequence_variant" in entry["Consequence"]
            assert entry["IMPACT"] == "LOW"
            found.append(at)
    return found


@pytest.mark.parametrize(("bases", "end"), LENGTHS.items())
def test_forward_it_is_the_last_bases(run: Annotate, sources: Sources, bases: int, end: int) -> None:
    bundle = bundle_of(sources, "+", (151, 200, 0), (301, end, 1))
    assert with_term(run, bundle, range(end - 5, end + 5)) == list(range(end - bases + 1, end + 1))


@pytest.mark.parametrize("bases", [0, 1, 2])
def test_backward_it_is_the_first_bases(run: Annotate, sources: Sources, bases: int) -> None:
    start = 151 - bases
    bundle = bundle_of(sources, "-", (start, 200, 2), (301, 349, 0))
    assert with_term(run, bundle, range(start - 5, start + 5)) == list(range(start, start + bases))


def test_a_codon_may_lie_on_both_sides_of_an_intron(run: Annotate, sources: Sources) -> None:
    bundle = bundle_of(sources, "+", (151, 200, 1), (301, 301, 1))
    assert with_term(run, bundle, range(195, 310)) == [200, 301]


def test_the_phase_of_the_start_counts(run: Annotate, sources: Sources) -> None:
    bundle = bundle_of(sources, "+", (151, 200, 1), (301, 350, 0))
    assert with_term(run, bundle, range(340, 360)) == []


def test_what_begins_in_the_codon_before_is_not_in_the_last_one(run: Annotate, sources: Sources) -> None:
    bundle = bundle_of(sources, "+", (151, 200, 0), (301, 351, 1))
    bases = "".join(base(at) for at in range(347, 352))
    deletion = f"1\t347\t.\t{bases}\t{bases[0]}\t.\t.\t.\n"
    [entry] = run(HEADER + deletion, bundle).csq(347)
    assert TERM not in entry["Consequence"]

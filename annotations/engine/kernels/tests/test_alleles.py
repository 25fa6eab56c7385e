"""Plain records come apart in the kernel as they do one by one in Python."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.engine import taking_apart
from annotations.engine.alleles import Alleles, Comparison, Reason
from annotations.engine.building import BundleRecipe, build_bundle
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.contig_line import ContigLine
from annotations.engine.genome import Genome
from annotations.engine.kernels.texts import Texts
from annotations.engine.lines import Lines

# Repeats, to shift alleles in; bases that are not known; and ends of contigs, to reach beyond.
ONE = "ACACACACACAGTTTTTTTTTTTTGCA" * 4 + "NNNNNRACG" + "A" * 300 + "CGT"
TWO = "GGGGGGGGGGGTATATATATAC"
GENES = (
    "1\tt\tgene\t5\t20\t.\t+\t.\tID=gene:G;biotype=lncRNA\n"
    "1\tt\tlnc_RNA\t5\t20\t.\t+\t.\tID=transcript:T;Parent=gene:G;biotype=lncRNA\n"
    "1\tt\texon\t5\t20\t.\t+\t.\tParent=transcript:T\n"
)
CONTIGS = {0: ("1", ONE), 2: ("2", TWO)}  # by the plan's number; 1 is one that the reference has not


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> ReferenceBundle:
    folder = tmp_path_factory.mktemp("alleles")
    (folder / "genome.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in CONTIGS.values()))
    (folder / "genes.gff3").write_text(GENES)
    return build_bundle(BundleRecipe("x", "1", folder / "genome.fa", folder / "genes.gff3"), folder / "refs")


@st.composite
def records(draw: st.DrawFn) -> list[tuple[int, int, str, str]]:
    """Records (contig, pos, ref, alt), sorted; most of them with the REF of the reference."""
    found = []
    for number in (0, 1, 2):
        bases = CONTIGS.get(number, ("", "ACGT" * 9))[1]
        for pos in sorted(draw(st.lists(st.integers(1, len(bases) + 1), max_size=8))):
            length = draw(st.integers(1, 6))
            ref = bases[pos - 1 : pos - 1 + length] if draw(st.booleans()) else ""
            ref = ref or draw(st.text("ACGTNacgt", min_size=1, max_size=6))
            near = st.sampled_from([ref[0], ref[:1] + ref, ref[:1] + bases[pos : pos + 3], ref])
            alt = draw(near | st.text("ACGTNacgt", min_size=1, max_size=5) | st.sampled_from(["*", "<DEL>"]))
            if alt.upper() != ref.upper():
                found.append((number, pos, ref, alt))
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(given_records=records())
def test_easy_records_come_apart_as_one_by_one(
    given_records: list[tuple[int, int, str, str]], bundle: ReferenceBundle
) -> None:
    if not given_records:
        return
    line = ContigLine({number: bundle.contigs[at] for at, number in enumerate(CONTIGS)}, 3)
    block = "".join(f"{c}\t{pos}\t.\t{ref}\t{alt}\t.\t.\tEND=9\n" for c, pos, ref, alt in given_records)
    contigs = np.array([contig for contig, *_ in given_records], np.int32)
    counted, plainly = Comparison(), Comparison()
    lines = Lines(block.encode(), len(given_records))
    taken = taking_apart.take_apart(lines, contigs, line, Genome(bundle), counted)
    none = np.zeros(len(given_records), np.bool_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking_apart, "_take_apart_easy", lambda *_: (none, taken.part(0, len(none))))
        one_by_one = taking_apart.take_apart(lines, contigs, line, Genome(bundle), plainly)
    always = ("row", "allele", "contig", "name", "reason", "for_csq")
    assert rows_of(taken, always) == rows_of(one_by_one, always)
    judged = taken.reason == Reason.NONE  # of the others nothing more is looked at
    names = [one.name for one in fields(Alleles)]
    assert rows_of(taken.take(judged), names) == rows_of(one_by_one.take(judged), names)
    assert counted == plainly


def rows_of(alleles: Alleles, names: Sequence[str]) -> list[tuple[object, ...]]:
    columns = (getattr(alleles, name) for name in names)
    return [
        *zip(*(one.strings() if isinstance(one, Texts) else one.tolist() for one in columns), strict=True)
    ]


def test_alleles_that_were_saved_are_the_same(tmp_path: Path) -> None:
    columns: dict[str, Any] = {one.name: np.arange(3, dtype=np.int32) for one in fields(Alleles)}
    columns |= {name: Texts.of_strings([name, None, ""]) for name in ("name", "norm_ref", "norm_alt")}
    alleles = Alleles(**columns)
    alleles.save(tmp_path / "alleles")
    names = [one.name for one in fields(Alleles)]
    assert rows_of(Alleles.load(tmp_path / "alleles"), names) == rows_of(alleles, names)

"""A few typed variants become a VCF on the reference; what can't be is told by line."""

from pathlib import Path
from typing import Any

import pytest

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.tests.sources import Sources, base, other_bases, vcf_text
from annotations.incoming import pasting
from annotations.incoming.pasting import Fault, LinesRefused, vcf_of
from annotations.models import Job
from annotations.storage import object_store

POS = 500
REF, ALT = base(POS), other_bases(POS)[0]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> ReferenceBundle:
    """One contig, `1`, of 2,000 random bases, with two known variants."""
    sources = Sources(tmp_path_factory.mktemp("sources"))
    known = [
        ("1", 600, "rs600", base(600), ",".join(other_bases(600)[:2]), ".", ".", "."),
        ("1", 700, "rs700", base(700), other_bases(700)[0], ".", ".", "."),
    ]
    sources.add_known(vcf_text(known), source="dbsnp")
    return sources.build()


def records(text: str, bundle: ReferenceBundle) -> list[tuple[str, ...]]:
    lines = vcf_of(text, bundle).decode().splitlines()
    return [tuple(line.split("\t")[:5]) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(
    "line",
    [
        f"1-{POS}-{REF}-{ALT}",
        f"chr1:{POS}:{REF}:{ALT}",
        f"1:{POS} {REF}>{ALT}",
        f"1:{POS}{REF}>{ALT}",
        f"1\t{POS}\t{REF}\t{ALT}",
        f" chr1 {POS} {REF.lower()} {ALT.lower()} ",
        f"1\t{POS}\t.\t{REF}\t{ALT}\t50\tPASS\tDP=3\tGT\t0/1",
        f"1:g.{POS}{REF}>{ALT}",
    ],
)
def test_a_variant_can_be_written_in_many_ways(line: str, bundle: ReferenceBundle):
    assert records(line, bundle) == [("1", str(POS), ".", REF, ALT)]


def bases(start: int, end: int) -> str:
    return "".join(base(position) for position in range(start, end + 1))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("500del", (499, bases(499, 500), base(499))),
        ("500_502del", (499, bases(499, 502), base(499))),
        ("1del", (1, bases(1, 2), base(2))),
        ("500_501insACG", (500, base(500), base(500) + "ACG")),
        ("500_502dup", (502, base(502), base(502) + bases(500, 502))),
        ("500_502delinsTTTT", (500, bases(500, 502), "TTTT")),
    ],
)
def test_genomic_hgvs_becomes_what_it_stands_for(
    change: str, expected: tuple[int, str, str], bundle: ReferenceBundle
):
    position, ref, alt = expected
    assert records(f"1:g.{change}", bundle) == [("1", str(position), ".", ref, alt)]


def test_an_rsid_becomes_every_allele_that_the_reference_has_under_it(bundle: ReferenceBundle):
    found = records("rs700\nRS600", bundle)
    assert [(row[1], row[2]) for row in found] == [("600", "rs600"), ("600", "rs600"), ("700", "rs700")]
    assert {row[4] for row in found[:2]} == set(other_bases(600)[:2])


def test_they_are_sorted_and_none_is_there_twice(bundle: ReferenceBundle):
    first, second = f"1-{POS}-{REF}-{ALT}", f"1-{POS - 100}-{base(POS - 100)}-{other_bases(POS - 100)[0]}"
    assert [row[1] for row in records(f"# mine\n\n{first}\n{second}\n{first}", bundle)] == ["400", "500"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hello", "no variant that can be read"),
        ("1-500", "no variant that can be read"),
        ("7-500-A-C", "no contig 7"),
        (f"1-{POS}-{ALT}-{REF}", f"REF is {REF} at 1:500"),
        ("1-0-A-C", "count from 1"),
        ("1-5000-A-C", "2,000 bases"),
        (f"1-{POS}-{REF}-{REF}", "the same"),
        ("rs123", "knows no rs123"),
        ("1:g.500_400del", "first place before its last"),
        ("1:g.500_510insA", "two neighbours"),
        ("1:g.500_510inv", "Inversions"),
        ("1\t500\t.\tA\t<DEL>", "letters A, C, G, T"),
        ("1-500-" + "A" * 1001 + "-C", "1000 bases"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(line: str, told: str, bundle: ReferenceBundle):
    with pytest.raises(LinesRefused) as refused:
        vcf_of(f"1-{POS}-{REF}-{ALT}\n{line}", bundle)
    (fault,) = refused.value.faults
    assert fault.line == 2 and told in fault.message


def test_nothing_and_too_much_are_refused(bundle: ReferenceBundle, monkeypatch: pytest.MonkeyPatch):
    for text in ("", "\n \n", "# only a comment"):
        with pytest.raises(LinesRefused):
            vcf_of(text, bundle)
    monkeypatch.setattr(pasting, "MOST_LINES", 1)
    with pytest.raises(LinesRefused, match="Upload a VCF"):
        vcf_of("rs1\nrs2", bundle)


def test_an_rsid_is_no_way_into_the_database(bundle: ReferenceBundle):
    with pytest.raises(LinesRefused) as refused:
        vcf_of("rs1' OR '1'='1", bundle)
    assert refused.value.faults == [Fault(1, refused.value.faults[0].message)]


@pytest.mark.django_db
def test_the_upload_is_ready_and_can_be_submitted(user: Any, settings: Any, bundle: ReferenceBundle):
    settings.REFERENCES_DIR = bundle.path.parent.parent
    upload = pasting.begin(user, f"1-{POS}-{REF}-{ALT}", "tiny/1", "my variants")
    assert (upload.state, upload.file_name) == ("READY", "my_variants.vcf")
    with object_store().open(upload.key) as file:
        assert file.read().startswith(b"##fileformat=VCFv4.2\n##contig=<ID=1,length=2000>")
    assert not Job.objects.exists() and isinstance(settings.REFERENCES_DIR, Path)

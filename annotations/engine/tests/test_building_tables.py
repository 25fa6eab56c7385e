"""Scores and intervals from TSV, CSV and BED become sources of a bundle."""

import gzip
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from annotations.engine.building import BundleRecipe, KnownInput, build_bundle
from annotations.engine.building.allele_tables import write_table_as_vcf
from annotations.engine.building.intervals import IntervalsInput
from annotations.engine.building.tables import TableLayout, TakenColumn
from annotations.engine.bundle import BundleError, ReferenceBundle
from annotations.engine.tests.sources import Sources, base, other_bases, vcf_text

BED = TableLayout(
    contig=1,
    start=2,
    end=3,
    header=False,
    zero_based=True,
    fields=(TakenColumn(4, "band"), TakenColumn(5, "n", "Integer")),
)
CADD = TableLayout(
    contig="#Chrom", start="Pos", ref="Ref", alt="Alt",
    fields=(TakenColumn("PHRED", "PHRED", "Float", 'Scaled "score"'), TakenColumn("Note", "Note")),
)  # fmt: skip


def _with_intervals(sources: Sources, text: str, layout: TableLayout = BED) -> ReferenceBundle:
    intervals = IntervalsInput(
        "cytoband", (sources.write("bands.bed.gz", gzip.compress(text.encode())),), layout
    )
    return build_bundle(replace(sources.recipe(), intervals=(intervals,)), sources.references)


def _with_scores(sources: Sources, text: str) -> ReferenceBundle:
    table = sources.write("scores.tsv", text)
    vcf = write_table_as_vcf([table], CADD, sources.folder / "cadd.vcf.gz", "1.7")
    recipe: BundleRecipe = replace(sources.recipe(), known=(KnownInput("cadd", vcf, ("PHRED", "Note")),))
    return build_bundle(recipe, sources.references)


def _rows(path: Path | None) -> list[dict[str, object]]:
    assert path is not None
    return pl.read_parquet(path).to_dicts()


def test_a_bed_becomes_intervals_that_count_from_one(sources: Sources) -> None:
    bundle = _with_intervals(
        sources, "track name=x\n# a comment\nchr1\t100\t200\tp2\t5\nchr1\t0\t100\tp1\t.\nun\t0\t9\tz\t1\n"
    )
    (source,) = bundle.interval_sources
    assert [(field.column, field.id, field.type) for field in source.fields] == [
        ("band", "cytoband_band", "String"),
        ("n", "cytoband_n", "Integer"),
    ]
    contig = bundle.contig("1")
    assert contig is not None
    assert _rows(bundle.intervals(source, contig)) == [
        {"start": 1, "end": 100, "band": "p1", "n": None},
        {"start": 101, "end": 200, "band": "p2", "n": 5},
    ]
    assert bundle.verify() == []


def test_lines_may_end_as_windows_ends_them(sources: Sources) -> None:
    layout = replace(BED, fields=(TakenColumn(4, "band"),))
    bundle = _with_intervals(sources, "1\t0\t100\tp1\r\n1\t100\t200\tp2\r\n", layout)
    rows = _rows(bundle.intervals("cytoband", bundle.contigs[0]))
    assert [row["band"] for row in rows] == ["p1", "p2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\t5\t3\ta\t1\n", r"line 1: 1:6-3 \(counted from 1\) is no interval"),
        ("1\t0\t9\ta\t1\n1\t0\t2001\ta\t1\n", r"line 2: .* has 2,000 bases in the FASTA"),
        ("1\t0\t9\ta\t1\n1\tx\t9\ta\t1\n", r"line 2: expected a whole number in column start, found 'x'"),
        ("1\t0\t9\ta\tmany\n", r"line 1: expected a whole number in column n, found 'many'"),
        ("1\t0\t9\n", "has 3 columns in its first line of data, and the recipe takes column 5"),
        ("1\t0\t9\ta\t1\n1\t0\t9\ta\t1\t2\t3\n", "expected 5 columns in every line"),
        ("un\t0\t9\ta\t1\n", "has no interval on the contigs of the FASTA"),
        ("# nothing\n", "has no line of data"),
    ],
)
def test_a_faulty_bed_is_told_by_its_line(sources: Sources, text: str, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        _with_intervals(sources, text)
    assert not (sources.references / "tiny").exists()


def test_a_source_cannot_be_of_intervals_and_of_alleles_at_once(sources: Sources) -> None:
    sources.add_known(vcf_text([]), "cytoband")
    with pytest.raises(BundleError, match="given twice"):
        _with_intervals(sources, "1\t0\t9\ta\t1\n")


def test_a_table_of_scores_becomes_known_alleles_with_typed_fields(sources: Sources) -> None:
    first, second = other_bases(50)[:2]
    header = "## CADD v1.7\n#Chrom\tPos\tRef\tAlt\tRawScore\tPHRED\tNote\n"
    bundle = _with_scores(
        sources,
        header
        + f"1\t50\t{base(50)}\t{first}\t0.1\t12.5\ta,b;c=1 d%\n"
        + f"1\t50\t{base(50)}\t{second}\t0.1\t.\t.\n"
        + f"X\t50\t{base(50)}\t{second}\t0.1\t3\t.\n",
    )
    (source,) = bundle.known_sources
    assert [(one.id, one.number, one.type) for one in source.fields] == [
        ("cadd_PHRED", "A", "Float"),
        ("cadd_Note", "A", "String"),
    ]
    assert (source.version, source.gives_id) == ("1.7", False)
    contig = bundle.contig("1")
    assert contig is not None
    rows = _rows(bundle.known(source, contig))
    assert [(row["pos"], row["alt"], row["cadd_PHRED"]) for row in rows] == [
        (50, first, 12.5),
        (50, second, None),
    ]
    assert rows[0]["cadd_Note"] == "a%2Cb%3Bc%3D1%20d%25"


def test_a_csv_may_name_its_columns_without_a_hash_and_lack_positions(sources: Sources) -> None:
    layout = TableLayout(
        contig="chr", start="grch38_pos", ref="ref", alt="alt", separator=",",
        fields=(TakenColumn("REVEL", "score", "Float"),),
    )  # fmt: skip
    alt = other_bases(7)[0]
    table = sources.write(
        "revel.csv", f"chr,hg19_pos,grch38_pos,ref,alt,REVEL\n1,9,7,{base(7)},{alt},0.5\n1,10,.,A,C,0.1\n"
    )
    vcf = write_table_as_vcf([table], layout, sources.folder / "revel.vcf.gz", None)
    records = [line for line in gzip.decompress(vcf.read_bytes()).decode().splitlines() if line[0] != "#"]
    assert records == [f"1\t7\t.\t{base(7)}\t{alt}\t.\t.\tscore=0.5"]


def test_an_allele_that_is_none_and_a_column_that_is_not_there_are_told(sources: Sources) -> None:
    header = "#Chrom\tPos\tRef\tAlt\tPHRED\tNote\n"
    with pytest.raises(BundleError, match=r"line 2: expected bases in column alt, found '\?'"):
        _with_scores(sources, header + "1\t50\tA\t?\t1\tx\n")
    with pytest.raises(
        BundleError, match=r"has no column 'PHRED'\. Its columns are Chrom, Pos, Ref, Alt, Note"
    ):
        _with_scores(sources, header.replace("PHRED\t", "") + "1\t50\tA\tC\tx\n")


def test_a_source_in_a_file_for_each_chromosome_is_one_source(sources: Sources) -> None:
    more = f">2\n{'ACGT' * 100}\n"
    sources.fasta.write_text(sources.fasta.read_text() + more)
    info = ["ID=AF,Number=A,Type=Float"]
    first = sources.write(
        "chr1.vcf", vcf_text([("1", 7, ".", base(7), other_bases(7)[0], ".", ".", "AF=0.25")], info)
    )
    second = sources.write("chr2.vcf", vcf_text([("2", 1, ".", "A", "C", ".", ".", "AF=0.5")], info))
    known = KnownInput("gnomad", first, ("AF",), further=(second,))
    bundle = build_bundle(replace(sources.recipe(), known=(known,)), sources.references)
    found = [bundle.known("gnomad", contig) for contig in bundle.contigs]
    assert [_rows(path)[0]["gnomad_AF"] for path in found] == [0.25, 0.5]
    with pytest.raises(BundleError, match=r"chr1\.vcf, line 4: .*1 comes a second time"):
        build_bundle(
            replace(sources.recipe("twice"), known=(replace(known, further=(first,)),)), sources.references
        )


def test_aliases_and_downloads_of_the_recipe_stand_in_the_bundle(sources: Sources) -> None:
    recipe = replace(
        sources.recipe(), aliases={"1": "NC_000001.11"}, downloads=({"url": "https://example.org/x"},)
    )
    bundle = build_bundle(recipe, sources.references)
    assert bundle.contig("NC_000001.11") == bundle.contig("1")
    assert '"url": "https://example.org/x"' in (bundle.path / "manifest.json").read_text()

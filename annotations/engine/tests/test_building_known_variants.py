import re
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from annotations.engine.building import BundleRecipe, KnownInput, alleles, build_bundle, known
from annotations.engine.bundle import BundleError, KnownField, ReferenceBundle
from annotations.engine.tests.sources import BASES, Sources, base, fasta_text, other_bases, vcf_text

AF = "ID=AF,Number=A,Type=Float"
NOTE = "ID=NOTE,Number=.,Type=String"


def _rows(bundle: ReferenceBundle, source: str = "known", contig: str = "1") -> list[dict[str, Any]]:
    found = bundle.contig(contig)
    assert found is not None
    path = bundle.known(source, found)
    assert path is not None
    return pl.read_parquet(path).to_dicts()


def _snv(pos: int, identity: str = ".", info: str = ".", contig: str = "1") -> tuple[object, ...]:
    return contig, pos, identity, base(pos), other_bases(pos)[0], ".", ".", info


def test_each_allele_of_a_record_is_a_row_with_its_own_values(sources: Sources) -> None:
    first, second, _ = other_bases(100)
    info = ("AF=0.25,1e-9;AD=70,20,10;COUNT=7;NOTE=a|b%2C,c;COMMON;PAIR=1,2", ".")
    declared = (
        AF,
        "ID=AD,Number=R,Type=Integer",
        "ID=COUNT,Number=1,Type=Integer",
        NOTE,
        "ID=COMMON,Number=0,Type=Flag",
        "ID=PAIR,Number=2,Type=Integer",
    )
    records = [("1", 100, "rs1;rs2", base(100), f"{first},{second}", ".", ".", info[0]), _snv(200)]
    sources.add_known(vcf_text(records, declared))
    shared = {"known_COUNT": 7, "known_NOTE": "a|b%2C,c", "known_COMMON": True, "known_PAIR": "1,2"}
    ids = {"pos": 100, "ref": base(100), "id": "rs1;rs2"}
    missing = dict.fromkeys(("known_AF", "known_AD", "known_COUNT", "known_NOTE", "known_PAIR"))
    bundle = sources.build()
    assert _rows(bundle) == [
        {**ids, "alt": first, "known_AF": 0.25, "known_AD": 20, **shared},
        {**ids, "alt": second, "known_AF": 1e-9, "known_AD": 10, **shared},
        {
            "pos": 200,
            "ref": base(200),
            "alt": other_bases(200)[0],
            "id": None,
            **missing,
            "known_COMMON": False,
        },
    ]
    (source,) = bundle.known_sources
    assert source.fields[:2] == (
        KnownField("known_AF", "A", "Float", "what it says"),
        KnownField("known_AD", "A", "Integer", "what it says"),
    )


def test_indels_are_left_aligned_and_parsimonious(sources: Sources) -> None:
    bases = BASES[:500] + "GCAAAAAATG" + BASES[510:]
    sources.write("genome.fa", fasta_text(bases=bases))
    records = [("1", 506, ".", "AAAT", "AAT", ".", ".", "."), ("1", 508, ".", "A", "AA", ".", ".", ".")]
    sources.add_known(vcf_text(records))
    assert [(row["pos"], row["ref"], row["alt"]) for row in _rows(sources.build())] == [
        (502, "C", "CA"),
        (502, "CA", "C"),
    ]


def test_rows_are_sorted_by_position_after_left_alignment(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion that moves past the record before it, in another batch even."""
    monkeypatch.setattr(known, "BATCH_BYTES", 1)
    bases = BASES[:500] + "GC" + "A" * 60 + "TG" + BASES[564:]
    sources.write("genome.fa", fasta_text(bases=bases))
    records = [("1", 530, "first", "A", "T", ".", ".", "."), ("1", 560, "second", "AA", "A", ".", ".", ".")]
    sources.add_known(vcf_text(records))
    assert [(row["pos"], row["id"]) for row in _rows(sources.build())] == [(502, "second"), (530, "first")]


def test_sequences_alone_are_taken_not_symbols_nor_missing_alleles(sources: Sources) -> None:
    records = [
        ("1", 100 + at, f"rs{at}", base(100 + at), alt, ".", ".", ".")
        for at, alt in enumerate(["<DEL>", "*", "."])
    ]
    sources.add_known(vcf_text([*records, _snv(150, "rs9")]))
    assert [row["id"] for row in _rows(sources.build())] == ["rs9"]


def test_contigs_are_known_by_any_of_their_names(sources: Sources) -> None:
    sources.write("genome.fa", fasta_text() + fasta_text("MT"))
    sources.add_known(vcf_text([_snv(100, contig="chr1"), _snv(100, contig="chrM"), _snv(100, contig="GL1")]))
    reports: list[str] = []
    bundle = build_bundle(sources.recipe(), sources.references, reports.append)
    assert len(_rows(bundle, contig="1")) == len(_rows(bundle, contig="MT")) == 1
    assert "known: known: left out, on contigs that the FASTA does not have: GL1 (1)" in reports


def test_only_the_wanted_fields_are_taken(sources: Sources) -> None:
    # G's count of values is wrong, which is no matter where it is not taken.
    text = vcf_text([_snv(100, info="G=1;AF=0.5;NOTE=x")], (AF, NOTE, "ID=G,Number=G,Type=Float"))
    sources.add_known(text, fields=("AF",))
    assert set(_rows(sources.build())[0]) == {"pos", "ref", "alt", "id", "known_AF"}


def test_sources_with_rs_numbers_give_the_ids(sources: Sources) -> None:
    sources.add_known(vcf_text([_snv(100, "rs1"), _snv(110, "rs2"), _snv(120)]), "dbsnp")
    sources.add_known(vcf_text([_snv(100, "17"), _snv(110, "18")]), "clinvar")
    assert {source.name: source.gives_id for source in sources.build().known_sources} == {
        "dbsnp": True,
        "clinvar": False,
    }


def test_the_operator_says_which_source_gives_the_ids(sources: Sources) -> None:
    sources.add_known(vcf_text([_snv(100, "rs1")]), "dbsnp")
    sources.add_known(vcf_text([_snv(100, "17")]), "clinvar")
    recipe = BundleRecipe(
        "tiny", "1", sources.fasta, sources.gff, tuple(sources.known), id_sources=frozenset({"clinvar"})
    )
    bundle = build_bundle(recipe, sources.references)
    assert [source.gives_id for source in bundle.known_sources] == [False, True]


def test_rows_stand_in_small_groups_with_statistics_so_that_a_few_are_found_quickly(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alleles, "ROW_GROUP_ROWS", 2048)
    bases = BASES * 3
    sources.write("genome.fa", fasta_text(bases=bases))
    records = [
        ("1", pos, f"rs{pos}", bases[pos - 1], "A" if bases[pos - 1] != "A" else "C", ".", ".", ".")
        for pos in range(1, 5001)
    ]
    sources.add_known(vcf_text(records))
    bundle = sources.build()
    with duckdb.connect() as database:
        groups = database.execute(
            "SELECT stats_min_value, stats_max_value FROM parquet_metadata($path) "
            "WHERE path_in_schema = 'pos' ORDER BY row_group_id",
            {"path": str(bundle.known("known", bundle.contigs[0]))},
        ).fetchall()
    assert groups == [("1", "2048"), ("2049", "4096"), ("4097", "5000")]


def test_no_contig_is_lost_between_batches(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "BATCH_BYTES", 300)
    sources.write("genome.fa", "".join(fasta_text(name) for name in ("1", "2", "3")))
    records = [_snv(pos, f"rs{pos}", contig=contig) for contig in "123" for pos in range(100, 150)]
    sources.add_known(vcf_text(records))
    bundle = sources.build()
    for contig in "123":
        assert [row["pos"] for row in _rows(bundle, contig=contig)] == list(range(100, 150))


def test_chromosome_21_has_its_known_variants(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "grch38_chr21"
    recipe = BundleRecipe(
        "GRCh38",
        "84",
        folder / "GRCh38.chr21.slice_masked.fa.gz",
        folder / "Ensembl.GRCh38.chr21.gff3.gz",
        (KnownInput("dbsnp", folder / "known.chr21.vcf.gz", ("AFR_AF", "CLNSIG")),),
    )
    bundle = build_bundle(recipe, tmp_path)
    rows = _rows(bundle, "dbsnp", "21")
    assert len(rows) == 119_932
    assert len({row["id"] for row in rows}) == 115_490
    assert rows[0] == {
        "pos": 25_000_001,
        "ref": "C",
        "alt": "T",
        "id": "rs574523538",
        "dbsnp_AFR_AF": 0.0,
        "dbsnp_CLNSIG": None,
    }
    assert bundle.known_sources[0].gives_id


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hello\n", "is a file that starts with 'hello'. Expected a VCF"),
        ("##gff-version 3\n", "is a GFF3. Expected a VCF"),
        ("##fileformat=VCFv4.2\n", "has no #CHROM line"),
        (vcf_text([("1", 5, "rs1", "A", "C")]), "line 3: expected eight columns with tabs between them"),
        (vcf_text([("1", "five", "rs1", "A", "C", ".", ".", ".")]), "a whole number for POS"),
        (vcf_text([_snv(200), _snv(100)]), "line 4: the file is not sorted (1:100 comes after 1:200)"),
        (
            vcf_text([_snv(200, contig="7")]),
            "has no variant on the contigs of the FASTA (1); its contigs are 7",
        ),
        (
            vcf_text([("1", 2001, ".", "A", "C", ".", ".", ".")]),
            "line 3: 1:2,001 with a REF of 1 bases is outside",
        ),
        (vcf_text([_snv(5, info="AF=low")], (AF,)), "is declared Float, and its value at 1:5 is 'low'"),
        (
            vcf_text([_snv(5, info="N=9999999999")], ("ID=N,Number=1,Type=Integer",)),
            "its value at 1:5 is '9999999999'",
        ),
        (
            vcf_text([_snv(5)], ("ID=AF,Number=A,Type=Double",)),
            "declares INFO field AF with Number=A and Type=Double",
        ),
        (vcf_text([_snv(5)], (AF, AF.replace("AF", "af"))), "differ in upper and lower case alone: AF, af"),
    ],
)
def test_a_wrong_vcf_is_refused_with_what_is_wrong(sources: Sources, content: str, message: str) -> None:
    sources.add_known(content)
    with pytest.raises(BundleError, match=re.escape(message)):
        sources.build()


def test_contigs_in_pieces_are_not_sorted(sources: Sources) -> None:
    sources.write("genome.fa", fasta_text() + fasta_text("2"))
    sources.add_known(vcf_text([_snv(100), _snv(100, contig="2"), _snv(200)]))
    with pytest.raises(BundleError, match=r"not sorted \(1 comes a second time\)"):
        sources.build()


def test_a_field_that_is_not_declared_is_named_with_those_that_are(sources: Sources) -> None:
    sources.add_known(vcf_text([_snv(100)], (AF, NOTE)), fields=("AF", "CLNSIG"))
    with pytest.raises(BundleError, match=r"declares no INFO field CLNSIG\. It declares: AF, NOTE"):
        sources.build()


def _with_wrong_refs(count: int) -> str:
    """A hundred records, of which `count` have a REF that the genome does not have there."""
    records = []
    for at in range(100):
        pos = 10 + 15 * at
        ref, alt = (other_bases(pos)[0], base(pos)) if at < count else (base(pos), other_bases(pos)[0])
        records.append(("1", pos, f"rs{at}", ref, alt, ".", ".", "."))
    return vcf_text(records)


def test_a_vcf_whose_refs_disagree_looks_like_another_build(sources: Sources) -> None:
    sources.add_known(_with_wrong_refs(6))
    message = r"looks like another build: 6 of 100 REF alleles that were sampled differ from the FASTA \(1:"
    with pytest.raises(BundleError, match=message):
        sources.build()


def test_a_few_disagreeing_refs_are_counted_and_tolerated(sources: Sources) -> None:
    sources.add_known(_with_wrong_refs(5))
    reports: list[str] = []
    build_bundle(sources.recipe(), sources.references, reports.append)
    assert "known: known: 100 alleles; 5 of 100 sampled REF alleles differ from the FASTA" in reports


def test_variants_on_unknown_bases_are_kept(sources: Sources) -> None:
    """A masked genome says nothing about the build, nor which variants are real."""
    sources.write("genome.fa", fasta_text(bases=BASES[:1000] + "N" * 1000))
    sources.add_known(vcf_text([_snv(500), _snv(1500)]))
    assert [row["pos"] for row in _rows(sources.build())] == [500, 1500]


def test_single_bases_are_not_sent_through_bcftools(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    run = known.run_bcftools

    def reading(arguments: list[str], scratch: Path) -> None:
        sent.extend(line for line in Path(arguments[-1]).read_text().splitlines() if line[0] != "#")
        run(arguments, scratch)

    monkeypatch.setattr(known, "run_bcftools", reading)
    two = ",".join(other_bases(300)[:2])
    indel = ("1", 200, "rs2", base(200), base(200) + "A", ".", ".", ".")
    lower = ("1", 400, "rs4", base(400).lower(), other_bases(400)[0].lower(), ".", ".", ".")
    records = [_snv(100, "rs1"), indel, ("1", 300, "rs3", base(300), two, ".", ".", "."), lower]
    sources.add_known(vcf_text(records))
    rows = _rows(sources.build())
    assert [line.split("\t")[2] for line in sent] == ["rs2", "rs3", "rs4"]
    assert [row["id"] for row in rows] == ["rs1", "rs2", "rs3", "rs3", "rs4"]

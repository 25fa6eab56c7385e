"""What users get back: the annotated VCF, its index, the table and the count log."""

import json
import random
from pathlib import Path

import polars as pl
import pysam
import pytest

from annotations.engine.building import BundleRecipe, KnownInput, build_bundle
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.errors import UnusableInput
from annotations.engine.tests.conftest import Annotate

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
HEADER = f"##fileformat=VCFv4.2\n{COLUMNS}\n"
GENE = """\
1\tt\tgene\t1001\t2000\t.\t+\t.\tID=gene:G1;Name=ONE;biotype=protein_coding
1\tt\tmRNA\t1001\t2000\t.\t+\t.\tID=transcript:T1;Parent=gene:G1;biotype=protein_coding;tag=basic
1\tt\texon\t1001\t1200\t.\t+\t.\tParent=transcript:T1
1\tt\tCDS\t1101\t1200\t.\t+\t0\tID=CDS:P1;Parent=transcript:T1;protein_id=P1
1\tt\texon\t1701\t2000\t.\t+\t.\tParent=transcript:T1
1\tt\tCDS\t1701\t1900\t.\t+\t2\tID=CDS:P1;Parent=transcript:T1;protein_id=P1
1\tt\tncRNA_gene\t12001\t12400\t.\t-\t.\tID=gene:G2;Name=TWO;biotype=lncRNA
1\tt\tlnc_RNA\t12001\t12400\t.\t-\t.\tID=transcript:T2;Parent=gene:G2;biotype=lncRNA
1\tt\texon\t12001\t12100\t.\t-\t.\tParent=transcript:T2
1\tt\texon\t12301\t12400\t.\t-\t.\tParent=transcript:T2
"""
LENGTH = 40_000


@pytest.fixture(scope="module")
def bases() -> str:
    chance = random.Random(1)  # noqa: S311 - made-up bases, no secret
    text = [chance.choice("ACGT") for _ in range(LENGTH)]
    text[1100:1106] = "ATGGCC"
    text[29_999:30_010] = "GCACACACACT"
    return "".join(text)


@pytest.fixture(scope="module")
def bundle(bases: str, tmp_path_factory: pytest.TempPathFactory) -> ReferenceBundle:
    folder = tmp_path_factory.mktemp("made")
    (folder / "g.fa").write_text(f">1\n{bases}\n")
    (folder / "g.gff3").write_text("##gff-version 3\n" + GENE)
    known = [
        f"1\t1500\trs1\t{bases[1499]}\t{other(bases[1499])}\t.\t.\tAF=0.25",
        "1\t30000\trs2\tGCA\tG\t.\t.\tAF=0.5",
    ]
    (folder / "k.vcf").write_text(
        f'##fileformat=VCFv4.2\n##INFO=<ID=AF,Number=A,Type=Float,Description="f">\n{COLUMNS}\n'
        + "\n".join(known)
        + "\n"
    )
    recipe = BundleRecipe(
        "made", "1", folder / "g.fa", folder / "g.gff3", (KnownInput("dbsnp", folder / "k.vcf"),)
    )
    return build_bundle(recipe, folder / "references")


def other(base: str) -> str:
    return {"A": "C", "C": "G", "G": "T", "T": "A"}[base]


def snv(bases: str, position: int, contig: str = "1") -> str:
    base = bases[position - 1]
    return f"{contig}\t{position}\t.\t{base}\t{other(base)}\t.\t.\t.\n"


@pytest.mark.parametrize(
    ("position", "consequence", "impact"),
    [
        (500, "upstream_gene_variant", "MODIFIER"),
        (1050, "5_prime_UTR_variant", "MODIFIER"),
        (1101, "start_lost", "HIGH"),
        (1201, "splice_donor_variant", "HIGH"),
        (1205, "splice_donor_5th_base_variant&intron_variant", "LOW"),
        (1500, "intron_variant", "MODIFIER"),
        (1699, "splice_acceptor_variant", "HIGH"),
        (1950, "3_prime_UTR_variant", "MODIFIER"),
        (2500, "downstream_gene_variant", "MODIFIER"),
        (12050, "non_coding_transcript_exon_variant", "MODIFIER"),
        (12099, "splice_region_variant&non_coding_transcript_exon_variant", "LOW"),
        (12200, "intron_variant&non_coding_transcript_variant", "MODIFIER"),
        (12299, "splice_donor_variant&non_coding_transcript_variant", "HIGH"),
        (25000, "intergenic_variant", "MODIFIER"),
    ],
)
def test_each_place_in_a_gene_has_its_term(  # noqa: PLR0913, PLR0917
    run: Annotate, bundle: ReferenceBundle, bases: str, position: int, consequence: str, impact: str
) -> None:
    first = run(HEADER + snv(bases, position), bundle).csq(position)[0]
    assert (first["Consequence"], first["IMPACT"]) == (consequence, impact)


def test_a_missense_variant_names_the_protein_change(run: Annotate, bundle: ReferenceBundle) -> None:
    entry = run(HEADER + "1\t1105\t.\tC\tA\t.\t.\t.\n", bundle).csq(1105)[0]
    assert entry["HGVSp"] == "P1:p.(Ala2Asp)"
    assert (entry["Amino_acids"], entry["EXON"], entry["STRAND"]) == ("A/D", "1/2", "1")


@pytest.mark.parametrize(
    ("position", "transcript", "hgvsc"),
    [
        (1050, "T1", "T1:c.-51"),
        (1208, "T1", "T1:c.100+8"),
        (1209, "T1", ""),
        (1692, "T1", ""),
        (1693, "T1", "T1:c.101-8"),
        (1950, "T1", "T1:c.*50"),
        (2500, "T1", ""),
        (12_300, "T2", "T2:n.100+1"),
        (12_293, "T2", "T2:n.100+8"),
    ],
)
def test_alleles_are_described_in_exons_and_eight_bases_into_introns(  # noqa: PLR0913, PLR0917
    run: Annotate, bundle: ReferenceBundle, bases: str, position: int, transcript: str, hgvsc: str
) -> None:
    entries = {entry["Feature"]: entry for entry in run(HEADER + snv(bases, position), bundle).csq(position)}
    described = entries[transcript]["HGVSc"]
    assert described.rstrip("ACGT").removesuffix(">").rstrip("ACGT") == hgvsc


def test_neighbours_in_one_exon_are_each_described_by_themselves(
    run: Annotate, bundle: ReferenceBundle, bases: str
) -> None:
    result = run(HEADER + snv(bases, 1050) + snv(bases, 1051) + snv(bases, 1052), bundle)
    found = [result.csq(position)[0]["HGVSc"] for position in (1050, 1051, 1052)]
    assert [text.split(":")[1][:5] for text in found] == ["c.-51", "c.-50", "c.-49"]


def test_a_codon_at_an_exons_edge_is_one_entry_with_both_terms(
    run: Annotate, bundle: ReferenceBundle, bases: str
) -> None:
    entries = [
        entry for entry in run(HEADER + snv(bases, 1702), bundle).csq(1702) if entry["Feature"] == "T1"
    ]
    assert len(entries) == 1
    assert entries[0]["Consequence"] == "stop_gained&splice_region_variant"
    assert entries[0]["HGVSp"].endswith("Ter)")


def test_an_equals_sign_is_escaped_in_the_vcf_and_stands_in_the_table(
    run: Annotate, bundle: ReferenceBundle
) -> None:
    result = run(HEADER + "1\t1106\t.\tC\tT\t.\t.\t.\n", bundle)
    assert "|P1:p.(Ala2%3D)|" in result.records[0][7]
    assert result.csq(1106)[0]["HGVSp"] == "P1:p.(Ala2=)"
    table = pl.read_parquet(result.summary.files["table"])
    assert table.select("hgvsc", "hgvsp", "amino_acids").row(0) == ("T1:c.6C>T", "P1:p.(Ala2=)", "A")


def test_terms_and_protein_agree_however_a_deletion_is_written(
    run: Annotate, bundle: ReferenceBundle, bases: str
) -> None:
    repeat = bases[1100:1106]  # ATGGCC: one G of two
    left = f"1\t1102\t.\t{repeat[1]}G\t{repeat[1]}\t.\t.\t.\n"
    right = "1\t1103\t.\tGG\tG\t.\t.\t.\n"
    first = run(HEADER + left, bundle).csq(1102)[0]
    second = run(HEADER + right, bundle).csq(1103)[0]
    assert (first["Consequence"], first["HGVSc"], first["HGVSp"]) == (
        second["Consequence"],
        second["HGVSc"],
        second["HGVSp"],
    )
    assert first["HGVSc"] == "T1:c.4del"


def test_a_known_variant_gets_its_id_and_fields(run: Annotate, bundle: ReferenceBundle, bases: str) -> None:
    record = run(HEADER + snv(bases, 1500), bundle).records[0]
    assert record[2] == "rs1"
    assert "dbsnp_AF=0.25;" in record[7]


def test_a_known_deletion_is_found_however_it_is_written(run: Annotate, bundle: ReferenceBundle) -> None:
    assert run(HEADER + "1\t30006\t.\tACA\tA\t.\t.\t.\n", bundle).records[0][2] == "rs2"


def test_the_users_own_id_stays_in_front(run: Annotate, bundle: ReferenceBundle, bases: str) -> None:
    mine = snv(bases, 1500).replace("\t.\t", "\tmine;rs7\t", 1)
    assert run(HEADER + mine, bundle).records[0][2] == "mine;rs7;rs1"


def test_alleles_of_one_record_are_told_apart(run: Annotate, bundle: ReferenceBundle, bases: str) -> None:
    base = bases[1499]
    alts = [one for one in "ACGT" if one != base]
    record = run(HEADER + f"1\t1500\t.\t{base}\t{','.join(alts)}\t.\t.\t.\n", bundle).records[0]
    values = ",".join("0.25" if alt == other(base) else "." for alt in alts)
    assert f"dbsnp_AF={values};" in record[7]
    assert [entry.split("|")[0] for entry in record[7].split("CSQ=")[1].split(",")] == alts


def test_nothing_of_the_users_columns_is_changed(run: Annotate, bundle: ReferenceBundle, bases: str) -> None:
    text = (
        "##fileformat=VCFv4.2\n##odd=line, as it came\n"
        f"{COLUMNS}\tFORMAT\tA\tB\n"
        f"1\t500\tx\t{bases[499]}\t{other(bases[499])}\t1e-3\tq10;s50\tDP=007;ODD\tGT:XX\t0/1:é\t./.\n"
        f"1\t900\t.\t{bases[899]}\t<DEL>\t.\tPASS\tEND=40000;SVTYPE=DEL\tGT\t0/1\t0|0\n"
        "1\t1500\t.\tN\t<NON_REF>\t.\t.\tEND=1600\tGT\t0/0\t.\n"
        f"1\t2600\t.\t{bases[2599]}\t*,{bases[2599]}T\t50.0\t.\t.\tGT\t1/2\t.\n"
        f"1\t2700\tbnd\t{bases[2699]}\t{bases[2699]}]1:99]\t.\t.\tSVTYPE=BND\tGT\t0/1\t.\n"
        "chrUn\t5\t.\tA\tG\t.\t.\t.\tGT\t1/1\t.\n"
    )
    result = run(text, bundle)
    given = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    for before, after in zip(given, result.records, strict=True):
        assert [*before[:2], *before[3:7], *before[8:]] == [*after[:2], *after[3:7], *after[8:]]
        assert before[7] == "." or after[7].startswith(before[7])
    assert "##odd=line, as it came" in result.header
    assert "reference block" in result.log
    assert "breakend" in result.log
    assert "contig that the reference does not have" in result.log


def test_a_record_with_a_wrong_ref_is_kept_and_told_of(
    run: Annotate, bundle: ReferenceBundle, bases: str
) -> None:
    wrong = f"1\t1500\t.\t{other(bases[1499])}\t{bases[1499]}\t.\t.\t.\n"
    result = run(HEADER + wrong, bundle)
    assert result.records[0][7] == "."
    assert "REF differs from the reference: 1" in result.log


def test_a_file_of_another_build_is_refused(run: Annotate, bundle: ReferenceBundle, bases: str) -> None:
    shifted = "".join(snv(bases[1:], position) for position in range(100, 4000, 30))
    with pytest.raises(UnusableInput, match="another build"):
        run(HEADER + shifted, bundle)


def test_fields_called_like_ours_are_kept_under_another_name(
    run: Annotate, bundle: ReferenceBundle, bases: str
) -> None:
    declared = '##INFO=<ID=CSQ,Number=.,Type=String,Description="by another tool">\n'
    record = snv(bases, 1500).replace("\t.\n", "\tDP=1;CSQ=old|text\n")
    result = run(f"##fileformat=VCFv4.2\n{declared}{COLUMNS}\n{record}", bundle)
    assert result.records[0][7].startswith("DP=1;CSQ_input=old|text;")
    assert any(line.startswith("##INFO=<ID=CSQ_input,") for line in result.header)
    assert "renamed: CSQ to CSQ_input" in result.log


def test_unsorted_records_are_sorted_and_told_of(run: Annotate, bundle: ReferenceBundle, bases: str) -> None:
    result = run(HEADER + snv(bases, 1500) + snv(bases, 500) + snv(bases, 900), bundle)
    assert [record[1] for record in result.records] == ["500", "900", "1500"]
    assert "were not sorted" in result.log


def test_windows_line_ends_a_mark_and_another_name_are_no_hindrance(
    run: Annotate, bundle: ReferenceBundle, bases: str
) -> None:
    text = "\ufeff" + (HEADER + snv(bases, 1500, "chr1")).replace("\n", "\r\n")
    result = run(text, bundle)
    assert result.records[0][:3] == ["chr1", "1500", "rs1"]
    assert f"##contig=<ID=chr1,length={LENGTH}>" in result.header
    assert "byte order mark" in result.log


def test_many_cores_and_one_give_the_same(
    bundle: ReferenceBundle, bases: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotations.engine import plan
    from annotations.engine.annotate import annotate
    from annotations.engine.check import container

    monkeypatch.setattr(plan, "SMALL_SHARD_RECORDS", 10)
    monkeypatch.setattr(container, "BLOCK_BYTES", 2_000)
    source = tmp_path / "in.vcf"
    source.write_text(HEADER + "".join(snv(bases, position) for position in range(100, 31_000, 50)))
    one = annotate(source, bundle, tmp_path / "one", cores=1)
    two = annotate(source, bundle, tmp_path / "two", cores=2)
    texts = []
    for summary in (one, two):
        with pysam.BGZFile(summary.files["vcf"], "r", None) as file:
            texts.append(file.read())
    assert texts[0] == texts[1]
    assert pl.read_parquet(one.files["table"]).equals(pl.read_parquet(two.files["table"]))
    assert Path(one.files["log"]).read_text() == Path(two.files["log"]).read_text()


def test_the_index_finds_records(run: Annotate, bundle: ReferenceBundle, bases: str) -> None:
    result = run(HEADER + snv(bases, 500) + snv(bases, 1500), bundle)
    with pysam.TabixFile(str(result.vcf)) as index:
        assert [line.split("\t")[1] for line in index.fetch("1", 1000, 2000)] == ["1500"]


def test_the_table_has_a_row_for_every_allele_with_its_genotypes(
    run: Annotate, bundle: ReferenceBundle, bases: str
) -> None:
    base = bases[1499]
    alts = other(base), other(other(base))
    line = f"1\t1500\t.\t{base}\t{','.join(alts)}\t30\tPASS\tDP=9\tGT:DP:GQ\t1|2:7:50\t2/2:.:9.5\t.\n"
    result = run(f"##fileformat=VCFv4.2\n{COLUMNS}\tFORMAT\tA\tB\tC\n{line}", bundle)
    table = pl.read_parquet(result.summary.files["table"])
    assert table["alt"].to_list() == list(alts)
    assert table["alt_dosage"].to_list() == [[1, 0, None], [1, 2, None]]
    assert table["gt"].to_list() == [["1|2", "2/2", "."]] * 2
    assert table["zygosity"].to_list() == ["ho.", "hH."]
    assert table["allele"].to_list() == [1, 2] and table["alleles"].to_list() == [2, 2]
    assert table["dp"].to_list()[0] == [7, None, None]
    assert table["dbsnp"].to_list() == [True, False]
    assert table["consequence"].to_list() == ["intron_variant"] * 2
    metadata = pl.read_parquet_metadata(result.summary.files["table"])
    assert json.loads(metadata["gas_samples"]) == ["A", "B", "C"]


def test_alleles_that_are_left_out_have_rows_of_their_own(
    run: Annotate, bundle: ReferenceBundle, bases: str
) -> None:
    base = bases[1499]
    both = f"1\t1500\tmine\t{base}\t<NON_REF>,{other(base)}\t1e2\tq10;LOW\t.\n"
    result = run(HEADER + both + snv(bases, 700, "unplaced"), bundle)
    table = pl.read_parquet(result.summary.files["table"])
    assert table["contig"].to_list() == ["1", "1", None]
    assert table["chrom"].to_list() == ["1", "1", "unplaced"]
    assert table["record"].to_list() == [1, 1, 2] and table["alleles"].to_list() == [2, 2, 1]
    assert table["consequence"].to_list() == [None, "intron_variant", None]
    assert (
        table["csq"].is_null().to_list()
        == table["unannotated"].is_not_null().to_list()
        == [True, False, True]
    )
    assert table["known_ids"].to_list() == [None, ["rs1"], None]
    assert table["id"].to_list() == ["mine;rs1", "mine;rs1", None]
    assert table["qual"].to_list() == [100.0, 100.0, None]
    assert table["filter"].to_list() == ["q10;LOW", "q10;LOW", None]


def test_undeclared_ids_are_declared_in_the_order_of_their_use(
    run: Annotate, bundle: ReferenceBundle, bases: str
) -> None:
    used = [("PASS", "B;A=1", "GT:Z"), ("low;deep", "A;.", "GT:Y:DP"), ("low", "C=2=3;DP=4;B", "GT")]
    lines = [
        snv(bases, 500 + number).replace("\t.\t.\n", f"\t{filters}\t{info}\t{keys}\t0/1\n")
        for number, (filters, info, keys) in enumerate(used)
    ]
    result = run(f"##fileformat=VCFv4.2\n{COLUMNS}\tFORMAT\tS\n{''.join(lines)}", bundle)
    declared = [line.split(",Description")[0] for line in result.header if "Not declared" in line]
    assert declared == [
        "##INFO=<ID=B,Number=0,Type=Flag",
        "##INFO=<ID=A,Number=.,Type=String",
        "##INFO=<ID=C,Number=.,Type=String",
        "##INFO=<ID=DP,Number=1,Type=Integer",
        "##FORMAT=<ID=GT,Number=1,Type=String",
        "##FORMAT=<ID=Z,Number=.,Type=String",
        "##FORMAT=<ID=Y,Number=.,Type=String",
        "##FORMAT=<ID=DP,Number=1,Type=Integer",
        "##FILTER=<ID=low",
        "##FILTER=<ID=deep",
    ]


def test_bcftools_reads_the_result(run: Annotate, bundle: ReferenceBundle, bases: str) -> None:
    record = snv(bases, 1500).replace("\t.\t.\t.\n", "\t.\tq7\tXX=1;YY\n")
    result = run(HEADER + record, bundle)
    with pysam.VariantFile(str(result.vcf)) as file:
        read = next(iter(file))
    assert read.id == "rs1"
    assert read.info["XX"] == ("1",)
    assert list(read.filter) == ["q7"]

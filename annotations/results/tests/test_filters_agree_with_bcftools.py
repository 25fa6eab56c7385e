"""What a filter counts is what bcftools counts in the annotated VCF."""

from pathlib import Path
from typing import Any

import pysam.bcftools
import pytest
from django.http import QueryDict

from annotations.results.filters import ResultFilter
from annotations.results.rows import Counted, Slice, count, page_of_rows
from annotations.results.tables import ResultTable, open_table
from annotations.results.tests.conftest import VCF_HEADER


def found(table: ResultTable, **parameters: str) -> Counted:
    return count(table, ResultFilter.parse({name: [value] for name, value in parameters.items()}))


def bcftools(vcf: Path, *arguments: str) -> int:
    """Records that `bcftools view` lets through."""
    return len(str(pysam.bcftools.view("-H", *arguments, str(vcf))).splitlines())


def records_with(vcf: Path, meets: Any) -> int:
    """Records with an allele of whose CSQ entries, as lists, `meets` is true."""
    said = str(pysam.bcftools.query("-f", "%INFO/CSQ\n", str(vcf))).splitlines()
    matching = 0
    for line in said:
        by_allele: dict[str, list[list[str]]] = {}
        for entry in line.split(","):
            fields = entry.split("|")
            by_allele.setdefault(fields[0], []).append(fields)
        matching += any(meets(entries) for entries in by_allele.values())
    return matching


@pytest.fixture(scope="module")
def by_allele(demo_files: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's records with one ALT each, as `bcftools norm` divides them."""
    path = tmp_path_factory.mktemp("norm") / "demo.vcf"
    path.write_text(str(pysam.bcftools.norm("-m-any", str(demo_files["vcf"]))))
    return path


pytestmark = pytest.mark.django_db


def test_all_rows_are_all_alleles_of_all_records(demo_table: ResultTable, demo_files: Any, by_allele: Path):
    everything = Counted(bcftools(by_allele), bcftools(demo_files["vcf"]))
    assert count(demo_table, ResultFilter()) == everything == Counted(497, 449)
    assert found(demo_table, region="1 2 MT X") == everything


@pytest.mark.parametrize(
    ("parameters", "expression"),
    [
        ({"min_quality": "500"}, "QUAL>=500"),
        ({"filter": "LowQual"}, 'FILTER="LowQual"'),
        ({"filter": "PASS"}, 'FILTER="PASS"'),
        ({"filter": "."}, 'FILTER="."'),
        ({"known": "known"}, "INFO/dbsnp_VC!='.' || INFO/clinvar_CLNSIG!='.'"),
        ({"known": "novel"}, "INFO/dbsnp_VC='.' && INFO/clinvar_CLNSIG='.'"),
        ({"max_frequency": "0.05"}, "INFO/dbsnp_AF<=0.05 || INFO/dbsnp_AF='.'"),
        ({"min_frequency": "0.05", "max_frequency": "0.2"}, "INFO/dbsnp_AF>=0.05 && INFO/dbsnp_AF<=0.2"),
        ({"frequency_in": "dbsnp_AF", "min_frequency": "0.05"}, "INFO/dbsnp_AF>=0.05"),
        ({"significance": "pathogenic"}, 'INFO/clinvar_CLNSIG~"^Pathogenic"'),
        ({"significance": "likely_pathogenic"}, 'INFO/clinvar_CLNSIG~"Likely_pathogenic"'),
        ({"significance": "benign uncertain"}, 'INFO/clinvar_CLNSIG~"^Benign\\|Uncert"'),
        ({"significance": "conflicting"}, 'INFO/clinvar_CLNSIG~"Conflicting"'),
        ({"genotype": "het:CHILD"}, 'GT[0]="het"'),
        ({"genotype": "hom:CHILD"}, 'GT[0]="AA" || GT[0]="A"'),
        ({"genotype": "carrier:MOTHER"}, 'GT[2]="alt"'),
        ({"child": "FATHER", "mother": "MOTHER", "father": "CHILD"},
         'GT[1]="alt" && (GT[0]="RR" || GT[0]="R") && (GT[2]="RR" || GT[2]="R")'),
        ({"genotype": "het:CHILD", "min_quality": "300", "known": "known"},
         "GT[0]='het' && QUAL>=300 && (INFO/dbsnp_VC!='.' || INFO/clinvar_CLNSIG!='.')"),
    ],
)  # fmt: skip
def test_each_filter_finds_the_alleles_that_bcftools_finds(
    demo_table: ResultTable, by_allele: Path, parameters: dict[str, str], expression: str
):
    expected = bcftools(by_allele, "-i", expression)
    assert found(demo_table, **parameters).rows == expected
    if parameters != {"filter": "."}:
        assert expected > 0


def test_a_contig_with_colons_in_its_name_is_meant_as_a_whole(user: Any, publish: Any, small_result: Any):
    names = ["HLA-A*01:01:01:01", "HLA-A*01:01:01"]
    lines = ["1\t9201\t.\tA\tG\t9\tPASS\t.\n"]  # the reference has this one
    lines += [f"{name}\t{place}\t.\tA\tG\t9\tPASS\t.\n" for name in names for place in (1, 300)]
    declared = "".join(f"##contig=<ID={name}>\n" for name in ("1", *names))
    header = VCF_HEADER.replace("#CHROM", f"{declared}#CHROM")
    table = open_table(publish(user, small_result(f"{header}\tINFO\n{''.join(lines)}", "hla")))
    for text, rows in [(names[0], 2), (names[1], 2), (f"{names[0]}:1-20", 1), (f"{names[1]}:300", 1)]:
        wanted = ResultFilter.parse({"region": [text]})
        assert count(table, wanted).rows == rows, text
        assert ResultFilter.parse(QueryDict(wanted.query())) == wanted


@pytest.mark.parametrize("region", ["1:10000-60000", "chr2", "MT:1-3000", "1:9201"])
def test_a_region_finds_what_overlaps_it(demo_table: ResultTable, demo_files: Any, region: str):
    expected = bcftools(demo_files["vcf"], "-r", region.removeprefix("chr"))
    assert found(demo_table, region=region).records == expected > 0


def test_reference_genotypes_are_of_samples_without_any_other_allele(
    demo_table: ResultTable, demo_files: Any
):
    expected = bcftools(demo_files["vcf"], "-i", 'GT[1]="RR" || GT[1]="R"')
    assert found(demo_table, genotype="ref:FATHER").records == expected > 0


@pytest.mark.parametrize("gene", ["DEMO1", "DEMOG00000000002", "demo1", "DEMO1-AS1"])
def test_a_gene_is_found_by_symbol_and_by_id(demo_table: ResultTable, demo_files: Any, gene: str):
    wanted = gene.upper()
    expected = records_with(demo_files["vcf"], lambda entries: any(wanted in e[3:5] for e in entries))
    assert found(demo_table, gene=gene).records == expected > 0


@pytest.mark.parametrize("term", ["missense_variant", "intron_variant", "stop_gained"])
def test_a_consequence_is_the_most_severe_of_an_allele(demo_table: ResultTable, demo_files: Any, term: str):
    # entries and their terms stand in the order of severity
    expected = records_with(demo_files["vcf"], lambda entries: entries[0][1].split("&")[0] == term)
    assert found(demo_table, consequence=term).records == expected > 0


@pytest.mark.parametrize("impact", ["HIGH", "MODERATE", "LOW", "MODIFIER"])
def test_an_impact_is_the_gravest_of_an_allele(demo_table: ResultTable, demo_files: Any, impact: str):
    expected = records_with(demo_files["vcf"], lambda entries: entries[0][2] == impact)
    assert found(demo_table, impact=impact).records == expected > 0


@pytest.mark.parametrize("text", ["rs9000000113", "RS9000000113"])
def test_a_variant_is_found_by_its_id(demo_table: ResultTable, text: str):
    (row,) = page_of_rows(demo_table, ResultFilter.parse({"id": [text], "known": ["known"]}), Slice())
    assert row.values["known_ids"] == ["rs9000000113"]


def test_a_star_in_an_id_stands_for_anything(demo_table: ResultTable, demo_files: Any):
    expected = bcftools(demo_files["vcf"], "-i", 'ID~"rs90000001"')
    assert found(demo_table, id="rs90000001*").records == expected > 0
    assert found(demo_table, id="rs900000011_").rows == found(demo_table, id="rs9*%*").rows == 0


def test_counts_on_real_data_are_those_of_bcftools(chr21_table: ResultTable, chr21_files: Any):
    vcf = chr21_files["vcf"]
    european = {"frequency_in": "dbsnp_EUR_AF"}
    cases: list[tuple[dict[str, str], str]] = [
        ({"genotype": "het:NA12878"}, 'GT="het"'),
        ({"known": "known"}, 'ID!="."'),
        (
            {"min_frequency": "0.001", "max_frequency": "0.05", **european},
            "INFO/dbsnp_EUR_AF>=0.001 && INFO/dbsnp_EUR_AF<=0.05",
        ),
        ({"min_frequency": "0.3", **european}, "INFO/dbsnp_EUR_AF>=0.3"),
        ({"filter": "PASS"}, 'FILTER="PASS"'),
        ({"genotype": "missing:NA12878"}, 'GT="mis"'),
    ]
    for parameters, expression in cases:
        assert found(chr21_table, **parameters).records == bcftools(vcf, "-i", expression) > 0, parameters
    inside = bcftools(vcf, "-r", "chr21:25,000,000-26,000,000".replace(",", ""))
    assert found(chr21_table, region="21:25,000,000-26,000,000").records == inside > 1000

"""Header lines: what is refused, what is mended, what is noted."""

from collections.abc import Callable

import pytest

from annotations.engine.check.report import Report
from annotations.engine.check.tests.samples import GOOD, HEADER_LINES, record, vcf
from annotations.engine.check.upload import UploadCheck

Check = Callable[..., Report]
AT = len(HEADER_LINES) + 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("##Some random text", "bad-meta"),
        ("#a comment", "bad-meta"),
        ("free text", "bad-meta"),
        ("##=x", "bad-meta"),
        ("##assembly=", "bad-meta"),
        ("##pedigreeDB=<>", "bad-meta"),
        ('##ALT=<ID=THIS:ONE,Description="">', "bad-id"),
        ('##FORMAT=<ID=PS,Number=1,Type=Float,Description="">', "reserved-key"),
        ('##FORMAT=<ID=HQ,Number=2,Type=Float,Description="">', "reserved-key"),
        ('##INFO=<ID=X,Number=1,Type=Float,Description="open>', "bad-quotes"),
        ('##INFO=<ID=X,Number=1,Type=Float,Description="a "quoted" word">', "bad-quotes"),
        ('##INFO=<ID=X,Number=1,Type=Float,Description="no bracket"', "bad-declaration"),
        ("##INFO=<ID=X,Number=1,Type=Float,Description=bare>", "bad-quotes"),
        ('##INFO=<Number=1,Type=Float,Description="no id">', "no-id"),
        ('##INFO=<ID=X Y,Number=1,Type=Float,Description="">', "bad-id"),
        ('##INFO=<ID=X,Number=N,Type=Float,Description="">', "bad-number"),
        ('##INFO=<ID=X,Number=1,Type=Int,Description="">', "bad-type"),
        ('##FORMAT=<ID=X,Number=0,Type=Flag,Description="">', "bad-type"),
        ('##INFO=<ID=X,Type=Float,Description="">', "bad-declaration"),
        ('##INFO=<ID=END,Number=1,Type=String,Description="">', "reserved-key"),
        ('##FILTER=<ID=0,Description="">', "bad-id"),
        ('##ALT=<ID=DEL:A B,Description="">', "bad-id"),
        ("##contig=<length=5>", "no-id"),
        ("##contig=<ID=7,length=five>", "bad-length"),
        ("##contig=<ID=7,A,length=5>", "bad-declaration"),
        ("##contig=7", "bad-declaration"),
        ("##PEDIGREE=<Name_0=a b>", "bad-declaration"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number(check: Check, line: str, code: str) -> None:
    report = check(vcf(record(), header=(*HEADER_LINES, line)))
    assert [(problem.code, problem.line) for problem in report.problems] == [(code, AT)]


@pytest.mark.parametrize(
    "line",
    [
        "##reference=file:///data/hs37d5.fa",
        "##source=a tool, with = signs and <brackets",
        '##GATKCommandLine=<ID=x,CommandLine="a=b,c">',
        "##Odd=<no fields",
        '##INFO=<ID=X,Number=.,Type=String,Description="a \\"quoted\\" word, 5 > 4",Source="s",Version="3">',
        '##ALT=<ID=NON_REF,Description="any">',
        '##FORMAT=<ID=GQ,Number=1,Type=Float,Description="as FreeBayes has it">',
        '##INFO=<ID=AC,Number=.,Type=Integer,Description="as older files have it">',
    ],
)
def test_what_programs_write_passes(check: Check, line: str) -> None:
    assert check(vcf(record(), header=(*HEADER_LINES, line))).problems == []


@pytest.mark.parametrize("first", ["##fileformat=", "##fileformat=VCF v4.1", "##fileformat=VCFv5.0"])
def test_a_version_that_is_none_is_refused(check: Check, first: str) -> None:
    report = check(vcf(record(), header=(first, *HEADER_LINES[1:])))
    assert [(problem.code, problem.line) for problem in report.problems] == [("bad-fileformat", 1)]


def test_a_missing_fileformat_line_is_noted(check: Check) -> None:
    report = check(vcf(record(), header=HEADER_LINES[1:]))
    assert [note.code for note in report.notes] == ["no-fileformat"]
    assert report.usable


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("\tPOS\t", "\tPOSITION\t", "bad-columns"),
        ("#CHROM\tPOS", "POS\t#CHROM", "no-header"),
        ("\tS1\tS2", "\tS1\tS1", "duplicate-column"),
        ("\tS1\tS2", "\t\tS2", "no-sample-name"),
        (
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
            "#CHROM POS ID REF ALT QUAL FILTER INFO",
            "spaces-for-tabs",
        ),
    ],
)
def test_a_wrong_line_of_columns_is_refused(check: Check, old: str, new: str, code: str) -> None:
    text = vcf(record()).replace(old, new)
    if code == "spaces-for-tabs":
        text = text.replace("\tFORMAT\tS1\tS2", " FORMAT S1 S2")
    report = check(text)
    assert (report.problems[0].code, report.problems[0].line) == (code, AT)


def test_a_format_column_without_samples_is_refused(check: Check) -> None:
    report = check(vcf().replace("\tS1\tS2", ""))
    assert [problem.code for problem in report.problems] == ["no-samples"]


def test_a_file_that_ends_before_its_columns_is_refused(check: Check) -> None:
    report = check("##fileformat=VCFv4.2\n##source=x\n")
    assert [(problem.code, problem.line) for problem in report.problems] == [("no-columns", 2)]


def test_a_header_alone_is_a_vcf(check: Check) -> None:
    report = check(vcf())
    assert report.usable
    assert [note.code for note in report.notes] == ["no-records"]


def test_contig_names_with_colons_are_taken_where_they_are_declared(check: Check) -> None:
    hla = "HLA-A*01:01:01:01"
    assert not check(vcf(record(CHROM=hla))).usable
    assert check(vcf(record(CHROM=hla), header=(*HEADER_LINES, f"##contig=<ID={hla}>"))).usable


def test_a_version_3_file_is_rewritten_as_version_4(tmp_path: object, check: Check) -> None:
    header = (
        "##fileformat=VCFv3.3",
        '##INFO=DP,1,Integer,"Total Depth"',
        '##INFO=AL,-1,String,"Any, number"',
        '##FILTER=q10,"Quality below 10"',
    )
    text = vcf(
        "\t".join((GOOD | {"FILTER": "0", "QUAL": "-1", "INFO": "DP=3;AL=a,b"}).values()), header=header
    )
    report = check(text)
    assert report.usable
    assert {"old-version", "old-declaration"} <= {note.code for note in report.notes}
    path = tmp_path / "upload"  # type: ignore[operator]
    upload = UploadCheck(path, tmp_path)  # type: ignore[arg-type]
    (block,) = upload.blocks()
    assert upload.header.meta[0] == "##fileformat=VCFv4.2"
    assert upload.header.meta[1] == '##INFO=<ID=DP,Number=1,Type=Integer,Description="Total Depth">'
    assert upload.header.meta[2] == '##INFO=<ID=AL,Number=.,Type=String,Description="Any, number">'
    assert block.lines[0].split("\t")[5:7] == [".", "PASS"]
    assert block.lines.text.decode() == block.lines[0] + "\n"

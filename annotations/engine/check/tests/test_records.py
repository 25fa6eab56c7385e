"""Record lines: what is refused, with its line and column, and what passes."""

from collections.abc import Callable

import pytest

from annotations.engine.check import screen, upload
from annotations.engine.check.report import Report
from annotations.engine.check.tests.samples import GOOD, HEADER_LINES, record, vcf

Check = Callable[..., Report]
FIRST_RECORD = len(HEADER_LINES) + 2


@pytest.mark.parametrize(
    ("changed", "column", "found"),
    [
        ({"CHROM": "chr 1"}, "CHROM", "'chr 1'"),
        ({"CHROM": "chr:1"}, "CHROM", "'chr:1'"),
        ({"POS": "12,345"}, "POS", "'12,345'"),
        ({"POS": "-1"}, "POS", "'-1'"),
        ({"POS": "248956424"}, "POS", "248,956,424"),
        ({"POS": "99999999999999999999"}, "POS", "99999999999999999999"),
        ({"ID": ";rs1"}, "ID", "';rs1'"),
        ({"REF": "."}, "REF", "'.'"),
        ({"REF": "R"}, "REF", "'R'"),
        ({"REF": ""}, "REF", "''"),
        ({"ALT": "-"}, "ALT", "'-'"),
        ({"ALT": "A,,T"}, "ALT", "'A,,T'"),
        ({"ALT": "[1:100["}, "ALT", "'[1:100['"),
        ({"ALT": "A[1:100]"}, "ALT", "'A[1:100]'"),
        ({"QUAL": "high"}, "QUAL", "'high'"),
        ({"QUAL": "-3"}, "QUAL", "'-3'"),
        ({"FILTER": "0"}, "FILTER", "'0'"),
        ({"FILTER": "PASS;"}, "FILTER", "'PASS;'"),
        ({"INFO": "DP=ten"}, "INFO/DP", "'ten'"),
        ({"INFO": "DP=-1"}, "INFO/DP", "'-1'"),
        ({"INFO": "DP"}, "INFO/DP", "''"),
        ({"INFO": "AF=0.1,0.2"}, "INFO/AF", "'0.1,0.2'"),
        ({"INFO": "DB=2"}, "INFO/DB", "'2'"),
        ({"INFO": "A B=2"}, "INFO", "'A B=2'"),
        ({"INFO": ""}, "INFO", "''"),
        ({"INFO": "DP=1\r"}, "INFO/DP", "'1\\r'"),
        ({"FORMAT": "AD:GT:PL"}, "FORMAT", "'AD:GT:PL'"),
        ({"FORMAT": "GT::PL"}, "FORMAT", "'GT::PL'"),
        ({"FORMAT": "GT:GT:PL"}, "FORMAT", "'GT:GT:PL'"),
        ({"S1": "0/2:5,5:90,0,90"}, "FORMAT/GT", "'0/2'"),
        ({"S1": "0//1:5,5:90,0,90"}, "FORMAT/GT", "'0//1'"),
        ({"S1": "0/1:5:90,0,90"}, "FORMAT/AD", "'5'"),
        ({"S2": "0/1:5,5:90,0"}, "FORMAT/PL", "'90,0'"),
        ({"S2": "1:5,5:90,0,90"}, "FORMAT/PL", "'90,0,90'"),
        ({"S2": "0/1:5,5:90,0,90:7"}, "FORMAT", "'0/1:5,5:90,0,90:7'"),
        ({"S2": ""}, "FORMAT/GT", "''"),
        ({"FORMAT": ".", "S1": "0/1", "S2": "."}, "FORMAT", "'0/1'"),
    ],
)
def test_a_fault_is_refused_with_its_line_its_column_and_what_was_found(
    check: Check, changed: dict[str, str], column: str, found: str
) -> None:
    report = check(vcf(record(), record(POS="1001"), record(**changed)))
    assert not report.usable
    assert [(problem.line, problem.column) for problem in report.problems] == [(FIRST_RECORD + 2, column)]
    assert found in report.problems[0].message


@pytest.mark.parametrize(
    "changed",
    [
        {"CHROM": "<1>"},
        {"POS": "0"},
        {"POS": "248956423"},
        {"ID": "rs1;rs2"},
        {"REF": "acgtn"},
        {"ALT": "*"},
        {"ALT": "<DEL>"},
        {"ALT": "<INS:ME:ALU>"},
        {"ALT": "<NON_REF>", "INFO": "END=1100"},
        {"ALT": "G]17:198982]"},
        {"ALT": "]13:123456]T"},
        {"ALT": "G[<ctg1>:7["},
        {"ALT": ".TGCA"},
        {"ALT": "G."},
        {"ALT": ".", "INFO": "AF=."},
        {"QUAL": "."},
        {"QUAL": "1e-5"},
        {"QUAL": "Inf"},
        {"FILTER": "."},
        {"FILTER": "q10;s50"},
        {"INFO": "."},
        {"INFO": "DB;DP=."},
        {"INFO": "DP=1;"},
        {"INFO": "AF=nan;NOTE=a,b=c, d é"},
        {"INFO": "MINE=1;OTHER"},
        {"S1": "0/1"},
        {"S1": "."},
        {"S1": "./.:.:."},
        {"S1": "./.:0:0"},
        {"S1": "0:5,5:90,0"},
        {"S1": "0/0/1:5,5:1,2,3,4"},
        {"S1": "0/0/1/1/1/1:5,5:1"},
        {"S1": "0|.:5,5:1,2,3"},
        {"FORMAT": "AD", "S1": "1,2", "S2": "."},
        {"FORMAT": "GT:XX", "S1": "0/1:any thing", "S2": "1/1"},
        {"ALT": "G,T", "INFO": "AF=0.1,0.2", "S1": "1/2:1,2,3:1,2,3,4,5,6", "S2": "0/2"},
        {"ALT": ",".join(["<DEL>"] * 30), "INFO": "DP=1", "S1": "12/30", "S2": "."},
    ],
)
def test_what_the_specification_permits_passes(check: Check, changed: dict[str, str]) -> None:
    report = check(vcf(record(**changed)))
    assert [str(problem) for problem in report.problems] == []
    assert report.records == 1


def test_a_line_with_too_few_or_too_many_columns_is_refused(check: Check) -> None:
    report = check(vcf(record() + "\textra", record().rpartition("\t")[0]))
    assert [(p.code, p.line, p.count) for p in report.problems] == [("wrong-field-count", FIRST_RECORD, 2)]
    assert "expected 11 columns" in report.problems[0].message
    assert "found 12" in report.problems[0].message


def test_spaces_for_tabs_are_told_as_such(check: Check) -> None:
    report = check(vcf(record(), record().replace("\t", " ")))
    assert [(p.code, p.line) for p in report.problems] == [("spaces-for-tabs", FIRST_RECORD + 1)]


def test_a_header_line_among_the_records_is_refused(check: Check) -> None:
    report = check(vcf(record(), "##contig=<ID=2>"))
    assert [(p.code, p.line) for p in report.problems] == [("header-among-records", FIRST_RECORD + 1)]


def test_equal_faults_are_one_problem_with_their_count(check: Check) -> None:
    faulty = [record(POS="x"), record(QUAL="x")]
    report = check(vcf(*(faulty * 200)))
    assert [(p.column, p.line, p.count) for p in report.problems] == [
        ("POS", FIRST_RECORD, 200),
        ("QUAL", FIRST_RECORD + 1, 200),
    ]
    assert report.problem_count == 400


def test_at_most_a_hundred_kinds_of_problem_are_kept_and_all_counted(check: Check) -> None:
    header = (*HEADER_LINES, *(f'##INFO=<ID=K{n},Number=1,Type=Integer,Description="">' for n in range(150)))
    report = check(vcf(*(record(INFO=f"K{n}=x") for n in range(150)), header=header))
    assert len(report.problems) == 100
    assert report.problem_count == 150


def test_control_characters_in_a_message_are_escaped_and_long_values_shortened(check: Check) -> None:
    report = check(vcf(record(REF="A\x1b[31m" + "Z" * 5000)))
    assert "\x1b" not in str(report.problems[0])
    assert "\\x1b" in str(report.problems[0])
    assert len(str(report.problems[0])) < 400


def test_undeclared_names_are_noted_once_with_the_line_that_they_came_on(check: Check) -> None:
    report = check(vcf(record(), record(INFO="MINE=3;MINE2"), record(INFO="MINE=x", FILTER="low")))
    assert report.usable
    assert [(note.column, note.line) for note in report.notes] == [
        ("INFO/MINE", FIRST_RECORD + 1),
        ("INFO/MINE2", FIRST_RECORD + 1),
        ("FILTER", FIRST_RECORD + 2),
    ]


def test_undeclared_reserved_keys_are_held_to_the_specification(check: Check) -> None:
    assert not check(vcf(record(INFO="AC=-1"))).usable
    assert check(vcf(record(INFO="AC=1"))).usable


def test_unsorted_and_scattered_records_are_noted(check: Check) -> None:
    other = record(CHROM="2")
    report = check(vcf(record(POS="5"), record(POS="4"), other, record(POS="9"), header=HEADER_LINES[:1]))
    assert report.usable
    unsorted = next(note for note in report.notes if note.code == "unsorted")
    assert (unsorted.line, unsorted.count) == (4, 2)


def test_blank_lines_are_left_out_and_line_numbers_stay_right(check: Check) -> None:
    report = check(vcf(record(), "", record(POS="x"), ""))
    assert [note.code for note in report.notes] == ["blank-line"]
    assert [(p.line, p.column) for p in report.problems] == [(FIRST_RECORD + 2, "POS")]


def test_a_file_without_samples_needs_no_format_column(check: Check) -> None:
    sites = "\t".join(list(GOOD.values())[:8])
    assert check(vcf(sites, samples=())).usable
    assert not check(vcf(sites + "\tGT", samples=())).usable


def test_a_fault_in_the_fixed_columns_is_found_however_many_unusual_lines_come_before(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "MOST_LEARNED", dict.fromkeys(screen.MOST_LEARNED, 2))
    monkeypatch.setattr(upload, "EXPLAINED_LINES", 10)
    unusual = [record(INFO=f"K{number}=1") for number in range(50)]
    good = check(vcf(*unusual))
    assert (good.usable, good.unchecked_lines) == (True, 38)
    assert "unchecked" in [note.code for note in good.notes]
    bad = check(vcf(*unusual, record(POS="x")))
    assert [(p.code, p.line) for p in bad.problems] == [("bad-pos", FIRST_RECORD + 50)]


def test_more_declarations_than_a_pattern_can_hold_leave_the_fixed_columns_checked(check: Check) -> None:
    names = [f"F{number}" for number in range(20)]
    header = (*HEADER_LINES, *(f'##FORMAT=<ID={name},Number=G,Type=Float,Description="">' for name in names))
    alleles = {"ALT": "C,G,T,<DEL>", "INFO": ".", "S1": "0/1", "S2": "0/1"}
    formats = (":".join(["GT", *names[n:], *names[:n]]) for n in range(20))
    records = [record(FORMAT=text, **alleles) for text in formats]
    assert check(vcf(*records, header=header)).usable
    report = check(vcf(*records, record(POS="x"), header=header))
    assert [problem.code for problem in report.problems] == ["bad-pos"]
    assert "unchecked-values" in [note.code for note in report.notes]

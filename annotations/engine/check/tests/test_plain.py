"""What the kernel finds plain matches the pattern, and ordinary lines it does find plain."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotations.engine.check.header import parse_header
from annotations.engine.check.limits import Limits
from annotations.engine.check.patterns import Promises
from annotations.engine.check.plain import PlainLines
from annotations.engine.check.report import Report
from annotations.engine.check.tests.samples import FIXED, GOOD, HEADER_LINES, record
from annotations.engine.check.text import RecordLines

DECLARED = (
    *HEADER_LINES,
    *(
        f'##INFO=<ID={name},Number={number},Type={kind},Description="">'
        for name, number, kind in [
            ("END", "1", "Integer"),
            ("AC", "A", "Integer"),
            ("AA", "1", "String"),
            ("MANY", ".", "Integer"),
            ("TWO", "2", "Float"),
            ("LETTER", "1", "Character"),
            ("CIGAR", "A", "String"),
            ("EACH", "R", "Float"),
            ("LONG", "25", "Integer"),
        ]
    ),
    *(
        f'##FORMAT=<ID={name},Number={number},Type={kind},Description="">'
        for name, number, kind in [
            ("DP", "1", "Integer"),
            ("GQ", "1", "Float"),
            ("FT", "1", "String"),
            ("ANY", ".", "Integer"),
            ("LETTER", "1", "Character"),
            ("GP", "G", "Float"),
        ]
    ),
)
FORMATS = ("GT", "GT:DP", "GT:AD:PL", "DP:PL", "GT:FT:GQ", "PL:GP:AD", "GT:GP:LETTER:ANY", "FT")
LINE_BYTES = 300

number = st.sampled_from(
    ["0", "1", "+5", "-3", "07", "1.5", ".5", "5.", "1e5", "1E-7", "2e", ".", "-.5", "nan", "Inf", "x", ""]
)
numbers = st.lists(number, min_size=1, max_size=4).map(",".join)
word = st.text("ACGTNacgtn.*<>:;,=| é\r\x01\x7f09", max_size=6)
alleles = st.sampled_from(["A", "g", "NN", "*", "<DEL>", "<CN:1>", "<a b>", ".", "A.", "]1:5]A", "<>", "R"])
item = st.one_of(
    st.builds("{}={}".format, st.sampled_from(["DP", "AF", "AC", "MANY", "TWO", "EACH", "END"]), numbers),
    st.sampled_from(
        ["DB", "DB=1", "DB=2", "NOTE", "NOTE=a b", "NOTE=", "AA=A,C", "AA=x", "X=1", "LETTER=c", "CIGAR=5M1X"]
    ),
    st.builds("CIGAR={}".format, st.text("35MIX.,", max_size=6)),
    st.builds("LONG={}".format, st.integers(1, 30).map(lambda count: ",".join("1" * count))),
    word,
)
genotype = st.builds(
    lambda alleles, between: between.join(alleles),
    st.lists(st.sampled_from([".", "0", "1", "2", "10", "01", "12", ""]), min_size=1, max_size=6),
    st.sampled_from("/|"),
)
sample = st.lists(st.one_of(genotype, numbers, word), min_size=1, max_size=5).map(":".join)
line = st.builds(
    lambda *columns: "\t".join([*columns[:-1], *columns[-1]]),
    st.one_of(st.just("1"), word),
    st.sampled_from(["1", "0", "1234567890", "12345678901", "", "-1", "x"]),
    st.one_of(st.just("."), word),
    st.one_of(st.text("ACGTNacgtn", min_size=1, max_size=3), word),
    st.one_of(st.lists(alleles, min_size=1, max_size=12).map(",".join), st.just("C")),
    number,
    st.sampled_from(["PASS", ".", "q10", "PASS;q10", "q11", "", "q10;"]),
    st.one_of(st.lists(item, min_size=1, max_size=4).map(";".join), st.just("."), st.just("DP=1;")),
    st.lists(st.sampled_from(FORMATS), min_size=1, max_size=1).flatmap(
        lambda text: st.lists(sample, min_size=1, max_size=3).map(lambda samples: text + samples)
    ),
)


def promises(samples: int) -> Promises:
    columns = [*FIXED, *(["FORMAT", *(f"S{at}" for at in range(samples))] if samples else [])]
    report = Report()
    found = Promises(parse_header([*DECLARED, "\t".join(columns)], Limits(), report))
    assert report.usable
    if samples:
        found.learn("FORMATS", FORMATS)
    return found


PROMISES = promises(2)
PLAIN = PlainLines(PROMISES, 11, LINE_BYTES)


def is_plain(text: str, plain: PlainLines = PLAIN) -> bool:
    return not plain.others(RecordLines(text.encode() + b"\n"))


def fits(text: str) -> bool:
    alt = text.split("\t")[4]
    pattern = PROMISES.line(0 if alt == "." else alt.count(",") + 1)
    return bool(re.fullmatch(pattern, text)) and text.count("\t") == 10 and len(text.encode()) <= LINE_BYTES


@settings(deadline=None, max_examples=400)
@given(line)
@example(record(INFO="LONG=" + ",".join("1" * 24)))
def test_plain_lines_match_the_pattern(text: str) -> None:
    assert fits(text) or not is_plain(text)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(GOOD)), st.one_of(word, numbers, item, sample, alleles))
def test_with_one_column_changed_a_line_is_plain_only_where_it_matches(column: str, value: str) -> None:
    text = record(**{column: value})
    assert fits(text) or not is_plain(text)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"CHROM": "HLA-A*01", "ID": "rs1;rs2", "QUAL": "1.5e3", "FILTER": "q10;PASS"},
        {"ID": ".", "QUAL": ".", "FILTER": ".", "INFO": ".", "S2": "."},
        {"ALT": "<DEL>", "INFO": "END=2000;NOTE=a b=c,d;DB;AA=x;CIGAR=1X3M;LETTER=c;"},
        {
            "ALT": "C,GT,*",
            "INFO": "AF=0.1,.5,1e-3;AC=.;EACH=1,2,3,4;TWO=1,-2",
            "S1": "2/3:1,2,3,4",
            "S2": ".",
        },
        {"ALT": ".", "INFO": "AF=1,2,3", "S1": "0/0:1:1,2", "S2": "0"},
        {"S1": "1:1,2:0,9", "S2": "./1:1,2,3:."},
        {"FORMAT": "GT:GP:LETTER:ANY", "S1": "0|1:.1,.2,.7:x:1,2,3", "S2": "0/1/1/0/1:1:.:5"},
        {"FORMAT": "PL:GP:AD", "S1": "1,2:.1,.9:1,1", "S2": "1,2,3"},
        {"FORMAT": "GT:FT:GQ", "S1": "0/1:free text:99.5", "S2": "1|1:é"},
        {"INFO": "LONG=" + ",".join("1" * 30)},
    ],
)
def test_ordinary_lines_are_plain(changed: dict[str, str]) -> None:
    text = record(**changed)
    assert fits(text)
    assert is_plain(text)


@pytest.mark.parametrize(
    "changed",
    [
        {"POS": "x"},
        {"REF": "R"},
        {"FILTER": "q11"},
        {"INFO": "DP=1,2"},
        {"INFO": "AF=0.1,0.2"},
        {"INFO": "NEW=1"},
        {"FORMAT": "GT:GQ"},
        {"S1": "0/2:5,5:90,0,90"},
        {"S1": "0/1:5:90,0,90"},
        {"S1": "0/1:5,5:90,0"},
        {"S1": "0/1:5,5:90,0,90:1"},
        {"S2": "0/1\t0/1"},
        {"INFO": "NOTE=" + "x" * LINE_BYTES},
        {"FORMAT": "PL:GP:AD", "S1": "1,2:.1,.2,.7"},
    ],
)
def test_others_are_not(changed: dict[str, str]) -> None:
    assert not fits(record(**changed))
    assert not is_plain(record(**changed))


def test_lines_without_samples_have_no_more_columns() -> None:
    plain = PlainLines(promises(0), len(FIXED), LINE_BYTES)
    sites = "\t".join(list(GOOD.values())[:8])
    assert is_plain(sites, plain)
    assert not is_plain(sites + "\tGT", plain)
    assert not is_plain(sites.rpartition("\t")[0], plain)


@settings(deadline=None)
@given(st.lists(st.text("1\t5xé", max_size=8), max_size=6))
def test_places_are_those_of_the_lines(texts: list[str]) -> None:
    lines = RecordLines("".join(f"{text}\n" for text in texts).encode())
    assert [lines[at] for at in range(len(lines))] == texts
    assert lines.blank().tolist() == [at for at, text in enumerate(texts) if not text]
    contigs = [text.partition("\t")[0] for text in texts]
    assert lines.runs == [at for at in range(len(texts)) if not at or contigs[at] != contigs[at - 1]]
    assert [lines.contig(at) for at in lines.runs] == [contigs[at] for at in lines.runs]
    found = [re.match(r"[^\t]*\t([0-9]{1,10})\t", text) for text in texts]
    assert lines.positions.tolist() == [int(match[1]) if match else -1 for match in found]

"""Pages of rows: order, parts, and what a filter cannot do to them."""

import re
from typing import Any

import pytest

from annotations.models import ResultState
from annotations.results import database
from annotations.results.database import QueryTooCostly, TableUnreadable, query
from annotations.results.filters import PARAMETERS, ResultFilter
from annotations.results.layout import layout_of
from annotations.results.problems import FilterRefused
from annotations.results.rows import Row, Slice, count, counted_page, page_of_rows, rows_by_number, sort_keys
from annotations.results.tables import NoTable, ResultTable, open_table

pytestmark = pytest.mark.django_db
EVERYTHING = ResultFilter()


def rows(table: ResultTable, sort: str = "position", wanted: ResultFilter = EVERYTHING) -> list[Row]:
    return page_of_rows(table, wanted, Slice(sort, 0, 1000))


def test_the_layout_tells_what_can_be_filtered_by(demo_table: ResultTable):
    layout = demo_table.layout
    assert layout.samples == ("CHILD", "FATHER", "MOTHER")
    assert layout.sources == ("dbsnp", "clinvar")
    assert layout.overall_frequency_columns == layout.frequency_columns == ("dbsnp_AF",)
    assert layout.significance_columns == ("clinvar_CLNSIG",)
    assert layout.filters == ("LowQual", "PASS")
    assert [contig.chrom for contig in layout.contigs] == ["1", "2", "MT"]


def test_pages_put_together_are_the_file_in_its_order(demo_table: ResultTable):
    pages = [
        row.number
        for start in range(0, 500, 40)
        for row in page_of_rows(demo_table, EVERYTHING, Slice(offset=start, limit=40))
    ]
    assert pages == list(range(497))
    records = [row.values["record"] for row in rows(demo_table)]
    assert records == sorted(records)


@pytest.mark.parametrize("direction", ["", "-"])
def test_every_sort_key_orders_the_same_rows(demo_table: ResultTable, direction: str):
    for key in sort_keys(demo_table.layout):
        found = rows(demo_table, direction + key)
        assert sorted(row.number for row in found) == list(range(497)), key


def test_rows_are_sorted_by_severity_not_by_the_alphabet(demo_table: ResultTable):
    impacts = [row.values["impact"] for row in rows(demo_table, "impact")]
    assert list(dict.fromkeys(impacts)) == ["HIGH", "MODERATE", "LOW", "MODIFIER"]


def test_what_has_no_value_comes_last_in_either_direction(demo_table: ResultTable):
    for sort in ("frequency", "-frequency"):
        values = [row.values["dbsnp_AF"] for row in rows(demo_table, sort)]
        known = [value for value in values if value is not None]
        assert values == sorted(known, reverse=sort.startswith("-")) + [None] * (len(values) - len(known))


def test_parts_of_a_sorted_page_follow_each_other(demo_table: ResultTable):
    parts = [
        row.number
        for start in range(0, 500, 70)
        for row in page_of_rows(demo_table, EVERYTHING, Slice("-quality", start, 70))
    ]
    assert parts == [row.number for row in rows(demo_table, "-quality")]


def test_rows_can_be_asked_for_by_number(demo_table: ResultTable):
    assert [row.number for row in rows_by_number(demo_table, [400, 3, 9999])] == [400, 3]


def test_a_sort_key_that_is_none_is_refused(demo_table: ResultTable):
    with pytest.raises(FilterRefused, match="sort: expected one of position, gene"):
        rows(demo_table, "pos; DROP TABLE variants")


def test_sorted_rows_beyond_what_is_held_are_refused_and_the_file_s_order_goes_on(demo_table: ResultTable):
    with pytest.raises(FilterRefused, match="row 5,000,001"):
        page_of_rows(demo_table, EVERYTHING, Slice("quality", 4_999_991, 10))
    assert page_of_rows(demo_table, EVERYTHING, Slice("quality", 4_999_990, 10)) == []
    assert page_of_rows(demo_table, EVERYTHING, Slice(offset=9_999_990)) == []


@pytest.mark.parametrize("query_", ["gene=DEMO1", "impact=HIGH", "id=rs*&known=known", "gene=NONE"])
def test_a_page_with_its_count_says_the_same_as_both_alone(demo_table: ResultTable, query_: str):
    wanted = ResultFilter.parse({name: [value] for name, value in (p.split("=") for p in query_.split("&"))})
    for part in (Slice(limit=400), Slice(limit=5), Slice(offset=5), Slice("-quality")):
        counted, found = counted_page(demo_table, wanted, part, ["chrom"])
        assert counted == count(demo_table, wanted)
        expected = page_of_rows(demo_table, wanted, part, ["chrom"])
        assert [row.number for row in found] == [row.number for row in expected]


def test_sorted_parts_of_few_and_of_many_rows_are_the_same(
    demo_table: ResultTable, monkeypatch: pytest.MonkeyPatch
):
    from annotations.results import rows as module

    def numbers() -> list[list[int]]:
        parts = [Slice(f"{sign}{key}", start, 60) for key in sort_keys(demo_table.layout)
                 for sign in ("", "-") for start in (0, 60, 480)]  # fmt: skip
        return [[row.number for row in page_of_rows(demo_table, EVERYTHING, part)] for part in parts]

    by_last_key = numbers()
    monkeypatch.setattr(module, "BOUNDED_UP_TO_ROW", 0)
    assert by_last_key == numbers()


@pytest.mark.parametrize("query_", ["genotype=het:NOBODY", "child=A&mother=B&father=C", "frequency_in=x_AF"])
def test_what_the_result_does_not_have_is_refused(demo_table: ResultTable, query_: str):
    parameters = {name: [value] for name, value in (pair.split("=") for pair in query_.split("&"))}
    with pytest.raises(FilterRefused, match="expected one of"):
        count(demo_table, ResultFilter.parse(parameters))


ATTACKS = [
    "' OR 'a'='a' --",
    "'; SELECT a FROM read_csv('/etc/passwd'); --",
    "\"); COPY (SELECT 1) TO '/tmp/out'; --",
    "$table",
    "$v0",
    "%",
    "_",
    "\\",
    "|",
    "a' UNION SELECT a --",
    "{{7*7}}",
    ";;",
]


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_sql_in_a_parameter_finds_nothing_and_breaks_nothing(demo_table: ResultTable, parameter: str):
    trio = {"child": ["CHILD"], "mother": ["MOTHER"], "father": ["FATHER"]}
    for attack in ATTACKS:
        value = f"het:{attack}" if parameter == "genotype" else attack
        try:
            wanted = ResultFilter.parse({**(trio if parameter in trio else {}), parameter: [value]})
            found = count(demo_table, wanted).rows
        except FilterRefused:
            continue
        assert found == (0 if wanted else 497), attack


def test_the_database_reads_no_other_file(demo_table: ResultTable, tmp_path: Any):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for sql in (
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        f"COPY (SELECT 1) TO '{tmp_path}/out'",
        "SELECT * FROM read_text('/etc/hostname')",
    ):
        with pytest.raises(TableUnreadable):
            query(demo_table.path, sql)
    with pytest.raises(database.duckdb.Error):
        query(demo_table.path, "SET enable_external_access = true")


def test_a_query_that_takes_too_long_is_stopped(demo_table: ResultTable):
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1 "
    endless += "AND $table IS NOT NULL"
    with pytest.raises(QueryTooCostly):
        query(demo_table.path, endless, timeout_seconds=0.05)
    assert count(demo_table, EVERYTHING).rows == 497


def test_a_file_that_is_no_table_is_unreadable(tmp_path: Any, settings: Any):
    path = settings.STATE_DIR / "objects" / "x.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no table")
    with pytest.raises(TableUnreadable):
        layout_of(path)


def test_only_a_result_at_hand_has_a_table(demo_job: Any):
    demo_job.result_state = ResultState.ARCHIVED
    with pytest.raises(NoTable):
        open_table(demo_job)
    demo_job.result_state, demo_job.table_key = ResultState.AVAILABLE, "not/there"
    with pytest.raises(NoTable):
        open_table(demo_job)


def test_no_part_of_a_filter_stands_in_the_sql(demo_table: ResultTable, monkeypatch: pytest.MonkeyPatch):
    from annotations.results import conditions

    wanted = ResultFilter.parse(
        {"gene": ["zzgene"], "id": ["zzid*"], "filter": ["zzfilter"], "region": ["1:77-88"]}
    )
    assert not re.search("zz|77|88", conditions.condition_of(wanted, demo_table.layout).sql)

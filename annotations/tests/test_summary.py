"""Counts as a page shows them, and the words for times."""

import doctest

import pytest

from annotations.summary import Figure, Summary
from annotations.templatetags import annotations_display


def test_numbers_are_figures_counts_by_name_are_tables_and_sentences_are_notes():
    counts = {
        "records_in": 3,
        "share": 6.5,
        "seconds": 1,
        "consequences": {"a": 1, "b": 2},
        "notes": ["why"],
        "x": None,
    }
    summary = Summary.of(counts)
    assert summary.figures == (Figure("Records in", 3), Figure("Share", 6.5))
    (table,) = summary.tables
    assert table.title == "Most severe consequence"
    assert [(row.name, row.count) for row in table.rows] == [("b", 2), ("a", 1)]
    assert summary.notes == ("why",)


def test_what_each_source_knows_is_a_part_of_all_records():
    summary = Summary.of({"records_in": 200, "known": {"dbsnp": 150}})
    assert summary.figures == (Figure("Records in", 200), Figure("In dbsnp", 150, percent=75.0))
    assert summary.tables == ()
    assert Summary.of({"records_in": 0, "known": {"dbsnp": 0}}).figures[1].percent is None


def test_impacts_go_from_the_worst_to_the_mildest():
    (table,) = Summary.of({"impacts": {"MODIFIER": 9, "HIGH": 1, "LOW": 2}}).tables
    assert [row.name for row in table.rows] == ["HIGH", "LOW", "MODIFIER"]


@pytest.mark.parametrize("counts", [{}, {"a": {}}, {"a": {"b": {"c": 1}}}, {"a": [1, {}]}, {"a": True}])
def test_what_has_no_shape_for_a_page_is_passed_over(counts: dict[str, object]):
    assert Summary.of(counts) == Summary((), (), ())


def test_a_table_of_nothing_but_zeros_has_bars_of_no_length():
    (table,) = Summary.of({"left_out": {"no such contig": 0}}).tables
    assert table.largest == 1


def test_the_examples_of_durations_hold():
    outcome = doctest.testmod(annotations_display)
    assert outcome.attempted and not outcome.failed

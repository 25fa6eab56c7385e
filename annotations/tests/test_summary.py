"""Counts as a page shows them, and the words for times."""

import doctest

import pytest

from annotations.summary import Summary
from annotations.templatetags import annotations_display


def test_numbers_are_figures_counts_by_name_are_tables_and_sentences_are_notes():
    summary = Summary.of(
        {
            "records": 3,
            "known_percent": 66.6,
            "consequences": {"a": 1, "b": 2},
            "left_out": ["why"],
            "x": None,
        }
    )
    assert summary.figures == (("Records", 3), ("Known percent", 66.6))
    assert [(row.name, row.count) for row in summary.tables[0].rows] == [("b", 2), ("a", 1)]
    assert summary.notes == ("why",)


def test_impacts_go_from_the_worst_to_the_mildest():
    (table,) = Summary.of({"impact": {"MODIFIER": 9, "HIGH": 1, "LOW": 2}}).tables
    assert [row.name for row in table.rows] == ["HIGH", "LOW", "MODIFIER"]


@pytest.mark.parametrize("counts", [{}, {"a": {}}, {"a": {"b": {"c": 1}}}, {"a": [1, {}]}, {"a": True}])
def test_what_has_no_shape_for_a_page_is_passed_over(counts: dict[str, object]):
    assert Summary.of(counts) == Summary((), (), ())


def test_a_table_of_nothing_but_zeros_has_bars_of_no_length():
    (table,) = Summary.of({"known": {"dbsnp": 0}}).tables
    assert table.largest == 1


def test_the_examples_of_durations_hold():
    outcome = doctest.testmod(annotations_display)
    assert outcome.attempted and not outcome.failed

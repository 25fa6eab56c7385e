"""Texts come back from the form that kernels take as they went in."""

import random

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from annotations.engine.kernels.texts import Texts

LONG = st.text(min_size=10, max_size=20)  # Arrow holds up to 12 bytes beside the length
COLUMN = st.lists(st.none() | st.text(max_size=4) | LONG, max_size=30)
SHORT = st.lists(st.none() | st.text("aä", max_size=6), max_size=40)


def series(texts: list[str | None]) -> pl.Series:
    return pl.Series("", texts, pl.String)


@given(COLUMN)
def test_a_column_of_texts_is_the_same_in_both_forms(texts: list[str | None]) -> None:
    assert Texts.of(series(texts)).series().to_list() == texts


@given(SHORT, st.lists(LONG, min_size=1, max_size=3), st.randoms())
def test_a_few_long_texts_stand_among_short_ones(
    short: list[str | None], long: list[str | None], chance: random.Random
) -> None:
    texts = [*short, *long]
    chance.shuffle(texts)
    assert Texts.of(series(texts)).series().to_list() == texts


@given(COLUMN, st.data())
def test_texts_are_taken_by_their_numbers_or_by_a_mask(texts: list[str | None], data: st.DataObject) -> None:
    column = Texts.of(series(texts))
    rows = data.draw(st.lists(st.integers(-1, len(texts) - 1), max_size=40))
    expected = [None if row < 0 else texts[row] for row in rows]
    assert column.take(np.array(rows, np.int64)).series().to_list() == expected
    mask = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    kept = [text for text, is_kept in zip(texts, mask, strict=True) if is_kept]
    assert column.take(np.array(mask, np.bool_)).series().to_list() == kept
    nulled = [text if is_kept else None for text, is_kept in zip(texts, mask, strict=True)]
    assert column.where(np.array(mask, np.bool_)).series().to_list() == nulled


@given(st.lists(COLUMN, max_size=4))
def test_columns_are_joined_in_order(columns: list[list[str | None]]) -> None:
    joined = Texts.join([Texts.of(series(texts)) for texts in columns])
    assert joined.series().to_list() == [text for texts in columns for text in texts]


def test_a_column_of_nulls_is_null_everywhere() -> None:
    assert Texts.nulls(3).series("name").equals(pl.Series("name", [None] * 3, pl.String))


@given(st.lists(SHORT, min_size=1, max_size=3), st.integers(0, 20), st.integers(0, 40))
def test_short_texts_are_read_where_polars_has_them(
    chunks: list[list[str | None]], first: int, count: int
) -> None:
    column = pl.concat([series(texts) for texts in chunks]).slice(first, count)
    texts = Texts.of(column)
    assert texts.series().to_list() == column.to_list()
    assert len(texts.take(texts.length < 0)) == column.null_count()

"""Parts of texts are those that Python's own division gives."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine.kernels.texts import Texts
from annotations.engine.parts import distinct_parts, nth_parts

COLUMN = st.lists(st.none() | st.text("ab;=\té", max_size=9), min_size=1, max_size=12)


def column(texts: Sequence[str | None]) -> Texts:
    return Texts.of(pl.Series(texts, dtype=pl.String))


@settings(deadline=None)
@given(COLUMN, st.data())
def test_parts_are_taken_by_their_numbers(texts: list[str | None], data: st.DataObject) -> None:
    numbered = st.tuples(st.integers(0, len(texts) - 1), st.integers(1, 5))
    wanted = sorted(data.draw(st.lists(numbered, max_size=30)), key=lambda pair: pair[0])
    rows, numbers = (np.array([pair[at] for pair in wanted], kind) for at, kind in ((0, "i4"), (1, "u2")))
    parts = [(texts[row] or "").split(";") if texts[row] is not None else [] for row, _ in wanted]
    expected = [
        own[number - 1] if number <= len(own) else None
        for own, (_, number) in zip(parts, wanted, strict=True)
    ]
    assert nth_parts(column(texts), ";", rows, numbers).series().to_list() == expected


def kept(part: str) -> str:
    name, sign, _ = part.partition("=")
    return name + sign


@settings(deadline=None)
@given(COLUMN)
def test_each_part_is_found_once_in_the_order_of_its_first(texts: list[str | None]) -> None:
    given_texts = [text for text in texts if text is not None]
    everything = [part for text in given_texts for part in text.split(";")]
    assert distinct_parts(column(texts), ";") == list(dict.fromkeys(everything))
    assert distinct_parts(column(texts), ";", last="=") == list(dict.fromkeys(map(kept, everything)))
    before_tabs = [part for text in given_texts for part in text.split("\t")[0].split(";")]
    assert distinct_parts(column(texts), ";", end="\t") == list(dict.fromkeys(before_tabs))


def test_any_number_of_parts_is_found() -> None:
    names = [f"f{number}" for number in range(3_000)]
    texts = [";".join(names[at : at + 100]) for at in range(0, len(names), 50)]
    assert distinct_parts(column(texts), ";") == names

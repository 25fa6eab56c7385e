"""Which intervals overlap a variant: all of them, and no others."""

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.engine.intervals import lookup_intervals, overlaps

BANDS = pl.DataFrame(
    {"start": [1, 101, 101, 300], "end": [100, 200, 900, 300], "band": ["p1", "p2", "q", "r"]},
    schema_overrides={"start": pl.Int32, "end": pl.Int32},
)
INTERVALS = st.lists(
    st.tuples(st.integers(1, 200), st.integers(0, 150)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=30,
)


def _table(intervals: list[tuple[int, int]]) -> pl.DataFrame:
    schema = {"start": pl.Int32, "end": pl.Int32}
    return pl.DataFrame(sorted(intervals), schema=schema, orient="row")


def test_a_variant_gets_the_values_of_all_intervals_that_overlap_it() -> None:
    found = lookup_intervals([100, 101, 299, 1000], [101, 101, 300, 1002], BANDS)
    assert found.get_column("band").to_list() == [["p1", "p2", "q"], ["p2", "q"], ["q", "r"], None]


def test_no_variants_and_no_intervals_give_nothing() -> None:
    assert lookup_intervals([], [], BANDS).to_dict(as_series=False) == {"band": []}
    assert lookup_intervals([5], [5], BANDS.clear()).get_column("band").to_list() == [None]


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a machine with other work
@given(variants=INTERVALS, intervals=INTERVALS)
def test_overlaps_are_those_that_a_comparison_of_all_pairs_finds(
    variants: list[tuple[int, int]], intervals: list[tuple[int, int]]
) -> None:
    table = _table(intervals)
    positions, ends = [one[0] for one in variants], [one[1] for one in variants]
    found = list(zip(*(side.tolist() for side in overlaps(positions, ends, table)), strict=True))
    rows = list(table.iter_rows())
    assert found == [
        (variant, row)
        for variant, (first, last) in enumerate(variants)
        for row, (start, end) in enumerate(rows)
        if start <= last and end >= first
    ]


def test_one_interval_as_long_as_the_contig_does_not_make_candidates_of_all_others() -> None:
    starts = np.arange(1, 200_000, dtype=np.int32)
    table = pl.DataFrame({"start": starts, "end": starts})
    whole = pl.DataFrame({"start": [1], "end": [10**8]}, schema={"start": pl.Int32, "end": pl.Int32})
    positions = np.arange(1, 200_000)
    variants, rows = overlaps(positions, positions, pl.concat([whole, table]))
    assert len(variants) == 2 * len(positions)  # all pairs would be 40 thousand million
    assert rows[:4].tolist() == [0, 1, 0, 2]

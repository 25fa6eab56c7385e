"""Alleles are matched with those that are listed by contig, position, REF and ALT."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine.known import match

ALLELE = st.tuples(
    st.integers(0, 2), st.integers(1, 6), st.text("ACGT", max_size=3), st.text("ACGT", max_size=2)
)
SCHEMA = {"contig": pl.Int32, "pos": pl.Int32, "ref": pl.String, "alt": pl.String}


@settings(deadline=None)
@given(st.lists(ALLELE, max_size=30), st.lists(ALLELE, max_size=60))
def test_every_row_that_lists_an_allele_is_found_in_order(
    asked: list[tuple[int, int, str, str]], listed: list[tuple[int, int, str, str]]
) -> None:
    wanted = pl.DataFrame(asked, schema=SCHEMA, orient="row").rename(
        {"pos": "norm_pos", "ref": "norm_ref", "alt": "norm_alt"}
    )
    first, following = match(wanted, pl.DataFrame(listed, schema=SCHEMA, orient="row"))
    for number, allele in enumerate(asked):
        found, row = [], int(first[number])
        while row >= 0:
            found.append(row)
            row = int(following[row])
        assert found == [row for row, one in enumerate(listed) if one == allele]


def test_alleles_that_are_not_spelled_out_are_not_known() -> None:
    wanted = pl.DataFrame({"contig": [0], "norm_pos": [None], "norm_ref": [None], "norm_alt": [None]}).cast(
        {"contig": pl.Int32, "norm_pos": pl.Int32, "norm_ref": pl.String, "norm_alt": pl.String}
    )
    listed = pl.DataFrame([(0, 0, "", "")], schema=SCHEMA, orient="row")
    assert match(wanted, listed)[0].tolist() == [-1]

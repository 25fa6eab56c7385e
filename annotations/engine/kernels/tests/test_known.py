"""Alleles are matched with those that are listed by contig, position, REF and ALT."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine.alleles import Alleles, Reason
from annotations.engine.bundle import KnownField, KnownSource
from annotations.engine.kernels.texts import Texts
from annotations.engine.known import KnownValues, look_up

Allele = tuple[int, int, str | None, str | None]
ALLELE = st.tuples(
    st.integers(0, 2), st.integers(1, 6), st.text("ACGT", max_size=3), st.text("ACGT", max_size=2)
)
LISTED = st.tuples(ALLELE, st.sampled_from([None, "rs1", "rs2", "rs2;rs3"]), st.none() | st.integers(0, 3))
SCHEMA = {"pos": pl.Int32, "ref": pl.String, "alt": pl.String, "id": pl.String, "count": pl.Int32}
SOURCE = KnownSource("source", True, (KnownField("count", "A", "Integer", ""),), None)
Listed = tuple[Allele, str | None, int | None]


def alleles(asked: Sequence[Allele], left_out: int = -1) -> Alleles:
    """All of one record; number `left_out` is left without consequences."""
    count = len(asked)
    contig, pos, ref, alt = zip(*asked, strict=True) if asked else ((), (), (), ())
    reason = np.zeros(count, np.uint8)
    reason[np.arange(count) == left_out] = Reason.REF_MISMATCH
    texts = [Texts.of(pl.Series(column, dtype=pl.String)) for column in (alt, ref, alt)]
    zeros = np.zeros(count, np.int32)
    return Alleles(
        zeros,
        np.arange(1, count + 1, dtype=np.uint16),
        np.array(contig, np.int32),
        zeros,
        zeros,
        np.zeros(count, np.uint8),
        np.array(pos, np.int32),
        reason,
        np.zeros(count, np.bool_),
        *texts,
    )


def part(rows: Sequence[Listed]) -> tuple[np.ndarray, pl.DataFrame]:
    table = [(pos, ref, alt, name, count) for (_, pos, ref, alt), name, count in rows]
    numbers = np.array([contig for (contig, *_), _, _ in rows], np.int32)
    return numbers, pl.DataFrame(table, schema=SCHEMA, orient="row")


def matched(asked: Alleles, parts: Sequence[Sequence[Listed]]) -> KnownValues:
    return look_up(SOURCE, map(part, parts), part([])[1].select("id", "count"), asked, asked.contig < 2)


@settings(deadline=None)
@given(st.lists(ALLELE, max_size=30), st.lists(st.lists(LISTED, max_size=30), max_size=3))
def test_alleles_get_the_ids_of_all_rows_that_list_them_and_the_fields_of_the_first(
    asked: list[Allele], parts: list[list[Listed]]
) -> None:
    found = matched(alleles(asked), parts)
    rows = [row for rows in parts for row in rows]
    of_each = [[row for row in rows if row[0] == allele] for allele in asked]
    assert found.known.tolist() == [bool(own) for own in of_each]
    ids = [";".join(dict.fromkeys(name for _, name, _ in own if name)) or None for own in of_each]
    assert found.ids is not None
    assert found.ids.series().to_list() == ids
    columns = {name: column.to_list() for name, column in found.columns().items()}
    assert columns == {
        "source": [None if allele[0] == 2 else bool(own) for allele, own in zip(asked, of_each, strict=True)],
        "count": [own[0][2] if own else None for own in of_each],
    }


def test_alleles_that_are_not_spelled_out_are_not_known() -> None:
    found = matched(alleles([(0, 0, None, None)]), [[((0, 0, "", ""), "rs1", 1)]])
    assert found.known.tolist() == [False]

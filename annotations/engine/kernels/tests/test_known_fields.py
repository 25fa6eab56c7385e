"""What is written of known variants into ID and INFO is as put together plainly."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine import assembly
from annotations.engine.bundle import KnownField, KnownSource
from annotations.engine.kernels.library import KernelError
from annotations.engine.kernels.texts import Texts
from annotations.engine.known import KnownValues

ID = st.sampled_from(["rs1", "rs2", "rs11", "mine", ""])
IDS = st.lists(ID, min_size=1, max_size=4).map(";".join)
ROW = st.tuples(st.none() | IDS, st.none() | st.text("a,;=é", max_size=4), st.booleans() | st.none())
FIELDS = (KnownField("is_rare", "0", "Flag", ""), KnownField("name", "1", "String", ""))
SCHEMA = {"id": pl.String, "name": pl.String, "is_rare": pl.Boolean}
# of each record: its own ids, and for each of its alleles the row that two sources know of it
RECORD = st.tuples(
    st.just(".") | IDS, st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=3)
)
Row = tuple[str | None, str | None, bool | None]
Record = tuple[str, list[tuple[int, int]]]


def known(rows: list[Row], numbers: list[int], name: str) -> KnownValues:
    fields = tuple(KnownField(f"{name}_{one.id}", one.number, one.type, "") for one in FIELDS)
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    frame = frame.rename({one.id: f"{name}_{one.id}" for one in FIELDS})
    first = np.array(numbers, np.int32)
    before = np.full(len(rows), -1, np.int32)
    return KnownValues(KnownSource(name, True, fields, None), first >= 0, first, first, frame, before)


def both(
    rows: list[Row], records: list[Record]
) -> tuple[np.ndarray, list[KnownValues], list[tuple[str, list[Row]]]]:
    """Rows of alleles, what two sources know of these, and of each record its own ids and what is known."""
    of = np.repeat(np.arange(len(records), dtype=np.int32), [len(alleles) for _, alleles in records])
    numbers = [allele for _, alleles in records for allele in alleles]
    values = [known(rows, [pair[which] for pair in numbers], name) for which, name in enumerate("xy")]
    plain = [
        (own, [(None, None, None) if at < 0 else rows[at] for pair in alleles for at in pair])
        for own, alleles in records
    ]
    return of, values, plain


@settings(deadline=None)
@given(st.lists(ROW, min_size=5, max_size=5), st.lists(RECORD, max_size=8))
def test_ids_are_merged_as_put_together_plainly(rows: list[Row], records: list[Record]) -> None:
    of, values, plain = both(rows, records)
    expected = []
    for own, found in plain:
        ids = [row[0] for row in found if row[0] is not None]
        parts = ([] if own == "." else own.split(";")) + [one for some in ids for one in some.split(";")]
        expected.append(";".join(dict.fromkeys(parts)) if ids else own)
    own_ids = Texts.of(pl.Series([own for own, _ in records], dtype=pl.String))
    merged = assembly.merged_ids(own_ids, of, values)
    if merged is None:
        assert all(row[0] is None for _, found in plain for row in found)
    else:
        assert merged.series().to_list() == expected


@settings(deadline=None)
@given(st.lists(ROW, min_size=5, max_size=5), st.lists(RECORD, max_size=8))
def test_additions_are_as_put_together_plainly(rows: list[Row], records: list[Record]) -> None:
    of, values, plain = both(rows, records)
    expected = []
    for _, found in plain:
        parts, flags = [], []
        for which, name in enumerate("xy"):
            own = found[which::2]
            if any(row[1] is not None for row in own):
                texts = ("." if row[1] is None else row[1].replace(",", "&") for row in own)
                parts.append(f"{name}_name={','.join(texts)}")
            if any(row[2] for row in own):
                flags.append(f"{name}_is_rare")
        expected.append(";".join(parts + flags) or None)
    additions = assembly.info_additions(of, len(records), values, None)
    assert additions is not None
    assert additions.series().to_list() == expected


def test_alleles_of_no_record_are_refused() -> None:
    values = known([("rs1", "a", True)], [0], "x")
    with pytest.raises(KernelError):
        assembly.info_additions(np.array([1], np.int32), 1, [values], None)
    with pytest.raises(KernelError):
        assembly.merged_ids(Texts.of(pl.Series(["."])), np.array([1], np.int32), [values])


@settings(deadline=None)
@given(st.lists(st.none() | st.text("AB;=", max_size=8), max_size=5))
def test_only_fields_that_are_called_like_ours_get_new_names(infos: list[str | None]) -> None:
    ids = assembly.OutputIds({"A": "A_input", "BA": "BA_input"})
    fields = [info.split(";") if info else [] for info in infos]
    is_ours = any(field.split("=")[0] in ids.renamed for one in fields for field in one)
    found = assembly.renamed_fields(Texts.of(pl.Series(infos, dtype=pl.String)), ids)
    assert (found is not None) == is_ours

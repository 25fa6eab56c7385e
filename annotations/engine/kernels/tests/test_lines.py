"""Lines with annotations differ from the user's in ID and INFO, and in nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine.kernels.library import KernelError
from annotations.engine.kernels.texts import Texts
from annotations.engine.lines import ID, INFO, POS, REST, Edits, Lines

FIELD = st.text("abc;=.é", min_size=1, max_size=6)
MAYBE = st.none() | FIELD
RECORD = st.tuples(
    st.lists(FIELD, min_size=8, max_size=11),  # the fields
    MAYBE,  # id
    MAYBE,  # info
    MAYBE,  # additions
    MAYBE,  # rest
    st.lists(st.none() | st.integers(0, 2), max_size=3),  # texts of its alleles
)
TEXTS = ("T|one", "G|two,G|three", "-|four")


def edited(record: tuple[list[str], str | None, str | None, str | None, str | None, list[int | None]]) -> str:
    """A line, put together plainly."""
    fields, name, info, more, rest, alleles = record
    fields = list(fields)
    fields[2] = name or fields[2]
    csq = ",".join(TEXTS[number] for number in alleles if number is not None)
    added = [part for part in (more, csq and f"CSQ={csq}") if part]
    own = info or fields[7]
    fields[7] = ";".join([own, *added] if own != "." or not added else added)
    if len(fields) > 8 and rest:
        fields[8:] = [rest]
    return "\t".join(fields)


@settings(deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=8))
def test_lines_are_as_put_together_plainly(
    records: list[tuple[list[str], str | None, str | None, str | None, str | None, list[int | None]]],
) -> None:
    block = "".join("\t".join(fields) + "\n" for fields, *_ in records).encode()
    ids, infos, additions, rests = (
        Texts.of_strings(column) for column in zip(*(record[1:5] for record in records), strict=True)
    )
    alleles = [
        (row, -1 if number is None else number) for row, record in enumerate(records) for number in record[5]
    ]
    of_record, of_text = np.array(alleles, np.int32).reshape(-1, 2).T.copy()
    edits = Edits(Texts.of_strings(TEXTS), of_record, of_text, ids, infos, additions, rests)
    lines, line_ends = Lines(block, len(records)).edited(edits)
    text = lines.tobytes()
    assert text.decode().splitlines() == [edited(record) for record in records]
    assert [text[end - 1 : end] for end in line_ends.tolist()] == [b"\n"] * len(records)
    assert line_ends[-1] == len(text)


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 4))
def test_what_are_not_so_many_records_is_refused(block: bytes, records: int) -> None:
    lines = block.split(b"\n")
    if block.endswith(b"\n") and len(lines) - 1 == records and all(b.count(b"\t") >= 7 for b in lines[:-1]):
        Lines(block, records)
    elif block or records:
        with pytest.raises(KernelError):
            Lines(block, records)


def test_long_texts_get_the_room_that_they_take() -> None:
    block = b"1\t5\t.\tA\tC\t.\t.\t.\n"
    one = np.zeros(1, np.int32)
    lines, _ = Lines(block, 1).edited(Edits(Texts.of_strings(["x" * 10_000]), one, one))
    assert lines.tobytes().decode() == "1\t5\t.\tA\tC\t.\t.\tCSQ=" + "x" * 10_000 + "\n"


@given(st.lists(st.integers(0, (1 << 31) - 1), max_size=20))
def test_positions_are_read(positions: list[int]) -> None:
    block = "".join(f"1\t{position}\t.\tA\tC\t.\t.\t.\n" for position in positions)
    assert Lines(block.encode(), len(positions)).positions.tolist() == positions


@pytest.mark.parametrize("position", ["", "-1", "1x", "2147483648", "99999999999999999999"])
def test_what_is_no_position_is_refused(position: str) -> None:
    with pytest.raises(KernelError):
        _ = Lines(f"1\t{position}\t.\tA\tC\t.\t.\t.\n".encode(), 1).positions


def test_fields_are_as_they_came() -> None:
    lines = Lines(b"1\t5\t.\tA\tC\t.\tPASS\tDP=3\n1\t6\trs1\tA\tC\t.\tPASS\tDP=4\tGT\t0/1\n", 2)
    assert [lines.fields(column).strings() for column in (POS, ID, INFO, REST)] == [
        ["5", "6"],
        [".", "rs1"],
        ["DP=3", "DP=4"],
        [None, "GT\t0/1"],
    ]

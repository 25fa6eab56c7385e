"""Texts that consist of parts with a character between them (kernels/parts.c)."""

import numpy as np

from annotations.engine.kernels.library import Array, call, structure
from annotations.engine.kernels.texts import Texts

_Division = structure("_Division", divider=int, last=int, end=int)
_Distinct = structure(
    "_Distinct", count=int, size=int, at=np.int64, length=np.int32, slots=np.int32, slot_count=int
)
_NO_BYTE = 256
_FEW = 1024  # distinct parts, as a first guess


def nth_parts(texts: Texts, divider: str, rows: Array, numbers: Array) -> Texts:
    """Of the texts of these rows (int32) the parts with these numbers (uint16), from 1; null for none."""
    at, length = np.empty(len(rows), np.int64), np.empty(len(rows), np.int32)
    call("take_parts", texts.for_kernels, ord(divider), len(rows), rows, numbers, at, length)
    return Texts(texts.data, at, length)


def distinct_parts(texts: Texts, divider: str, *, last: str = "", end: str = "") -> list[str]:
    """All parts of all texts, each once, in the order in which they first come.

    Of each part no more is read than up to a `last` character and with it, of each text up to an `end`.
    """
    division = _Division(
        divider=ord(divider), last=ord(last) if last else _NO_BYTE, end=ord(end) if end else _NO_BYTE
    )
    size = _FEW
    while True:
        at, length, slots = np.empty(size, np.int64), np.empty(size, np.int32), np.empty(2 * size, np.int32)
        found = _Distinct(count=0, size=size, at=at, length=length, slots=slots, slot_count=2 * size)
        count = call("find_distinct_parts", texts.for_kernels, division, found)
        if count <= size:
            places = zip(at[:count].tolist(), length[:count].tolist(), strict=True)
            return [texts.data[start : start + size].tobytes().decode() for start, size in places]
        size *= 8

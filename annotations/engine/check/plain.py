"""The lines that are as nearly all are, found by a kernel (kernels/plain.c) that reads a line in no time.

It knows the rules of `patterns` but for the rarest: breakends, and numbers that are not finite. What it finds
plain matches the pattern, and of what it does not find plain the pattern has to tell.
"""

from collections.abc import Collection, Iterable

import numpy as np

from annotations.engine.check.keys import RESERVED, Key
from annotations.engine.check.patterns import Promises
from annotations.engine.check.text import RecordLines
from annotations.engine.kernels.library import Structure, call, structure
from annotations.engine.kernels.texts import Texts

_Names = structure("_Names", texts="", slot_count=int, slots=np.int32)
_Keys = structure("_Keys", names="", kind=np.uint8, number=np.int32)
_Promises = structure(
    "_Promises",
    columns=int,
    line_bytes=int,
    colons=int,
    filters="",
    info="",
    format="",
    formats="",
    format_starts=np.int64,
    format_keys=np.int32,
)
# as the kernel counts them
_KINDS = {"Flag": 2, "String": 3, "Integer": 4, "Float": 6, "Character": 8, "CIGAR": 9}
_UNKNOWN, _FREE_TEXT = 0, 1
_KINDS_FROM_0 = {"Integer": 5, "Float": 7}
_NUMBERS = {"A": -1, "R": -2, "G": -3, ".": -4}


class PlainLines:
    """Finds the plain ones among a file's record lines, by what is promised of them at the time."""

    def __init__(self, promises: Promises, columns: int, line_bytes: int) -> None:
        formats = sorted(promises.formats - {"."})
        keys = {name: number for number, name in enumerate(promises.format)}
        numbers = [[keys[name] for name in text.split(":")] for text in formats]
        self._promises = _Promises(
            columns=columns,
            line_bytes=line_bytes,
            colons=promises.colons,
            filters=_names(promises.filters),
            info=_keys("INFO", promises.info.values()),
            format=_keys("FORMAT", promises.format.values()),
            formats=_names(formats),
            format_starts=np.cumsum([0, *map(len, numbers)], dtype=np.int64),
            format_keys=np.array([key for one in numbers for key in one] or [0], np.int32),
        )

    def others(self, lines: RecordLines) -> list[int]:
        """The numbers of the lines that are not plain."""
        plain = np.empty(len(lines), np.uint8)
        text = np.frombuffer(lines.text, np.uint8)
        call("find_plain", self._promises, text, len(text), len(lines), lines.ends, plain)
        others: list[int] = np.flatnonzero(plain == 0).tolist()
        return others


def _names(names: Collection[str]) -> Structure:
    texts = Texts.of_strings(list(names)).for_kernels
    slots = np.empty(2 << len(names).bit_length(), np.int32)
    found = _Names(texts=texts, slot_count=len(slots), slots=slots)
    call("index_names", found)
    return found


def _keys(field: str, keys: Iterable[Key]) -> Structure:
    keys = list(keys)
    return _Keys(
        names=_names([key.name for key in keys]),
        kind=np.array([_kind(field, key) for key in keys], np.uint8),
        number=np.array([_number(key.number) for key in keys], np.int32),
    )


def _kind(field: str, key: Key) -> int:
    if key.type == "Flag":
        return _KINDS["Flag"] if field == "INFO" else _FREE_TEXT
    if key.type == "String":
        return _KINDS["String"] if field == "INFO" and key.name in RESERVED[field] else _FREE_TEXT
    return (_KINDS if key.minimum is None else _KINDS_FROM_0).get(key.type, _UNKNOWN)


def _number(number: str) -> int:
    return _NUMBERS[number] if number in _NUMBERS else int(number)

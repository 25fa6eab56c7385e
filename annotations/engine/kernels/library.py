"""The compiled kernels, as functions, and the structures that they take.

A structure is made from numpy arrays, whose types are checked and which it keeps alive. Of how long they have
to be the C says; the functions of this package that call a kernel see to it.
"""

import ctypes
from functools import cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from annotations.engine.kernels.build import build

Array = npt.NDArray[Any]
KERNELS = (
    "locate_alleles",
    "describe_pairs",
    "write_entries",
    "split_records",
    "read_positions",
    "write_lines",
    "ask_for_known",
    "match_known",
    "merge_ids",
    "write_additions",
    "find_named",
    "take_apart_easy",
    "pack_texts",
    "view_texts",
    "take_parts",
    "find_distinct_parts",
    "find_sample_fields",
    "read_genotypes",
    "index_names",
    "find_plain",
    "find_places",
    "count_lines",
    "term_count",
    "term_set_of",
)
_INTEGER = ctypes.c_int64


class KernelError(Exception):
    """A kernel was given numbers that are out of range: a fault of the engine, not of its input."""


@cache
def library() -> ctypes.CDLL:
    """The library, built anew where its sources have changed. Raises KernelsNotBuilt."""
    loaded = ctypes.CDLL(str(build()))
    for name in KERNELS:
        getattr(loaded, name).restype = _INTEGER
    for name in ("term_text", "term_impact"):
        getattr(loaded, name).restype = ctypes.c_char_p
    return loaded


def call(kernel: str, *arguments: Any) -> int:
    """What a kernel returns: a count. Raises KernelError where that is below 0."""
    found: int = getattr(library(), kernel)(*map(_argument, arguments))
    if found < 0:
        raise KernelError(f"{kernel} was given numbers that are out of range")
    return found


def _argument(value: Any) -> Any:
    if isinstance(value, ctypes.Structure):
        return ctypes.byref(value)
    if isinstance(value, np.ndarray):
        return _pointer(value, value.dtype)
    return _INTEGER(value)


def _pointer(array: Array, dtype: npt.DTypeLike) -> ctypes.c_void_p:
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise KernelError(f"a kernel takes an array of {np.dtype(dtype)}, and got one of {array.dtype}")
    return ctypes.c_void_p(array.ctypes.data)


class Structure(ctypes.Structure):
    """A C structure whose pointers are numpy arrays, or other structures. `_TYPES` has the arrays' types."""

    _TYPES: ClassVar[dict[str, npt.DTypeLike]] = {}
    _STRUCTURES: ClassVar[set[str]] = set()  # members that are pointers to one

    def __init__(self, **members: Any) -> None:
        super().__init__()
        self._kept = members
        for name, value in members.items():
            if name in self._TYPES:
                setattr(self, name, _pointer(value, self._TYPES[name]))
            elif isinstance(value, ctypes.Structure) and name in self._STRUCTURES:
                setattr(self, name, ctypes.addressof(value))
            else:
                setattr(self, name, value)


def structure(name: str, /, **members: Any) -> type[Structure]:
    """The type of a structure: int for int64_t, a type of numpy for an array, "" for a pointer to another
    structure, or a structure in it."""
    kinds: list[tuple[str, Any]] = []
    types: dict[str, npt.DTypeLike] = {}
    pointers: set[str] = set()
    for member, kind in members.items():
        if kind is int:
            kinds.append((member, _INTEGER))
        elif kind == "":
            pointers.add(member)
            kinds.append((member, ctypes.c_void_p))
        elif isinstance(kind, type) and issubclass(kind, (Structure, ctypes.c_uint8)):
            kinds.append((member, kind))
        else:
            types[member] = kind
            kinds.append((member, ctypes.c_void_p))
    return type(name, (Structure,), {"_fields_": kinds, "_TYPES": types, "_STRUCTURES": pointers})


Room = structure("Room", bytes=np.uint8, size=int, used=int)
"""Where a kernel writes text (struct text of text.h)."""
TextColumn = structure("TextColumn", bytes=np.uint8, size=int, count=int, at=np.int64, length=np.int32)
"""A column of texts (struct texts of text.h); one with a length of -1 is a null."""

"""Thrift's compact protocol, as far as the footers of Parquet files use it, without a schema.

What is read is written again as the same bytes (doc/specs/thrift-compact-protocol.md of Apache Thrift).
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

_LONG = 15  # in the place of a size or a difference that does not fit: it follows by itself


class Type(IntEnum):
    """What a value is, as the protocol numbers it."""

    TRUE = 1
    FALSE = 2
    BYTE = 3
    I16 = 4
    I32 = 5
    I64 = 6
    DOUBLE = 7
    BINARY = 8
    LIST = 9
    SET = 10
    STRUCT = 12


_BOOLEANS = frozenset({int(Type.TRUE), int(Type.FALSE)})
Struct = dict[int, tuple[int, Any]]  # by number of the field, ascending: its type and value


def read_struct(text: bytes) -> Struct:
    """The struct that `text` starts with.

    A list or set is a pair of its elements' type and these. Raises ValueError for what is no such struct.
    """
    try:
        return _Reader(text).struct()
    except IndexError as error:
        raise ValueError("it ends too early") from error


def write_struct(struct: Struct) -> bytes:
    """The bytes of a struct, as `read_struct` gives it."""
    out = bytearray()
    _put_struct(out, struct)
    return bytes(out)


class _Reader:
    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0
        self._read: dict[int, Callable[[], Any]] = {
            Type.TRUE: lambda: True,  # a field's type says it all
            Type.FALSE: lambda: False,
            Type.BYTE: self._byte,
            Type.I16: self._signed,
            Type.I32: self._signed,
            Type.I64: self._signed,
            Type.DOUBLE: lambda: self._bytes(8),
            Type.BINARY: lambda: self._bytes(self._unsigned()),
            Type.LIST: self._list,
            Type.SET: self._list,
            Type.STRUCT: self.struct,
        }

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            kind = head & 15
            fields[number] = kind, self._reading(kind)()
        return fields

    def _reading(self, kind: int) -> Callable[[], Any]:
        if kind not in self._read:
            raise ValueError(f"it has a value of type {kind}")
        return self._read[kind]

    def _list(self) -> tuple[int, list[Any]]:
        head = self._byte()
        size, kind = head >> 4, head & 15
        if size == _LONG:
            size = self._unsigned()
        read = self._byte if kind in _BOOLEANS else self._reading(kind)
        return kind, [read() for _ in range(size)]

    def _byte(self) -> int:
        self._at += 1
        return self._text[self._at - 1]

    def _bytes(self, count: int) -> bytes:
        self._at += count
        if self._at > len(self._text):
            raise IndexError
        return self._text[self._at - count : self._at]

    def _unsigned(self) -> int:
        text, at = self._text, self._at
        number = shift = 0
        while (one := text[at]) & 0x80:
            number |= (one & 0x7F) << shift
            shift += 7
            at += 1
        self._at = at + 1
        return number | one << shift

    def _signed(self) -> int:
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)


def _put_struct(out: bytearray, struct: Struct) -> None:
    before = 0
    for number, (kind, value) in struct.items():
        if 0 < number - before <= _LONG:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            _put_signed(out, number)
        before = number
        _put_value(out, kind, value)
    out.append(0)


def _put_value(out: bytearray, kind: int, value: Any) -> None:
    put = _PUT.get(kind)
    if put is None:
        raise ValueError(f"no value can be of type {kind}")
    put(out, value)


def _put_bytes(out: bytearray, value: bytes) -> None:
    _put_unsigned(out, len(value))
    out += value


def _put_list(out: bytearray, value: tuple[int, list[Any]]) -> None:
    kind, elements = value
    if len(elements) < _LONG:
        out.append(len(elements) << 4 | kind)
    else:
        out.append(_LONG << 4 | kind)
        _put_unsigned(out, len(elements))
    if kind in _BOOLEANS:
        out += bytes(elements)
        return
    for element in elements:
        _put_value(out, kind, element)


def _put_unsigned(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _put_signed(out: bytearray, number: int) -> None:
    _put_unsigned(out, number << 1 if number >= 0 else (-number << 1) - 1)


_PUT: dict[int, Callable[[bytearray, Any], object]] = {
    Type.TRUE: lambda out, value: None,
    Type.FALSE: lambda out, value: None,
    Type.BYTE: bytearray.append,
    Type.I16: _put_signed,
    Type.I32: _put_signed,
    Type.I64: _put_signed,
    Type.DOUBLE: bytearray.extend,
    Type.BINARY: _put_bytes,
    Type.LIST: _put_list,
    Type.SET: _put_list,
    Type.STRUCT: _put_struct,
}

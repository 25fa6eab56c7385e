"""Thrift's compact protocol, as far as the footers of Parquet files use it, without a schema.

What is read is written again as the same bytes (doc/specs/thrift-compact-protocol.md of Apache Thrift).
"""

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

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            fields[number] = head & 15, self._value(head & 15)
        return fields

    def _value(self, kind: int) -> Any:
        match kind:
            case Type.TRUE | Type.FALSE:  # a field's type says it all
                value: Any = kind == Type.TRUE
            case Type.BYTE:
                value = self._byte()
            case Type.I16 | Type.I32 | Type.I64:
                value = self._signed()
            case Type.DOUBLE:
                value = self._bytes(8)
            case Type.BINARY:
                value = self._bytes(self._unsigned())
            case Type.LIST | Type.SET:
                value = self._list()
            case Type.STRUCT:
                value = self.struct()
            case _:
                raise ValueError(f"it has a value of type {kind}")
        return value

    def _list(self) -> tuple[int, list[Any]]:
        head = self._byte()
        size, kind = head >> 4, head & 15
        if size == _LONG:
            size = self._unsigned()
        if kind in {Type.TRUE, Type.FALSE}:
            return kind, [self._byte() for _ in range(size)]
        return kind, [self._value(kind) for _ in range(size)]

    def _byte(self) -> int:
        self._at += 1
        return self._text[self._at - 1]

    def _bytes(self, count: int) -> bytes:
        self._at += count
        if self._at > len(self._text):
            raise IndexError
        return self._text[self._at - count : self._at]

    def _unsigned(self) -> int:
        number = shift = 0
        while (one := self._byte()) & 0x80:
            number |= (one & 0x7F) << shift
            shift += 7
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
    if kind in {Type.TRUE, Type.FALSE}:
        return
    if kind == Type.BYTE:
        out.append(value)
    elif kind in {Type.I16, Type.I32, Type.I64}:
        _put_signed(out, value)
    elif kind == Type.DOUBLE:
        out += value
    elif kind == Type.BINARY:
        _put_unsigned(out, len(value))
        out += value
    elif kind in {Type.LIST, Type.SET}:
        _put_list(out, *value)
    elif kind == Type.STRUCT:
        _put_struct(out, value)
    else:
        raise ValueError(f"no value can be of type {kind}")


def _put_list(out: bytearray, kind: int, elements: list[Any]) -> None:
    if len(elements) < _LONG:
        out.append(len(elements) << 4 | kind)
    else:
        out.append(_LONG << 4 | kind)
        _put_unsigned(out, len(elements))
    if kind in {Type.TRUE, Type.FALSE}:
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

"""Join Parquet files of one schema without unpacking them: their row groups one by one, and one footer.

A row group says nowhere where in the file it stands; the footer does, by offsets, and these are moved. The
numbers of its fields are those of `parquet.thrift` (github.com/apache/parquet-format).
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from annotations.engine.thrift_compact import Struct, Type, read_struct, write_struct

_MAGIC = b"PAR1"
_TAIL_BYTES = 8  # length of the footer, magic
_FILE_ROWS, _FILE_ROW_GROUPS = 3, 4
_GROUP_COLUMNS, _GROUP_ROWS, _GROUP_OFFSET, _GROUP_NUMBER = 1, 3, 5, 7
_CHUNK_METADATA = 3
_CHUNK_OFFSETS = (2, 4, 6)  # of its metadata, of the offset index and of the column index
_COLUMN_OFFSETS = (9, 10, 11, 14)  # of data, index and dictionary pages, and of the Bloom filter
_COPY_BYTES = 256 << 10  # of so much the memory is used again and again


def join_parquet(parts: Sequence[Path], target: Path) -> None:
    """Write the rows of all `parts` (at least one), in order, with the schema and metadata of the first.

    Raises ValueError for a part that is no whole Parquet file.
    """
    footers: list[Struct] = []
    groups: list[Struct] = []
    with target.open("wb") as out:
        out.write(_MAGIC)
        for part in parts:
            with part.open("rb") as file:
                footer, footer_start = _footer(file, part)
                shift = out.tell() - len(_MAGIC)
                file.seek(len(_MAGIC))
                _copy(file, out, footer_start - len(_MAGIC))
            for group in footer[_FILE_ROW_GROUPS][1][1]:
                _move(group, shift)
                if _GROUP_NUMBER in group:
                    group[_GROUP_NUMBER] = group[_GROUP_NUMBER][0], len(groups)
                groups.append(group)
            footers.append(footer)
        whole = footers[0]
        rows = sum(group[_GROUP_ROWS][1] for group in groups)
        whole[_FILE_ROWS] = whole[_FILE_ROWS][0], rows
        whole[_FILE_ROW_GROUPS] = Type.LIST, (Type.STRUCT, groups)
        text = write_struct(whole)
        out.write(text + len(text).to_bytes(4, "little") + _MAGIC)


def _footer(file: BinaryIO, part: Path) -> tuple[Struct, int]:
    """The footer, and where it starts."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read()
    length = int.from_bytes(tail[:4], "little")
    start = size - _TAIL_BYTES - length
    if tail[4:] != _MAGIC or start < len(_MAGIC):
        raise ValueError(f"{part} is no whole Parquet file")
    file.seek(start)
    try:
        return read_struct(file.read(length)), start
    except ValueError as error:
        raise ValueError(f"the footer of {part} cannot be read: {error}") from error


def _move(group: Struct, shift: int) -> None:
    _shift(group, (_GROUP_OFFSET,), shift)
    for chunk in group[_GROUP_COLUMNS][1][1]:
        _shift(chunk, _CHUNK_OFFSETS, shift)
        _shift(chunk[_CHUNK_METADATA][1], _COLUMN_OFFSETS, shift)


def _shift(struct: Struct, fields: Sequence[int], shift: int) -> None:
    for field in fields:
        if field in struct and struct[field][1]:  # 0 stands for none
            kind, offset = struct[field]
            struct[field] = kind, offset + shift


def _copy(source: BinaryIO, target: BinaryIO, count: int) -> None:
    while count:
        block = source.read(min(_COPY_BYTES, count))
        target.write(block)
        count -= len(block)

"""Columns of texts that kernels write and read, and polars' own, from one to the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import nanoarrow
import numpy as np
import polars as pl
from nanoarrow.c_array import c_array_from_buffers

from annotations.engine.kernels.library import Array, Room, Structure, TextColumn, call

_VIEW_BYTES, _LENGTH_BYTES = 16, 4  # of Arrow's string views, and of the length that heads each
_FEW_LONG = 4  # up to a quarter of the texts
_NOTHING = np.zeros(1, np.uint8)  # C wants a place to point at


@dataclass(frozen=True)
class Texts:
    """A column of texts: the n-th are the `length[n]` bytes of `data` from `at[n]` on; -1 of them is a null.

    Several may be of the same bytes. `data` is uint8, `at` int64 and `length` int32.
    """

    data: Array
    at: Array
    length: Array

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def of(cls, series: pl.Series) -> Self:
        """The texts of a column of polars'; short ones are not copied."""
        short = cls._short(series)
        return cls._copied(series) if short is None else short

    @classmethod
    def _short(cls, series: pl.Series) -> Self | None:
        """The texts where polars has them: none has more bytes than a view of Arrow's holds itself."""
        if not len(series):
            return cls.nulls(0)
        views = next(iter(nanoarrow.c_array_stream(series.rechunk()))).view()
        data = np.frombuffer(views.buffer(1), np.uint8)
        rows = slice(views.offset, views.offset + len(series))
        length = data.view(np.int32)[:: _VIEW_BYTES // 4][rows].copy()
        if length.max() > _VIEW_BYTES - _LENGTH_BYTES:
            return None
        if views.null_count:
            length[np.unpackbits(views.buffer(0), bitorder="little")[rows] == 0] = -1
        first = rows.start * _VIEW_BYTES + _LENGTH_BYTES
        return cls(data, np.arange(first, first + len(series) * _VIEW_BYTES, _VIEW_BYTES), length)

    @classmethod
    def _copied(cls, series: pl.Series) -> Self:
        data = np.frombuffer(series.fill_null("").str.join("").item().encode() or b"\0", np.uint8)
        lengths = series.str.len_bytes().cast(pl.Int64)
        bytes_of_each = lengths.fill_null(0).to_numpy()
        return cls(
            data, np.cumsum(bytes_of_each) - bytes_of_each, lengths.fill_null(-1).cast(pl.Int32).to_numpy()
        )

    @classmethod
    def of_strings(cls, strings: Sequence[str | None]) -> Self:
        encoded = [(string or "").encode() for string in strings]
        lengths = np.array([len(one) for one in encoded], np.int64)
        is_null = np.array([string is None for string in strings], np.bool_)
        return cls(
            np.frombuffer(b"".join(encoded) or b"\0", np.uint8),
            np.cumsum(lengths) - lengths,
            np.where(is_null, -1, lengths).astype(np.int32),
        )

    @classmethod
    def nulls(cls, count: int) -> Self:
        return cls(_NOTHING, np.zeros(count, np.int64), np.full(count, -1, np.int32))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """One column of several, one behind the other."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.nulls(0)
        starts = np.cumsum([0, *(len(part.data) for part in parts[:-1])])
        return cls(
            np.concatenate([part.data for part in parts]),
            np.concatenate([part.at + start for part, start in zip(parts, starts.tolist(), strict=True)]),
            np.concatenate([part.length for part in parts]),
        )

    def take(self, rows: Array) -> Self:
        """The texts of these rows (numbers, of which -1 gives a null, or a mask); their bytes are shared."""
        if rows.dtype == np.bool_:
            return type(self)(self.data, self.at[rows], self.length[rows])
        if not len(self):
            return self.nulls(len(rows))
        return type(self)(self.data, self.at[rows], np.where(rows < 0, np.int32(-1), self.length[rows]))

    def part(self, first: int, last: int) -> Self:
        """Texts number `first` up to `last` (exclusive)."""
        return type(self)(self.data, self.at[first:last], self.length[first:last])

    def strings(self) -> list[str | None]:
        data = self.data.tobytes()
        return [
            None if length < 0 else data[at : at + length].decode()
            for at, length in zip(self.at.tolist(), self.length.tolist(), strict=True)
        ]

    def where(self, rows: Array) -> Self:
        """The texts of these rows (a mask), and nulls in the others."""
        return (
            self if rows.all() else type(self)(self.data, self.at, np.where(rows, self.length, np.int32(-1)))
        )

    def series(self, name: str = "") -> pl.Series:
        """The same as a column of polars', which copies the bytes. They have to be UTF-8."""
        is_long = self.length > _VIEW_BYTES - _LENGTH_BYTES
        count = np.count_nonzero(is_long)
        if not count:
            return self._viewed().alias(name)
        if _FEW_LONG * count > len(self):
            return self._packed().alias(name)
        rows = np.arange(len(self), dtype=np.uint32)
        rows[is_long] = np.arange(len(self), len(self) + count)
        return pl.concat([self._viewed(), self.take(is_long)._packed()], rechunk=True)[pl.Series(rows)].alias(
            name
        )

    def _viewed(self) -> pl.Series:
        """Those that a view of Arrow's holds itself; longer ones are empty."""
        views = np.empty(_VIEW_BYTES * len(self), np.uint8)
        call("view_texts", self.for_kernels, views)
        buffers = [self._valid, views, np.empty(0, np.int64)]  # there are no bytes but those of the views
        return pl.Series(c_array_from_buffers(nanoarrow.string_view(), len(self), buffers))

    def _packed(self) -> pl.Series:
        room = int(self.length.sum(where=self.length > 0, dtype=np.int64))
        data, offsets = np.empty(max(room, 1), np.uint8), np.empty(len(self) + 1, np.int64)
        out = Room(bytes=data, size=room, used=0)
        call("pack_texts", self.for_kernels, out, offsets)
        buffers = [self._valid, offsets, data[: out.used]]
        return pl.Series(c_array_from_buffers(nanoarrow.large_string(), len(self), buffers))

    @property
    def _valid(self) -> Array | None:
        """A bit for each text, which is not set for a null; None where there is none."""
        valid = self.length >= 0
        return None if valid.all() else np.packbits(valid, bitorder="little")

    @cached_property
    def for_kernels(self) -> Structure:
        """The texts as kernels read them (struct texts of text.h)."""
        return TextColumn(
            bytes=self.data, size=len(self.data), count=len(self), at=self.at, length=self.length
        )


def text_column(texts: pl.Series) -> Structure:
    """The texts of a column of polars' for a kernel to read."""
    return Texts.of(texts).for_kernels

"""Blocks of bytes as text, and as lines."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from annotations.engine.check.report import Finding, Report
from annotations.engine.kernels.library import Array, call


def clean_text(block: bytes, first_line: int, report: Report) -> bytes:
    """The block with what is no text replaced, each such fault told in the report with its line."""
    at = block.find(b"\0")
    if at >= 0:
        line = first_line + block.count(b"\n", 0, at)
        message = "a NUL byte stands in the text. The file was damaged; export or transfer it again."
        report.add_problem(Finding("nul-byte", message, line=line, count=block.count(b"\0")))
        block = block.replace(b"\0", b"?")
    if block.isascii():
        return block
    try:
        block.decode()
    except UnicodeDecodeError as error:
        line = first_line + block.count(b"\n", 0, error.start)
        report.add_problem(
            Finding(
                "not-utf8",
                f"byte 0x{block[error.start]:02x} is not valid UTF-8. Save the file as UTF-8, or remove "
                "accented letters, and upload it again.",
                line=line,
            )
        )
        return block.decode(errors="replace").encode()
    return block


def read_lines(block: bytes) -> pl.Series:
    """The lines, without newlines, of a block of valid UTF-8 that ends in a newline."""
    return pl.read_lines(block, name="line")["line"]


def count_lines(text: bytes) -> int:
    """How many newlines there are; unlike `text.count`, other threads run meanwhile."""
    return call("count_lines", np.frombuffer(text, np.uint8), len(text))


class RecordLines:
    """The record lines of a block of valid UTF-8 that ends in a newline.

    `ends` has where each line ends in `text`, with its newline; `positions` its POS, -1 where that is no
    number of at most ten digits; `runs` the lines at which CHROM is another than in the line before.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._bytes = np.frombuffer(text, np.uint8)
        count = count_lines(text)
        self.ends, self.positions, starts_run = (np.empty(count, np.int64) for _ in range(3))
        runs = call("find_places", self._bytes, len(text), count, self.ends, self.positions, starts_run)
        self.runs: list[int] = starts_run[:runs].tolist()

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> str:
        """A line, without its newline."""
        return self._line(number).decode()

    def contig(self, number: int) -> str:
        return self._line(number).partition(b"\t")[0].decode()

    def blank(self) -> Array:
        """The numbers of the lines that have nothing in them."""
        if (self.positions >= 0).all():
            return np.empty(0, np.int64)
        return np.flatnonzero(np.diff(self.ends, prepend=0) == 1)

    def series(self, numbers: Sequence[int] | None = None) -> pl.Series:
        """Some of the lines, or all of them."""
        if numbers is None:
            return read_lines(self.text)
        return read_lines(b"".join(self._line(number) + b"\n" for number in numbers))

    def _line(self, number: int) -> bytes:
        start = int(self.ends[number - 1]) if number else 0
        return self.text[start : int(self.ends[number]) - 1]

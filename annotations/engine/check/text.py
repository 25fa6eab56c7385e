"""Blocks of bytes as text, and as lines."""

import polars as pl

from annotations.engine.check.report import Finding, Report


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

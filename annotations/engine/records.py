"""The record lines of a chunk as columns, every one as text, so that what is not edited stays as it came."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from annotations.engine.check.text import read_lines
from annotations.engine.layout import Chunk

FIXED = ("chrom", "pos", "id", "ref", "alt", "qual", "filter", "info")
_MOST_COLUMNS = 40  # beyond this the samples stay one piece of text
REST = "rest"  # FORMAT and the samples as one piece of text
FORMAT = "format"


def sample_column(number: int) -> str:
    return f"sample_{number}"


def read_chunks(path: Path, chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
    """Each of `chunks` with its bytes."""
    with path.open("rb") as file:
        for chunk in chunks:
            file.seek(chunk.start_byte)
            yield chunk, file.read(chunk.end_byte - chunk.start_byte)


def read_records(block: bytes, column_count: int) -> pl.DataFrame:
    """Columns FIXED, then FORMAT and one column a sample, or all of that as REST where there are many."""
    if column_count > _MOST_COLUMNS:
        return (
            read_lines(block)
            .str.splitn("\t", len(FIXED) + 1)
            .struct.rename_fields([*FIXED, REST])
            .struct.unnest()
        )
    names = list(FIXED)
    if column_count > len(FIXED):
        names.append(FORMAT)
        names += [sample_column(number) for number in range(column_count - len(FIXED) - 1)]
    return pl.read_csv(
        block,
        separator="\t",
        has_header=False,
        quote_char=None,
        schema=dict.fromkeys(names, pl.String),
        empty_string_is_null=False,
    )

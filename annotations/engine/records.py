"""The record lines of a chunk as columns, every one as text, so that what is not edited stays as it came."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import polars as pl

from annotations.engine.check.text import read_lines
from annotations.engine.layout import Segment

FIXED = ("chrom", "pos", "id", "ref", "alt", "qual", "filter", "info")
CHUNK_BYTES = 1 << 20
CHUNK_RECORDS = 40_000
_MOST_COLUMNS = 40  # beyond this the samples stay one piece of text
REST = "rest"  # FORMAT and the samples as one piece of text
FORMAT = "format"


def sample_column(number: int) -> str:
    return f"sample_{number}"


def chunks(path: Path, segments: Sequence[Segment]) -> Iterator[tuple[list[Segment], bytes]]:
    """Runs of consecutive segments, up to 40,000 records or 1 MB each, with their bytes."""
    with path.open("rb") as file:
        taken: list[Segment] = []
        for segment in segments:
            records = sum(one.records for one in taken) + segment.records
            if taken and (records > CHUNK_RECORDS or segment.end_byte - taken[0].start_byte > CHUNK_BYTES):
                yield taken, _bytes(file, taken)
                taken = []
            taken.append(segment)
        if taken:
            yield taken, _bytes(file, taken)


def _bytes(file: IO[bytes], taken: list[Segment]) -> bytes:
    file.seek(taken[0].start_byte)
    return file.read(taken[-1].end_byte - taken[0].start_byte)


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

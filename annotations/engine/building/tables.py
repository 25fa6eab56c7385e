"""TSV, CSV and BED in, batches of rows out: every value a text, each line known by its number."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from annotations.engine.building.inputs import kind_of, open_input
from annotations.engine.bundle import BundleError

BATCH_BYTES = 32 << 20
_NOT_DATA = (b"#", b"track ", b"browser ")  # comments; BED's lines for genome browsers
_MISSING = ("", ".", "NA")
_POLARS_TYPES = {"Float": pl.Float64, "Integer": pl.Int32, "String": pl.String}


@dataclass(frozen=True)
class TakenColumn:
    """A column to take and the field that it becomes: Float, Integer or String.

    `column` is its name in the header line, or its number from 1.
    """

    column: str | int
    name: str
    type: str = "String"
    description: str = ""


@dataclass(frozen=True)
class TableLayout:
    """How a table is laid out; columns are named as its header line does, or numbered from 1.

    A table of alleles has `ref` and `alt`, one of intervals has `end`. Positions count from 1, and ends are
    inclusive, unless `zero_based`: then they are BED's (from 0, end exclusive).
    """

    contig: str | int
    start: str | int
    end: str | int | None = None
    ref: str | int | None = None
    alt: str | int | None = None
    separator: str = "\t"
    header: bool = True
    zero_based: bool = False
    fields: tuple[TakenColumn, ...] = ()


def read_table(path: Path, layout: TableLayout) -> Iterator[pl.DataFrame]:
    """Batches with the columns `line` (its number in the file), contig, start, end, ref, alt and the fields.

    `start` and `end` are 1-based and inclusive. Fields are typed, null where the file has nothing, '.' or
    NA; so is an allele's start. Raises BundleError for a line that does not fit the layout.
    """
    with open_input(path) as file:
        header, first, number = _head(file, path, layout)
        columns = _column_numbers(header, first, path, layout)
        rest = first
        while lines := rest + file.read(BATCH_BYTES):
            lines += file.readline()
            yield _typed(_parsed(lines, number, columns, path, layout), path, layout)
            number += lines.count(b"\n")
            rest = b""


def _head(file: BinaryIO, path: Path, layout: TableLayout) -> tuple[list[str], bytes, int]:
    """Names in the header line (none without one), the first line of data, and that line's number."""
    header = b""
    for number, line in enumerate(file, 1):
        if line.startswith(_NOT_DATA):
            header = line if line.startswith(b"#") else header  # the last comment may name the columns
            continue
        if not line.strip():
            continue
        if layout.header and layout.separator.encode() not in header:
            header = line
            continue
        names = header.lstrip(b"#").decode("utf-8", "replace").strip("\r\n").split(layout.separator)
        return ([name.strip() for name in names] if layout.header else []), line, number
    raise BundleError(f"{path} has no line of data. Download it again, or look at its layout in the recipe.")


def _column_numbers(header: list[str], first: bytes, path: Path, layout: TableLayout) -> dict[str, int]:
    """The number, from 0, of each column that is taken."""
    found = first.decode("utf-8", "replace").rstrip("\r\n").split(layout.separator)
    wanted = {"contig": layout.contig, "start": layout.start}
    optional = {"end": layout.end, "ref": layout.ref, "alt": layout.alt}
    wanted.update((name, column) for name, column in optional.items() if column is not None)
    wanted.update((field.name, field.column) for field in layout.fields)
    numbers = {}
    for name, column in wanted.items():
        if isinstance(column, int):
            numbers[name] = column - 1
        elif column.lstrip("#") in header:
            numbers[name] = header.index(column.lstrip("#"))
        else:
            raise BundleError(
                f"{path} has no column {column!r}. Its columns are {', '.join(header) or 'not named'}: name "
                "one of them in the recipe, or give its number."
            )
    if max(numbers.values()) >= len(found):
        raise BundleError(
            f"{path} has {len(found)} columns in its first line of data, and the recipe takes column "
            f"{max(numbers.values()) + 1}. Expected columns with {layout.separator!r} between them; found "
            f"{kind_of(first)}."
        )
    return numbers


def _parsed(
    lines: bytes, number: int, columns: dict[str, int], path: Path, layout: TableLayout
) -> pl.DataFrame:
    width = lines[: lines.find(b"\n")].count(layout.separator.encode()) + 1
    try:
        rows = pl.read_csv(
            lines,
            has_header=False,
            separator=layout.separator,
            schema={str(index): pl.String for index in range(width)},
            quote_char='"' if layout.separator == "," else None,
        )
    except pl.exceptions.PolarsError as error:
        raise BundleError(
            f"{path}, after line {number - 1}: expected {width} columns in every line ({error}). Mend the "
            "line or download the file again."
        ) from error
    rows = rows.select(pl.col(str(index)).alias(name) for name, index in columns.items())
    return rows.with_row_index("line", offset=number).filter(pl.col("contig").is_not_null())


def _typed(rows: pl.DataFrame, path: Path, layout: TableLayout) -> pl.DataFrame:
    shift = 1 if layout.zero_based else 0
    positions = ["start"] if layout.end is None else ["start", "end"]
    may_miss = [field.name for field in layout.fields]
    if layout.end is None:
        may_miss.append("start")  # an allele that the source could not place on this build
    rows = rows.with_columns(pl.col(may_miss).replace(dict.fromkeys(_MISSING)))
    typed = rows.with_columns(
        *(pl.col(name).cast(pl.Int32, strict=False) for name in positions),
        *(pl.col(field.name).cast(_POLARS_TYPES[field.type], strict=False) for field in layout.fields),
    )
    numbers = [(name, "Integer") for name in positions]
    numbers += [(field.name, field.type) for field in layout.fields if field.type != "String"]
    for name, kind in numbers:
        wrong = typed.get_column(name).is_null() & rows.get_column(name).is_not_null()
        if wrong.any():
            first = rows.filter(wrong).row(0, named=True)
            raise BundleError(
                f"{path}, line {first['line']}: expected {_A[kind]} in column {name}, found {first[name]!r}. "
                "Mend the line, or take the column as String."
            )
    return typed.with_columns(pl.col("start") + shift)


_A = {"Float": "a number", "Integer": "a whole number"}

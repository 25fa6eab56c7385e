"""What is written into records: the ID column and INFO, and nothing else of a line.

Where nothing else is said, a column of texts has one for each record of a chunk. Alleles are in the order of
records, and `rows` has the record of each (int32).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.kernels.library import Array, Room, Structure, call, structure
from annotations.engine.kernels.texts import Texts
from annotations.engine.known import KnownValues

CSQ_ID = "CSQ"
BCSQ_ID = "BCSQ"

_TextsOut = structure("_TextsOut", text=Room, at=np.int64, length=np.int32)
_Field = structure("_Field", next="", name="", values="", value_of=np.int32, is_flag=int, divides=int)
_AllelesOf = structure("_AllelesOf", count=int, record=np.int32)
_BYTES_OF_ONE = 32  # as a first guess


@dataclass(frozen=True)
class OutputIds:
    """The INFO ids that the engine writes, and what a user's own field of such a name becomes."""

    renamed: dict[str, str]

    @classmethod
    def choose(cls, bundle: ReferenceBundle, keep_bcsq: bool, declared: set[str]) -> "OutputIds":
        ours = [CSQ_ID, *([BCSQ_ID] if keep_bcsq else [])]
        ours += [field.id for source in bundle.known_sources for field in source.fields]
        ours += [field.id for source in bundle.interval_sources for field in source.fields]
        renamed: dict[str, str] = {}
        for name in ours:
            new = f"{name}_input"
            while new in declared or new in ours:
                new += "_input"
            renamed[name] = new
        return cls(renamed)

    @cached_property
    def names(self) -> Texts:
        """Our ids."""
        return Texts.of_strings(list(self.renamed))


def renamed_fields(info: Texts, ids: OutputIds) -> Texts | None:
    """INFO with the user's fields that are called like ours under their new names; None where none is."""
    if call("find_named", info.for_kernels, ids.names.for_kernels) == len(info):
        return None
    texts = info.series()
    for old, new in ids.renamed.items():
        texts = texts.str.replace(rf"(^|;){old.replace('.', chr(92) + '.')}(=|;|$)", f"${{1}}{new}${{2}}")
    return Texts.of(texts)


def info_additions(
    rows: Array, records: int, known: Sequence[KnownValues], intervals: pl.DataFrame | None
) -> Texts | None:
    """What is added to each record's INFO in front of CSQ, with no semicolon first; null for nothing.

    `known` and `intervals` (a list column for each field) are of the alleles. Several alleles of a record
    have their known values divided by commas, '.' for none; of intervals each value is named once.
    """
    tails = _interval_texts(rows, records, intervals) if intervals is not None else None
    fields = _fields(known)
    if fields is None:
        return tails
    alleles = _AllelesOf(count=len(rows), record=rows)
    if tails is None:
        tails = Texts.nulls(records)
    return _written("write_additions", records, fields, alleles, tails.for_kernels, records)


def _fields(known: Sequence[KnownValues]) -> Structure | None:
    """The known fields as the kernel takes them, the first of which leads to the others; flags come last."""
    fields = [(values, field) for values in known for field in values.source.fields]
    fields.sort(key=lambda one: one[1].type == "Flag")
    first: Structure | None = None
    for values, field in reversed(fields):
        following = {"next": first} if first else {}
        first = _Field(
            name=Texts.of_strings([field.id]).for_kernels,
            values=values.texts(field).for_kernels,
            value_of=values.first,
            is_flag=field.type == "Flag",
            # one value an allele: what the source divides by commas is divided by & here, as VEP does
            divides=field.type == "String",
            **following,
        )
    return first


def _interval_texts(rows: Array, records: int, intervals: pl.DataFrame) -> Texts | None:
    """`name=one,two` for each field, divided by semicolons, with each value once; null for nothing."""
    if not intervals.width:
        return None
    names = intervals.columns
    columns = intervals.select(_as_info(pl.col(name), kind) for name, kind in intervals.schema.items())
    if len(rows) != records:
        by_record = columns.with_columns(pl.Series("row", rows)).group_by("row", maintain_order=True)
        columns = by_record.agg(pl.col(name).explode() for name in names)
    text = columns.select(
        pl.concat_str([_named_list(name) for name in names], separator=";", ignore_nulls=True).alias("text")
    )
    return Texts.of(text.select(pl.when(pl.col("text") != "").then("text")).to_series())


def _as_info(column: pl.Expr, kind: Any) -> pl.Expr:
    """The values as texts that can stand in INFO; those of a table may hold anything."""
    text = pl.element().cast(pl.String)
    if kind == pl.List(pl.String):
        text = text.str.replace_all(",", "&", literal=True).str.replace_all(r"[;=\s]", "_")
    return column.list.eval(text)


def _named_list(name: str) -> pl.Expr:
    """`name=one,two`, each value once; null where there is none."""
    values = pl.col(name).list.drop_nulls().list.unique(maintain_order=True)
    return pl.when(values.list.len() > 0).then(pl.lit(f"{name}=") + values.list.join(","))


def merged_ids(own: Texts, rows: Array, known: Sequence[KnownValues]) -> Texts | None:
    """The ID column: the user's own ids, then those of known variants that are not among them.

    None where nothing is known.
    """
    found = [ids for values in known if (ids := values.ids) is not None and (ids.length >= 0).any()]
    if not found:
        return None
    ids, of = Texts.join(found), rows
    if len(found) > 1:  # those of an allele stand together
        ids = ids.take(np.arange(len(ids)).reshape(len(found), -1).T.ravel())
        of = np.repeat(rows, len(found))
    return _written("merge_ids", len(own), own.for_kernels, ids.for_kernels, of)


def _written(kernel: str, count: int, *arguments: Any) -> Texts:
    """The texts that a kernel writes, so many."""
    at, length = np.empty(count, np.int64), np.empty(count, np.int32)
    size = _BYTES_OF_ONE * max(count, 1)
    while True:
        data = np.empty(size, np.uint8)
        out = _TextsOut(text=Room(bytes=data, size=size, used=0), at=at, length=length)
        call(kernel, *arguments, out)
        if out.text.used <= size:
            return Texts(data[: out.text.used], at, length)
        size = out.text.used


def bcsq_by_row(said: pl.DataFrame) -> pl.DataFrame:
    """One row a record, of rows an allele: row, bcsq (without repetitions) and samples."""
    return (
        said.with_columns(pl.col("bcsq").str.split(","))
        .explode("bcsq")
        .group_by("row", maintain_order=True)
        .agg(pl.col("bcsq").unique(maintain_order=True).str.join(","), pl.col("samples").first())
    )


def with_bcsq(additions: Texts | None, said: pl.DataFrame, records: int) -> Texts:
    """The additions with bcftools' own BCSQ in front; `said` is from `bcsq_by_row`."""
    more = Texts.nulls(records) if additions is None else additions
    rows = pl.DataFrame({"row": np.arange(records, dtype=np.uint32), "more": more.series()})
    frame = rows.join(said, on="row", how="left", maintain_order="left").with_columns(
        (pl.lit(f"{BCSQ_ID}=") + pl.col("bcsq")).alias("bcsq")
    )
    both = pl.concat_str("bcsq", "more", separator=";", ignore_nulls=True)
    return Texts.of(frame.select(pl.when(both != "").then(both)).to_series())


def with_sample_bcsq(rests: Texts, said: pl.DataFrame) -> Texts | None:
    """FORMAT and the samples with BCSQ, which says which haplotype of which sample has which consequence.

    `rests` is both as they came, `said` from `bcsq_by_row`. A sample that leaves off trailing fields gets
    them as '.', so that the new one has its place. Null for records without it, None where none has it.
    """
    given = said.filter(pl.col("samples").is_not_null())
    if not len(given):
        return None
    rows = given["row"].to_numpy()
    texts = rests.take(rows.astype(np.int64)).series()
    edited = [_with_bitmasks(text, bitmasks) for text, bitmasks in zip(texts, given["samples"], strict=True)]
    numbers = np.full(len(rests), -1, np.int64)
    numbers[rows] = np.arange(len(rows))
    return Texts.of_strings(edited).take(numbers)


def _with_bitmasks(text: str, bitmasks: str) -> str:
    own_format, *cells = text.split("\t")
    length = own_format.count(":")
    filled = (
        f"{cell}{':.' * (length - cell.count(':'))}:{bitmask}"
        for cell, bitmask in zip(cells, bitmasks.split("\t"), strict=True)
    )
    return "\t".join([f"{own_format}:{BCSQ_ID}", *filled])

"""TSV of alleles in (CADD, REVEL and their like), a VCF out: from there on it is a known-variant source."""

import re
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pysam

from annotations.engine.building.tables import TableLayout, read_table
from annotations.engine.bundle import BundleError

_ALLELE = "^[ACGTNacgtn]+$"


def write_table_as_vcf(files: Iterable[Path], layout: TableLayout, target: Path, version: str | None) -> Path:
    """Write the rows of the files, in their order, as BGZF VCF; each taken column becomes an INFO field.

    Rows without a position (where the source has none on this build) are left out. Raises BundleError for
    an allele that is none.
    """
    with pysam.BGZFile(str(target), "wb", None) as out:
        out.write(_header(layout, version))
        for file in files:
            for batch in read_table(file, layout):
                _check_alleles(batch, file)
                out.write(_lines(batch.filter(pl.col("start") > 0), layout))
    return target


def _header(layout: TableLayout, version: str | None) -> bytes:
    lines = ["##fileformat=VCFv4.2", *([f"##fileDate={version}"] if version else [])]
    for field in layout.fields:
        description = re.sub(r'["\\\n]', " ", field.description)
        lines.append(f'##INFO=<ID={field.name},Number=A,Type={field.type},Description="{description}">')
    return "\n".join([*lines, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", ""]).encode()


def _check_alleles(batch: pl.DataFrame, file: Path) -> None:
    for name in ("ref", "alt"):
        wrong = batch.filter(~pl.col(name).str.contains(_ALLELE))
        if not wrong.is_empty():
            first = wrong.row(0, named=True)
            raise BundleError(
                f"{file}, line {first['line']}: expected bases in column {name}, found {first[name]!r}. Name "
                "the right column in the recipe, or mend the line."
            )


def _lines(batch: pl.DataFrame, layout: TableLayout) -> bytes:
    # In INFO, commas and semicolons part values: a text that holds them is percent-encoded (VCF 4.3, 1.2).
    values = [
        pl.when(pl.col(field.name).is_not_null()).then(
            pl.concat_str(
                pl.lit(f"{field.name}="),
                pl.col(field.name)
                .cast(pl.String)
                .str.replace_many(["%", ";", ",", "=", " "], ["%25", "%3B", "%2C", "%3D", "%20"]),
            )
        )
        for field in layout.fields
    ]
    info = pl.concat_str(values, separator=";", ignore_nulls=True).replace({"": "."})
    dot = pl.lit(".")
    line = pl.concat_str(
        [
            pl.col("contig"),
            pl.col("start").cast(pl.String),
            dot,
            pl.col("ref"),
            pl.col("alt"),
            dot,
            dot,
            info,
        ],
        separator="\t",
    )
    lines = batch.select(line).to_series().to_list()
    return "".join(f"{one}\n" for one in lines).encode()

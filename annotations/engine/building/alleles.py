"""Alleles of known variants on disk: normalised VCF text in, one sorted Parquet a contig out."""

# ruff: noqa: S608 - columns are named by checked field ids, files by quoted paths of our own

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import duckdb

from annotations.engine.building.known_header import SourceField
from annotations.engine.bundle import BundleError

ROW_GROUP_ROWS = 16_384  # what a look-up of a few positions has to read at least
MEMORY_LIMIT = "512MB"
_SQL_TYPES = {"Float": "DOUBLE", "Integer": "INTEGER"}
_VCF_COLUMNS = ("contig", "pos", "id", "ref", "alt", "qual", "filter", "info")


class AlleleStore:
    """A DuckDB file in `scratch`: it sorts more alleles than memory holds."""

    def __init__(self, scratch: Path, vcf: Path, fields: Sequence[SourceField]) -> None:
        """`vcf` is the file to name in errors; `fields` become columns, each named by its `id`."""
        self._vcf = vcf
        self._fields = fields
        self._database = duckdb.connect(
            str(scratch / "alleles.duckdb"),
            config={"memory_limit": MEMORY_LIMIT, "threads": 2, "temp_directory": str(scratch)},
        )
        columns = "".join(f", {_name(one)} {_sql_type(one)}" for one in fields)
        self._database.execute(
            "CREATE TABLE alleles "
            f"(contig VARCHAR, pos INTEGER, ref VARCHAR, alt VARCHAR, id VARCHAR{columns})"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    def add(self, normalised: Path) -> None:
        """Add the alleles of a VCF with one ALT a record. Symbolic and missing alleles have no sequence to
        match a variant by: they are left out."""
        source = self._table_of(normalised)
        raw = "".join(f", {_raw_value(one)} AS {_name(one)}" for one in self._fields)
        self._database.execute(
            "CREATE OR REPLACE TEMP VIEW raw AS SELECT contig, pos::INTEGER AS pos, upper(ref) AS ref, "
            f"upper(alt) AS alt, nullif(id, '.') AS id{raw} FROM {source} "
            "WHERE regexp_full_match(upper(ref), '[ACGTN]+') AND regexp_full_match(upper(alt), '[ACGTN]+')"
        )
        typed = "".join(f", {_name(one)}::{_sql_type(one)}" for one in self._fields)
        try:
            self._database.execute(f"INSERT INTO alleles SELECT contig, pos, ref, alt, id{typed} FROM raw")
        except duckdb.ConversionException as error:
            raise self._not_a_number() from error

    def write(self, contig: str, target: Path) -> int:
        """Write the contig's alleles, sorted by position, and forget them; return how many there are."""
        columns = "".join(f", {_name(one)}" for one in self._fields)
        escaped = str(target).replace("'", "''")
        (written,) = self._database.execute(
            f"COPY (SELECT pos, ref, alt, id{columns} FROM alleles WHERE contig = $contig "
            f"ORDER BY pos, ref, alt, id, rowid) TO '{escaped}' "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS})",
            {"contig": contig},
        ).fetchone() or (0,)
        self._database.execute("DELETE FROM alleles WHERE contig = $contig", {"contig": contig})
        if not written:
            target.unlink(missing_ok=True)
        return int(written)

    def _table_of(self, vcf: Path) -> str:
        with vcf.open("rb") as file:
            header_lines = next(number for number, line in enumerate(file, 1) if line.startswith(b"#CHROM"))
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in _VCF_COLUMNS)
        escaped = str(vcf).replace("'", "''")
        return (
            f"read_csv('{escaped}', delim='\\t', header=false, quote='', escape='', auto_detect=false, "
            f"skip={header_lines}, columns={{{columns}}})"
        )

    def _not_a_number(self) -> BundleError:
        for one in self._fields:
            found = self._database.execute(
                f"SELECT contig, pos, {_name(one)} FROM raw WHERE {_name(one)} IS NOT NULL "
                f"AND TRY_CAST({_name(one)} AS {_sql_type(one)}) IS NULL LIMIT 1"
            ).fetchone()
            if found:
                contig, pos, value = found
                return BundleError(
                    f"{self._vcf}: INFO field {one.source_id} is declared {one.type}, and its value at "
                    f"{contig}:{pos:,} is {value!r}. Mend the record or the field's ##INFO line, or leave "
                    "the field out."
                )
        return BundleError(f"{self._vcf}: a position or a value is not the number that it is declared to be.")


def _name(one: SourceField) -> str:
    return f'"{one.id}"'


def _sql_type(one: SourceField) -> str:
    if one.is_flag:
        return "BOOLEAN"
    return _SQL_TYPES.get(one.type, "VARCHAR") if one.is_one_value else "VARCHAR"


def _raw_value(one: SourceField) -> str:
    """The field's text in the INFO column, NULL where it is missing."""
    name = re.escape(one.source_id).replace("'", "''")
    if one.is_flag:
        return f"regexp_matches(info, '(?:^|;){name}(?:[=;]|$)')"
    value = f"regexp_extract(info, '(?:^|;){name}=([^;]*)', 1)"
    if one.number == "R":  # REF's value stands first
        value = f"split_part({value}, ',', 2)"
    return f"nullif(nullif({value}, ''), '.')"

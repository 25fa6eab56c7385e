"""The forms that an export can have, and how each is made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from annotations.models import Job
from annotations.results.exports.batches import Progress, Wanted
from annotations.results.exports.parquet import write_parquet
from annotations.results.exports.refusing import ExportRefused
from annotations.results.exports.text import write_json, write_tsv
from annotations.results.exports.vcf import write_vcf
from annotations.results.exports.workbook import refuse_too_large, write_xlsx
from annotations.results.rows import count
from annotations.storage import object_store

FEW_ROWS = 20_000  # made while the browser waits: a second or two
FEW_RECORDS_TO_READ = 300_000  # of the VCF, all of which is read


@dataclass(frozen=True)
class Format:
    """`write` makes the file from the table; only a VCF is made from the annotated VCF instead."""

    label: str
    hint: str
    extension: str
    content_type: str
    write: Callable[[Wanted, Path, Progress], None] | None


FORMATS: dict[str, Format] = {
    "vcf": Format("VCF", "the annotated records, compressed by BGZF", "vcf.gz", "application/gzip", None),
    "tsv": Format(
        "TSV", "a line for each allele", "tsv", "text/tab-separated-values; charset=utf-8", write_tsv
    ),
    "xlsx": Format(
        "Excel",
        "up to 1,048,575 alleles",
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        write_xlsx,
    ),
    "json": Format("JSON", "a list with an object for each allele", "json", "application/json", write_json),
    "parquet": Format(
        "Parquet", "for R, Python or DuckDB", "parquet", "application/vnd.apache.parquet", write_parquet
    ),
}


def require_format(name: str) -> None:
    """Raises ExportRefused where there is no such form."""
    if name not in FORMATS:
        raise ExportRefused(f"format: expected one of {', '.join(FORMATS)}; found “{name[:60]}”.")


def is_made_at_once(name: str, wanted: Wanted) -> bool:
    """Whether the export is small enough to wait for; else a task makes it.

    Raises ExportRefused where the form can't hold the rows, and FilterRefused.
    """
    rows = count(wanted.table, wanted.filter).rows
    if name == "xlsx":
        refuse_too_large(wanted, rows)
    if name == "vcf":
        return wanted.table.layout.records <= FEW_RECORDS_TO_READ
    return rows <= FEW_ROWS


def write(name: str, job: Job, wanted: Wanted, path: Path, progress: Progress = lambda _: None) -> None:
    """Make the export at `path`, in whose folder there is room for what it needs meanwhile.

    Raises FilterRefused, QueryTooCostly, TableUnreadable, StorageError, ObjectMissing.
    """
    form = FORMATS[name]
    if form.write is not None:
        form.write(wanted, path, progress)
        return
    source = object_store().local_path(job.result_key)
    if source is None:
        source = path.with_name("annotated.vcf.gz")
        object_store().fetch(job.result_key, source)
    write_vcf(wanted, source, path, progress)


def file_name(job: Job, name: str) -> str:
    """What the user saves it under."""
    stem = Path(job.result_key).name.split("~", 1)[-1].removesuffix(".annot.vcf.gz")
    return f"{stem}.filtered.{FORMATS[name].extension}"

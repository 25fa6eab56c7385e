"""Open the table of a job's result, wherever it is kept."""

from dataclasses import dataclass, field
from pathlib import Path

from annotations.models import Job
from annotations.results.caching import cached
from annotations.results.files import TABLE, files_of
from annotations.results.layout import TableLayout, layout_of
from annotations.storage import ObjectMissing, object_store


class NoTable(Exception):
    """The job has no table at hand: it has not got so far, it failed, or its result is in the archive."""


@dataclass(frozen=True)
class ResultTable:
    """A table on this machine's disk."""

    path: Path
    layout: TableLayout = field(compare=False, repr=False)


def open_table(job: Job) -> ResultTable:
    """Raises NoTable, StorageError, TableUnreadable, QueryTooCostly."""
    key = next((file.key for file in files_of(job) if file.kind == TABLE), None)
    if key is None:
        raise NoTable
    try:
        path = object_store().local_path(key) or cached(key)
    except ObjectMissing:
        raise NoTable from None
    return ResultTable(path, layout_of(path))

"""Exports that a task makes: asked for, followed, cancelled, fetched.

What is known of an export lies beside its file, in the store, below the job's own prefix: it goes with the
job, and with its result into the archive. Its id is made from what it is: asking twice makes one export.

    PREFIX/exports/ID/asked.json      what is wanted; removed, the export is cancelled
    PREFIX/exports/ID/progress.json   how far the task has got
    PREFIX/exports/ID/done.json       how it ended, and the name of the file
    PREFIX/exports/ID/FILE
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import structlog

from annotations.enqueue import enqueue
from annotations.leftovers import exports_prefix
from annotations.models import Job
from annotations.results.database import QueryTooCostly, TableUnreadable
from annotations.results.exports.batches import Wanted
from annotations.results.exports.formats import FORMATS, file_name, write
from annotations.results.filters import ResultFilter
from annotations.results.problems import FilterRefused
from annotations.results.tables import NoTable, open_table
from annotations.scratch import scratch_folder
from annotations.storage import ObjectMissing, object_store

log = structlog.get_logger(__name__)

MOST_OF_A_JOB = 5  # the oldest makes room
PROGRESS_EVERY_SECONDS = 1.0
ASKED, PROGRESS, DONE = "asked.json", "progress.json", "done.json"


class Cancelled(Exception):
    """Nobody wants the export any more."""


@dataclass(frozen=True)
class Export:
    """An export as its user sees it. `key` is its file's, empty before it is there; `asked_at` since 1970."""

    export_id: str
    format: str
    query: str
    rows: int
    records: int
    asked_at: float
    records_done: int = 0
    key: str = ""
    size_bytes: int = 0
    failure: str = ""

    @property
    def is_over(self) -> bool:
        return bool(self.key or self.failure)

    @property
    def label(self) -> str:
        return FORMATS[self.format].label

    @property
    def file_name(self) -> str:
        return self.key.rsplit("/", 1)[-1]


def begin(job: Job, format_name: str, wanted: Wanted, rows: int) -> Export:
    """Ask for an export, or again for one that waits; one that is there stays. Raises StorageError."""
    query = wanted.filter.query()
    identity = json.dumps([job.table_key, format_name, query])
    export_id = hashlib.sha256(identity.encode()).hexdigest()[:16]
    found = find(job, export_id)
    if found is not None and found.key:
        return found
    if found is not None:
        _remove(job, export_id)  # it failed, or was lost on its way
    export = Export(export_id, format_name, query, rows, wanted.table.layout.records, time.time())
    for old in all_of(job)[MOST_OF_A_JOB - 1 :]:
        cancel(job, old.export_id)
    _save(_folder(job, export_id) + ASKED, asdict(export))
    enqueue("export", job.job_id, export_id)
    log.info("export_asked", job_id=job.job_id, export_id=export_id, format=format_name, rows=rows)
    return export


def find(job: Job, export_id: str) -> Export | None:
    """Raises StorageError."""
    folder = _folder(job, export_id)
    asked = _load(folder + ASKED)
    if asked is None:
        return None
    return Export(**{**asked, **(_load(folder + PROGRESS) or {}), **(_load(folder + DONE) or {})})


def all_of(job: Job) -> list[Export]:
    """The newest first."""
    start = exports_prefix(job)
    ids = {key.removeprefix(start).partition("/")[0] for key in object_store().keys(start)}
    found = [export for one in ids if (export := find(job, one)) is not None]
    return sorted(found, key=lambda export: export.asked_at, reverse=True)


def cancel(job: Job, export_id: str) -> None:
    """Stop an export, or remove one that is there. Raises StorageError."""
    _remove(job, export_id)
    log.info("export_cancelled", job_id=job.job_id, export_id=export_id)


def run(job_id: str, export_id: str) -> None:
    """What the task does. Twins make the same file under the same key. Raises StorageError."""
    job = Job.objects.filter(pk=job_id).first()
    export = find(job, export_id) if job else None
    if job is None or export is None or export.is_over:
        return
    try:
        ended = _make(job, export)
    except Cancelled:
        _remove(job, export_id)
        return
    except (FilterRefused, QueryTooCostly) as error:
        ended = {"failure": str(error)}
    except (NoTable, TableUnreadable, ObjectMissing):
        log.exception("export_failed", job_id=job_id, export_id=export_id)
        ended = {"failure": "The result is no longer at hand."}
    if find(job, export_id) is None:
        _remove(job, export_id)
        return
    _save(_folder(job, export_id) + DONE, ended)
    log.info("export_ended", job_id=job_id, export_id=export_id, failure=ended.get("failure", ""))


def _make(job: Job, export: Export) -> dict[str, Any]:
    table = open_table(job)
    wanted = Wanted(table, ResultFilter.parse(parse_qs(export.query)))
    with scratch_folder() as folder:
        path = folder / file_name(job, export.format)
        write(export.format, job, wanted, path, _reporter(job, export))
        key = _folder(job, export.export_id) + path.name
        object_store().publish(path, key)
        return {"key": key, "size_bytes": path.stat().st_size, "records_done": export.records}


def _reporter(job: Job, export: Export) -> Callable[[int], None]:
    folder = _folder(job, export.export_id)
    reported_at = 0.0

    def report(records_done: int) -> None:
        nonlocal reported_at
        if time.monotonic() - reported_at < PROGRESS_EVERY_SECONDS:
            return
        reported_at = time.monotonic()
        if _load(folder + ASKED) is None:
            raise Cancelled
        _save(folder + PROGRESS, {"records_done": records_done})

    return report


def _folder(job: Job, export_id: str) -> str:
    return f"{exports_prefix(job)}{export_id}/"


def _remove(job: Job, export_id: str) -> None:
    """What is wanted goes first: the task, which looks for it, then stops."""
    folder = _folder(job, export_id)
    object_store().delete(folder + ASKED)
    for key in list(object_store().keys(folder)):
        object_store().delete(key)


def _load(key: str) -> dict[str, Any] | None:
    try:
        with object_store().open(key) as file:
            content: dict[str, Any] = json.loads(file.read())
    except ObjectMissing:
        return None
    return content


def _save(key: str, content: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content.json"
        path.write_text(json.dumps(content))
        object_store().publish(path, key)

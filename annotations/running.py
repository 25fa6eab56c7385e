"""The work of one job: claim it, annotate its input, publish the result, say how it ended.

A message may be delivered twice, so two runs of one job may stand side by side. Both may work; each publishes
under a prefix of its own, `complete` decides whose files stay, and the other removes its own.
"""

import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils.module_loading import import_string

from annotations.engine.bundle import BundleError, ReferenceBundle
from annotations.engine.errors import UnusableInput
from annotations.enqueue import enqueue
from annotations.job_queries import Outputs
from annotations.lease import lease_kept
from annotations.models import Job
from annotations.scratch import remove_abandoned, scratch_folder
from annotations.storage import ObjectMissing, StorageError, object_store

if TYPE_CHECKING:
    from annotations.engine.gather import Summary

log = structlog.get_logger(__name__)

REPORT_EVERY_SECONDS = 1.0
LONGEST_NAME = 120  # leaves room for the result's endings in a file name of 255 bytes


class TryLater(Exception):
    """What the work needs can't be had now; the job is free again."""


class _NotOurs(Exception):
    """The job was cancelled, or another run has ended it."""


class _Failure(Exception):
    """The job can't be done. `reason` is for counting, the text for the user."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Engine(Protocol):
    """What the setting ENGINE names: annotates one file into a folder, and returns what it made and counted.

    `progress` is called with the stage, the records done and all records.
    """

    def __call__(  # noqa: PLR0913  the engine's options, each named by its caller
        self,
        source: Path,
        bundle: ReferenceBundle,
        output: Path,
        /,
        *,
        cores: int,
        haplotype_aware: bool,
        progress: Callable[[str, int, int], None],
    ) -> "Summary": ...


def run(job_id: str, task_id: str, *, retry_seconds: int) -> None:
    """Do the job, unless it is taken or done.

    Raises TryLater when storage or the database fails: the caller sends the job again in `retry_seconds`.
    Whatever stops the process in an orderly way (SystemExit) frees the job on its way through.
    """
    remove_abandoned()
    if not Job.objects.claim(job_id, task_id):
        log.info("job_not_free", job_id=job_id)
        return
    job = Job.objects.get(pk=job_id)
    log.info("job_started", file=job.input_file_name, input_bytes=job.input_bytes, attempt=job.attempts)
    try:
        with lease_kept(job_id, task_id):
            _annotate(job, task_id)
    except _NotOurs:
        log.info("job_lost")
    except _Failure as failure:
        _fail(job, task_id, failure.reason, str(failure))
    except StorageError as error:
        log.warning("storage_failed", error=str(error))
        Job.objects.release(job_id, task_id, wait_seconds=retry_seconds)
        raise TryLater from error
    except (OperationalError, InterfaceError) as error:
        # Nothing can be written down, so the claim stays; whoever retries has the same task id and wins it.
        log.warning("database_failed", error=str(error))
        raise TryLater from error
    except SoftTimeLimitExceeded:
        hours = settings.CELERY_TASK_SOFT_TIME_LIMIT / 3600
        _fail(
            job,
            task_id,
            "time_limit",
            f"The annotation took longer than the {hours:.1f} hours that one file may take. "
            "Split the file, for example by chromosome, and send the parts.",
        )
    except Exception:
        log.exception("engine_failed")
        _fail(
            job,
            task_id,
            "engine_failed",
            "The annotation broke down, and it was not your file's fault as far as we can tell. "
            "Please send it once more; if that fails too, tell the people who run this service "
            "the job's number.",
        )
    except BaseException:
        # The process is being stopped, for no fault of the job.
        Job.objects.release(job_id, task_id)
        log.info("job_released")
        raise


def _annotate(job: Job, task_id: str) -> None:
    report = _Reporter(job.job_id, task_id)
    bundle = _open_reference(job.reference)
    with scratch_folder() as folder:
        # 1. Fetch.
        report("fetch", None)
        input_path = folder / _file_name(job.input_file_name)
        try:
            object_store().fetch(job.input_key, input_path)
        except ObjectMissing as missing:
            raise _Failure(
                "input_missing", "The uploaded file is no longer there. Please upload it again."
            ) from missing
        # 2. Annotate.
        engine: Engine = import_string(settings.ENGINE)
        try:
            summary = engine(
                input_path,
                bundle,
                folder / "output",
                cores=settings.ENGINE_CORES,
                haplotype_aware=job.haplotype_aware,
                progress=lambda stage, done, total: report(stage, done),
            )
        except UnusableInput as error:
            raise _Failure("unusable_input", str(error)) from error
        # 3. Publish, and say so: from here on the files are the job's, or nobody's.
        report("store", None)
        _publish(job, task_id, summary)


def _publish(job: Job, task_id: str, summary: "Summary") -> None:
    store = object_store()
    prefix = f"{_prefix(job)}{secrets.token_hex(8)}/"
    keys = {kind: prefix + Path(path).name for kind, path in summary.files.items()}
    try:
        for kind, path in summary.files.items():
            store.publish(Path(path), keys[kind])
    except BaseException:
        _remove(list(keys.values()))
        raise
    outputs = _outputs(keys, summary)
    # A `complete` that was applied, but whose reply was lost and asked for again, says that it did nothing.
    won = (
        Job.objects.complete(job.job_id, task_id, outputs)
        or Job.objects.filter(pk=job.job_id, result_key=outputs.result_key).exists()
    )
    if not won:
        _remove(list(keys.values()))
        raise _NotOurs
    log.info("job_completed", seconds=round(time.time() - job.submitted_at.timestamp(), 1))
    _remove_leftovers(job, keep=set(keys.values()))
    enqueue("notify", job.job_id)
    enqueue("schedule_archive", job.job_id)


def _prefix(job: Job) -> str:
    return f"{job.user_id}/{job.job_id}/"


def _remove_leftovers(job: Job, keep: set[str]) -> None:
    """Files of runs that were killed while they published; a run that still publishes removes its own."""
    try:
        found = set(object_store().keys(_prefix(job)))
    except StorageError as error:
        log.warning("leftovers_not_removed", error=str(error))
    else:
        _remove(sorted(found - keep - {job.input_key}))


def _remove(keys: list[str]) -> None:
    """The job has gone on without these; that they stay for now is no reason to stop."""
    for key in keys:
        try:
            object_store().delete(key)
        except StorageError as error:
            log.warning("file_not_removed", key=key, error=str(error))


def _outputs(keys: dict[str, str], summary: "Summary") -> Outputs:
    return Outputs(
        results_bucket=settings.RESULTS_BUCKET,
        result_key=keys["vcf"],
        index_key=keys["index"],
        table_key=keys["table"],
        log_key=keys["log"],
        result_bytes=Path(summary.files["vcf"]).stat().st_size,
        summary={name: value for name, value in summary.as_json().items() if name != "files"},
    )


def _fail(job: Job, task_id: str, reason: str, message: str) -> None:
    if Job.objects.fail(job.job_id, task_id, reason, message):
        log.info("job_failed", reason=reason)
        _remove_leftovers(job, keep=set())
        enqueue("notify", job.job_id)


def _open_reference(reference: str) -> ReferenceBundle:
    try:
        return ReferenceBundle.open(Path(settings.REFERENCES_DIR) / reference)
    except BundleError as error:
        log.exception("reference_missing", reference=reference)
        raise _Failure(
            "reference_missing",
            f"The reference {reference} is no longer on this service. "
            "Please send the file again with one of those that the upload page offers.",
        ) from error


def _file_name(name: str) -> str:
    """The user's name for the file, as far as it fits a path; its end stays, for it tells the format."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".-")[-LONGEST_NAME:] or "input.vcf"


class _Reporter:
    """Tells the job's record how far the run is: each new stage at once, numbers once a second."""

    def __init__(self, job_id: str, task_id: str) -> None:
        self._job_id, self._task_id = job_id, task_id
        self._stage = ""
        self._next_at = 0.0

    def __call__(self, stage: str, variants_done: int | None) -> None:
        """Raises _NotOurs when the job is no longer this run's."""
        if stage == self._stage and time.monotonic() < self._next_at:
            return
        self._stage, self._next_at = stage, time.monotonic() + REPORT_EVERY_SECONDS
        if not Job.objects.report(self._job_id, self._task_id, stage, variants_done):
            raise _NotOurs

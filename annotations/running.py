"""The work of one job: claim it, annotate its input, publish the result, say how it ended.

A message may be delivered twice, so two runs of one job may stand side by side. Both may work; each publishes
under a prefix of its own, `complete` decides whose files stay, and the other removes its own. A large input
is only divided here: its shards run as tasks of their own (`scattering`).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from annotations import scattering
from annotations.attempts import Failure, TryLater, attempt
from annotations.divided import discard_shards
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.errors import UnusableInput
from annotations.inputs import fetch_input, open_reference
from annotations.lease import lease_kept
from annotations.models import Job, Status
from annotations.provenance import digest_of
from annotations.publishing import publish
from annotations.reporting import Reporter
from annotations.scratch import remove_abandoned, scratch_folder

if TYPE_CHECKING:
    from annotations.engine.layout import Summary

__all__ = ["Engine", "TryLater", "run"]

log = structlog.get_logger(__name__)


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
    """
    remove_abandoned()
    _forget_an_earlier_run(job_id)
    if not Job.objects.claim(job_id, task_id):
        log.info("job_not_free", job_id=job_id)
        return
    job = Job.objects.get(pk=job_id)
    log.info("job_started", file=job.input_file_name, input_bytes=job.input_bytes, attempt=job.attempts)

    def release(wait_seconds: int) -> None:
        Job.objects.release(job_id, task_id, wait_seconds=wait_seconds)

    with (
        attempt(job, task_id, release, retry_seconds=retry_seconds),
        lease_kept(partial(Job.objects.extend_lease, job_id, task_id)),
    ):
        _annotate(job, task_id)


def _forget_an_earlier_run(job_id: str) -> None:
    """A job that is to run again may still have the shards of the run before."""
    job = Job.objects.filter(pk=job_id).first()
    if job is not None and job.status != Status.RUNNING:
        discard_shards(job)


def _annotate(job: Job, task_id: str) -> None:
    report = Reporter(partial(Job.objects.report, job.job_id, task_id))
    bundle = open_reference(job.reference)
    with scratch_folder() as folder:
        # 1. Fetch.
        report("fetch", None)
        input_path = fetch_input(job, folder)
        Job.objects.note_input(job.job_id, task_id, digest_of(input_path))
        # 2. Annotate, or divide what is large.
        try:
            if job.input_bytes > settings.SCATTER_BYTES:
                summary = scattering.divide(job, task_id, input_path, bundle, folder=folder, report=report)
            else:
                engine: Engine = import_string(settings.ENGINE)
                summary = engine(
                    input_path,
                    bundle,
                    folder / "output",
                    cores=settings.ENGINE_CORES,
                    haplotype_aware=job.haplotype_aware,
                    progress=report,
                )
        except UnusableInput as error:
            raise Failure("unusable_input", str(error), error.findings) from error
        if summary is None:
            return
        # 3. Publish, and say so.
        report("store", None)
        publish(job, task_id, summary)

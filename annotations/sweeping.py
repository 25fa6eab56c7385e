"""Send anew what was sent in vain. The database is the truth; a message is only a hint that may get lost.

Any number of sweeps may run at once: `resend` lets one of them send for a job, and a message too many finds
nothing to do.
"""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from annotations.divided import Divided, discard_shards
from annotations.enqueue import enqueue
from annotations.job_queries import JobQuerySet
from annotations.models import Job, Status
from annotations.scattering import mend, resume

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 500  # of each kind; the next sweep takes the rest
PATIENCE_WITH_A_QUEUE = timedelta(hours=1)


def sweep_jobs(*, jobs_in_queue: int, shards_in_queue: int = 0) -> None:
    """Jobs and shards that nobody took, that lost their worker, or whose user was not told.

    `jobs_in_queue`, `shards_in_queue`: messages that wait to be received. While there are any, a job that
    nobody took most likely has its own among them, and more would only make the queue longer.
    """
    now = timezone.now()
    _each(Job.objects.nobody_took(now, _patience(jobs_in_queue)), _annotate_again_or_give_up)
    _each(Job.objects.lease_ran_out(now), _annotate_again_or_give_up)
    _each(
        Job.objects.scattered(),
        lambda job: _mend_or_tidy(
            job, shard_patience=_patience(shards_in_queue), gather_patience=_patience(jobs_in_queue)
        ),
    )
    _each(Job.objects.nobody_told(now), lambda job: _resend(job, "notify"))


def _patience(in_queue: int) -> timedelta:
    return PATIENCE_WITH_A_QUEUE if in_queue else timedelta(seconds=settings.RESEND_AFTER_SECONDS)


def resume_all() -> None:
    """Send every job that is not over, however lately it was sent. Only for who knows that no worker is left.

    What the last worker was killed over need not wait for its lease, nor for a message that may be lost.
    """
    Job.objects.release_all()
    _each(Job.objects.scattered().filter(status=Status.RUNNING), _resume)
    _each(Job.objects.filter(status=Status.PENDING), _annotate_again_or_give_up)


def is_undelivered(job_id: str) -> bool:
    """Whether a message that was delivered in vain still tells something about its job.

    A job whose task broke down each time is failed by this, and its user told.
    """
    if Job.objects.fail_undeliverable(job_id):
        log.warning("job_undeliverable", job_id=job_id)
        enqueue("notify", job_id)
        return True
    status = Job.objects.filter(pk=job_id).values_list("status", flat=True).first()
    return status not in {None, Status.COMPLETED, Status.CANCELLED}


def _annotate_again_or_give_up(job: Job) -> bool:
    if Job.objects.give_up(job.job_id):
        log.warning("job_given_up", job_id=job.job_id, attempts=job.attempts)
        return enqueue("notify", job.job_id)
    return _resend(job, "gather" if job.scatter_id else "annotate")


def _mend_or_tidy(job: Job, *, shard_patience: timedelta, gather_patience: timedelta) -> bool:
    divided = Divided.of(job)
    if divided is None:
        return True
    if job.is_finished:
        discard_shards(job)
        return True
    return not job.is_with_shards or mend(
        divided, shard_patience=shard_patience, gather_patience=gather_patience
    )


def _resume(job: Job) -> bool:
    divided = Divided.of(job)
    return divided is None or resume(divided)


def _resend(job: Job, task: str) -> bool:
    if not Job.objects.resend(job.job_id, job.queued_at):
        return True  # another sweep sends it
    log.info("task_sent_again", job_id=job.job_id, task=task, status=job.status)
    return enqueue(task, job.job_id)


def _each(jobs: JobQuerySet, handle: Callable[[Job], bool]) -> None:
    for job in jobs.order_by("queued_at")[:MOST_AT_ONCE]:
        if not handle(job):
            return  # the broker is away, and would keep us waiting for every job

"""Ask cold storage for what a user wants back.

Who wins: `ask_retrieval` lets the first of two askers through; `claim_request` puts the request in one task's
hand. An expedited retrieval is attempted once in a retrieval's life: the attempt is written down before it is
made, and whoever finds it written down asks for a standard one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib.auth import get_user_model
from django.utils import timezone

from annotations.enqueue import LONGEST_DELAY_SECONDS, enqueue
from annotations.models import Job, ResultState
from archival.in_hand import in_hand
from archival.storage import (
    ArchiveMissing,
    CapacityUnavailable,
    ColdStorageError,
    Retrieval,
    RetrievalOption,
    cold_storage,
)
from billing.tiers import tier_of

log = structlog.get_logger(__name__)

POLL_AT_MOST_EVERY = timedelta(minutes=15)  # while nothing is heard of a retrieval
POLL_AT_LEAST_AFTER = timedelta(seconds=60)
NO_CAPACITY_SECONDS = 300
LOST = (
    "The archive of this result could not be found. "
    "Please tell the people who run this service the job's number."
)


def thaw(user_id: Any) -> int:
    """Keep and bring back the results of a user whose tier keeps them; how many come back.

    First what is about to be archived is kept, then what is archived is asked for: a result that moves from
    the one to the other between the two steps is met by the second.
    """
    user = get_user_model().objects.filter(pk=user_id).first()
    if user is None or tier_of(user).retention is not None:
        log.info("nothing_to_thaw", user_id=str(user_id))
        return 0
    at_hand = (ResultState.AVAILABLE, ResultState.ARCHIVING)
    planned = Job.objects.filter(user=user, result_state__in=at_hand, archive_due_at__isnull=False)
    kept = sum(Job.objects.keep(job.job_id) for job in planned.filter(archived_by_hand=False))
    archived = Job.objects.archived_of(user).filter(
        result_state=ResultState.ARCHIVED, archived_by_hand=False, failure_reason=""
    )
    back = sum(bring_back(job.job_id) for job in archived)
    log.info("results_asked_for", user_id=str(user_id), kept=kept, archived=back)
    return back


def bring_back(job_id: str) -> bool:
    """Have one archived result retrieved. False: it is not archived, or on its way already."""
    if not Job.objects.ask_retrieval(job_id):
        return False
    enqueue("thaw_job", job_id)
    return True


def request(job_id: str, task_id: str, *, retry_seconds: int) -> None:
    """Ask cold storage for a result that is THAWING. Raises in_hand.TryLater."""
    if not Job.objects.claim_request(job_id, task_id):
        log.info("retrieval_not_wanted")
        return
    with in_hand(job_id, task_id, retry_seconds=retry_seconds):
        job = Job.objects.filter(pk=job_id).first()
        if job is None:
            return  # deleted meanwhile
        try:
            retrieval = _ask(job, task_id)
        except ArchiveMissing:
            log.error("archive_missing", ref=job.archive_id)  # noqa: TRY400  the traceback says no more
            Job.objects.give_up_retrieval(job_id, task_id, "archive_missing", LOST)
            return
        except CapacityUnavailable:
            log.warning("no_retrieval_capacity")
            Job.objects.put_off(job_id, task_id, wait_seconds=NO_CAPACITY_SECONDS)
            return
        next_at = next_poll(retrieval.expected_at)
        if Job.objects.requested(job_id, task_id, retrieval.ticket, retrieval.expected_at, next_at):
            send_restore_when_expected(job_id, retrieval.expected_at)


def _ask(job: Job, task_id: str) -> Retrieval:
    """Expedited, once; else Standard. Raises ArchiveMissing, CapacityUnavailable and ColdStorageError."""
    attempt = _attempts(job, task_id)
    if not job.retrieval_option:
        try:
            return attempt(RetrievalOption.EXPEDITED)
        except CapacityUnavailable as reason:
            log.info("expedited_not_available", reason=str(reason))
        except ColdStorageError:
            Job.objects.attempt(job.job_id, task_id, "")
            raise
    return attempt(RetrievalOption.STANDARD)


def _attempts(job: Job, task_id: str) -> Callable[[RetrievalOption], Retrieval]:
    def attempt(option: RetrievalOption) -> Retrieval:
        Job.objects.attempt(job.job_id, task_id, option)
        retrieval = cold_storage().request_thaw(
            str(job.archive_id), option, token=f"{job.user_id}/{job.job_id}/"
        )
        log.info("retrieval_asked_for", option=option.value, expected_at=retrieval.expected_at.isoformat())
        return retrieval

    return attempt


def next_poll(expected_at: datetime) -> datetime:
    """When to ask how far a retrieval is, should nothing be heard of it."""
    now = timezone.now()
    return now + min(max(expected_at - now, POLL_AT_LEAST_AFTER), POLL_AT_MOST_EVERY)


def send_restore_when_expected(job_id: str, expected_at: datetime) -> None:
    """Look as soon as it is expected, where the broker can hold the message for so long."""
    wait_seconds = max(1, int((expected_at - timezone.now()).total_seconds()) + 1)
    if wait_seconds <= LONGEST_DELAY_SECONDS:
        enqueue("restore", job_id, delay_seconds=wait_seconds)

"""Send what is due about results, and send anew what was sent in vain. The record says what comes next.

Any number of sweeps may run at once: `take_up` lets one of them send for a result.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.utils import timezone

from annotations.enqueue import enqueue
from annotations.models import Job, ResultState
from archival.thawing import thaw
from billing.tiers import keeping_users

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 500  # the next sweep takes the rest
ROUND = timedelta(hours=1)  # in which each user whose tier keeps results is looked at once


def sweep_results() -> None:
    """Archivals due, retrievals to ask for or to ask after, and what dead tasks have left."""
    for job in Job.objects.to_look_at(timezone.now())[:MOST_AT_ONCE]:
        task = next_task(job)
        if not Job.objects.take_up(job.job_id, job.archive_next_at):
            continue  # another sweep sends it
        log.info("result_looked_at", job_id=job.job_id, result_state=job.result_state, task=task)
        if not enqueue(task, job.job_id):
            return  # the broker is away, and would keep us waiting for every job


def sweep_keepers() -> None:
    """Bring back what is archived though its owner's tier keeps it: the message that asked for it was lost.

    Called once a minute, it looks at a sixtieth of these users.
    """
    minutes = int(ROUND.total_seconds() // 60)
    this_minute = timezone.now().minute % minutes
    for user_id in keeping_users():
        if _minute_of(user_id, minutes) == this_minute and _has_archived(user_id):
            thaw(user_id)


def next_task(job: Job) -> str:
    """What is to be done about a result next: the name of a task that takes the job's id."""
    match job.result_state:
        case ResultState.ARCHIVING | ResultState.ARCHIVED:
            return "archive"
        case ResultState.THAWING if not job.retrieval_ticket:
            return "thaw_job"
        case ResultState.THAWING | ResultState.RESTORING:
            return "restore"
    if job.archive_id is not None:
        return "restore"  # it is back; the archive is to be deleted
    if job.return_mail_due:
        return "notify_returned"
    return "schedule_archive" if job.archive_due_at is None else "archive"


def _minute_of(user_id: Any, minutes: int) -> int:
    return sum(str(user_id).encode()) % minutes


def _has_archived(user_id: Any) -> bool:
    archived = Job.objects.archived_of(user_id).filter(
        result_state=ResultState.ARCHIVED, archived_by_hand=False, failure_reason=""
    )
    return archived.exists()

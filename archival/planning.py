"""When a result is archived: as its owner's tier says, whenever that changes."""

import math
from datetime import datetime
from typing import Any

import structlog
from django.utils import timezone

from annotations.enqueue import LONGEST_DELAY_SECONDS, enqueue
from annotations.models import Job, ResultState
from billing.tiers import tier_of

log = structlog.get_logger(__name__)


def schedule(job_id: str) -> None:
    """Plan the archival of a result at hand, if its owner's tier has a retention and none is planned."""
    job = Job.objects.filter(pk=job_id, result_state=ResultState.AVAILABLE).first()
    if job is None or job.archive_due_at is not None or job.archive_id is not None:
        return
    due_at = due_after(job.user, job.returned_at or job.completed_at or timezone.now())
    if due_at is None:
        Job.objects.plan_nothing(job_id)
    elif Job.objects.plan_archive(job_id, due_at):
        log.info("archive_planned", due_at=due_at.isoformat())
        send_when_due(job_id, due_at)


def restart_retention(user_id: Any) -> int:
    """A user is no longer on a tier that keeps results: for each one at hand the retention begins now.

    Returns how many. What is being retrieved comes back first, and gets its retention then.
    """
    planned = 0
    for job in Job.objects.filter(
        user=user_id, result_state=ResultState.AVAILABLE, archive_due_at__isnull=True
    ):
        due_at = due_after(job.user, timezone.now())
        if due_at is None:
            break  # premium again, or still
        if Job.objects.plan_archive(job.job_id, due_at):
            planned += 1
            send_when_due(job.job_id, due_at)
    log.info("retention_started", user_id=str(user_id), results=planned)
    return planned


def due_after(user: Any, begins_at: datetime) -> datetime | None:
    """When a result that is at hand from `begins_at` is due; None: it stays."""
    retention = tier_of(user).retention
    return None if retention is None else begins_at + retention


def send_when_due(job_id: str, due_at: datetime) -> None:
    """Have the broker hold the message until then. What is due later than it can hold, the sweep sends."""
    wait_seconds = math.ceil((due_at - timezone.now()).total_seconds())
    if wait_seconds <= LONGEST_DELAY_SECONDS:
        enqueue("archive", job_id, delay_seconds=max(0, wait_seconds))

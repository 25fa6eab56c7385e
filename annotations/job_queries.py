"""The verbs of a job's life: each is one conditional update whose row count says who won."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

if TYPE_CHECKING:
    from annotations.models import Job  # noqa: F401  names the model in the type of the QuerySet

MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class Outputs:
    """Where a run has put its files, and what it counted."""

    results_bucket: str
    result_key: str
    index_key: str
    table_key: str
    log_key: str
    result_bytes: int
    summary: dict[str, Any]


class JobQuerySet(models.QuerySet["Job"]):
    """Verbs return whether this caller won. Statuses are given as text: models imports this module."""

    def claim(self, job_id: str, task_id: str) -> bool:
        """PENDING, or RUNNING with a lease that ran out → RUNNING, for this task.

        A redelivered message keeps its task id, so a claim whose reply was lost is not lost: it is won again.
        """
        now = timezone.now()
        free = (
            Q(status="PENDING")
            | Q(status="RUNNING", claimed_by=task_id)
            | Q(status="RUNNING", lease_expires_at__lt=now)
        )
        return bool(
            self.filter(free, pk=job_id, attempts__lt=MAX_ATTEMPTS).update(
                status="RUNNING",
                stage="starting",
                variants_done=None,
                claimed_by=task_id,
                lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS),
                attempts=F("attempts") + 1,
            )
        )

    def report(self, job_id: str, task_id: str, stage: str, variants_done: int | None) -> bool:
        """Say how far the run is, which also extends its lease. False: the job is no longer this task's."""
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=task_id).update(
                stage=stage,
                variants_done=variants_done,
                lease_expires_at=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS),
            )
        )

    def complete(self, job_id: str, task_id: str, outputs: Outputs) -> bool:
        """RUNNING → COMPLETED. The first of twins wins: after it the job is RUNNING no more."""
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=task_id).update(
                status="COMPLETED",
                stage="",
                result_state="AVAILABLE",
                completed_at=timezone.now(),
                lease_expires_at=None,
                failure_reason="",
                failure_message="",
                **vars(outputs),
            )
        )

    def fail(self, job_id: str, task_id: str, reason: str, message: str) -> bool:
        """RUNNING → FAILED, with a reason for counting and a message that tells the user what to do."""
        return self._end(Q(status="RUNNING", claimed_by=task_id), job_id, reason, message)

    def give_up(self, job_id: str) -> bool:
        """RUNNING with a lease that ran out once too often → FAILED: the input takes its worker down."""
        worn_out = Q(status="RUNNING", lease_expires_at__lt=timezone.now(), attempts__gte=MAX_ATTEMPTS)
        return self._end(
            worn_out,
            job_id,
            "worker_lost",
            f"The annotation was started {MAX_ATTEMPTS} times and never came to an end. "
            "Please tell the people who run this service the job's number.",
        )

    def _end(self, condition: Q, job_id: str, reason: str, message: str) -> bool:
        return bool(
            self.filter(condition, pk=job_id).update(
                status="FAILED",
                stage="",
                completed_at=timezone.now(),
                lease_expires_at=None,
                failure_reason=reason,
                failure_message=message,
            )
        )

    def release(self, job_id: str, task_id: str) -> bool:
        """RUNNING → PENDING: the run was stopped for no fault of the job, and another may take it at once."""
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=task_id).update(
                status="PENDING", stage="", claimed_by="", lease_expires_at=None, attempts=F("attempts") - 1
            )
        )

    def queued(self, job_id: str) -> bool:
        """Note that a message for the job is on its way."""
        return bool(self.filter(pk=job_id).update(queued_at=timezone.now()))

    def of(self, user: Any) -> JobQuerySet:
        """A user's jobs, newest first."""
        return self.filter(user=user).order_by("-submitted_at")

    def nobody_took(self, now: datetime) -> JobQuerySet:
        """PENDING jobs whose message must be taken for lost."""
        return self.filter(
            status="PENDING", queued_at__lt=now - timedelta(seconds=settings.RESEND_AFTER_SECONDS)
        )

    def lease_ran_out(self, now: datetime) -> JobQuerySet:
        """RUNNING jobs whose worker has given no sign of life."""
        return self.filter(status="RUNNING", lease_expires_at__lt=now)

"""The verbs of a job's life: each is one conditional update whose row count says who won."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from annotations.archive_queries import SHARDS, ArchiveVerbs, next_look

if TYPE_CHECKING:
    from annotations.engine.check.report import Finding
    from annotations.models import Job  # noqa: F401  names the model in the type of the QuerySet

MAX_ATTEMPTS = 5
UNDELIVERABLE = "task_failed"
GIVEN_UP = (
    f"The annotation was started {MAX_ATTEMPTS} times and never came to an end. "
    "Please tell the people who run this service the job's number."
)
NOTIFICATION_LEASE = timedelta(seconds=60)  # far longer than any mail server is waited for
RUN_TO_COME = ("PENDING", "FAILED")  # a failed job may be tried again
TOLD_OF = ("COMPLETED", "FAILED")  # whoever cancels a job knows


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
    provenance: dict[str, Any] = field(default_factory=dict)


class JobQuerySet(ArchiveVerbs):
    """Verbs return whether this caller won. Statuses are given as text: models imports this module."""

    def claim(self, job_id: str, task_id: str) -> bool:
        """PENDING, or RUNNING with a lease that ran out → RUNNING, for this task.

        A redelivered message keeps its task id, so a claim whose reply was lost is not lost: it is won again.
        A job with shards is none to begin with, whatever its state.
        """
        now = timezone.now()
        free = (
            Q(status="PENDING")
            | Q(status="RUNNING", claimed_by=task_id)
            | Q(status="RUNNING", lease_expires_at__lt=now)
        )
        return bool(
            self.filter(free, pk=job_id, scatter_id__isnull=True, attempts__lt=MAX_ATTEMPTS).update(
                status="RUNNING",
                stage="starting",
                variants_done=None,
                variants_total=None,
                claimed_by=task_id,
                lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS),
                attempts=F("attempts") + 1,
            )
        )

    def report(
        self,
        job_id: str,
        task_id: str,
        stage: str,
        variants_done: int | None,
        variants_total: int | None = None,
    ) -> bool:
        """Say how far the run is, which also extends its lease. False: the job is no longer this task's."""
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=task_id).update(
                stage=stage,
                variants_done=variants_done,
                variants_total=variants_total,
                lease_expires_at=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS),
            )
        )

    def extend_lease(self, job_id: str, task_id: str) -> bool:
        """Say that the run's process lives, however long its present step takes."""
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=task_id).update(
                lease_expires_at=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
            )
        )

    def scatter(
        self, job_id: str, task_id: str, scatter_id: str, *, shard_count: int, variants_total: int
    ) -> bool:
        """Hand the job from the task that divided it to its shards."""
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=task_id).update(
                stage="annotate",
                variants_done=0,
                variants_total=variants_total,
                claimed_by=scatter_id,
                lease_expires_at=None,
                attempts=0,  # those to come are the gatherers'
                scatter_id=scatter_id,
                shard_count=shard_count,
                queued_at=timezone.now(),
            )
        )

    def report_shards(self, job_id: str, scatter_id: str, variants_done: int) -> bool:
        """Say how far all shards are. False: the job is no longer theirs, and they may stop."""
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=scatter_id).update(
                variants_done=variants_done
            )
        )

    def claim_gather(self, job_id: str, task_id: str, scatter_id: str) -> bool:
        """The shards are done: let this task, and no other while its lease lasts, join them."""
        now = timezone.now()
        free = Q(claimed_by__in=(scatter_id, task_id)) | Q(lease_expires_at__lt=now)
        return bool(
            self.filter(
                free, pk=job_id, status="RUNNING", scatter_id=scatter_id, attempts__lt=MAX_ATTEMPTS
            ).update(
                stage="publish",
                claimed_by=task_id,
                lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS),
                attempts=F("attempts") + 1,
            )
        )

    def hand_back(self, job_id: str, task_id: str, scatter_id: str, *, wait_seconds: int = 0) -> bool:
        """The task that joined the shards was stopped for no fault of the job: another may join them.

        `wait_seconds`: in that time a message for it will arrive, so the sweep need not send one.
        """
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=task_id, scatter_id=scatter_id).update(
                stage="annotate",
                claimed_by=scatter_id,
                lease_expires_at=None,
                attempts=F("attempts") - 1,
                queued_at=timezone.now() + timedelta(seconds=wait_seconds),
            )
        )

    def forget_shards(self, job_id: str, scatter_id: str) -> bool:
        """The job is not RUNNING, and what its shards were and left is gone."""
        return bool(
            self.filter(pk=job_id, scatter_id=scatter_id)
            .exclude(status="RUNNING")
            .update(scatter_id=None, shard_count=None)
        )

    def cancel(self, job_id: str, user: Any) -> bool:
        """PENDING, RUNNING → CANCELLED, by its owner. Whoever works on it notices at its next report."""
        return bool(
            self.filter(pk=job_id, user=user, status__in=("PENDING", "RUNNING")).update(
                status="CANCELLED",
                stage="",
                completed_at=timezone.now(),
                lease_expires_at=None,
                unsettled_shard=None,
            )
        )

    def note_input(self, job_id: str, task_id: str, sha256: str) -> bool:
        """Of the input, as it was fetched; in hexadecimal."""
        return bool(self.filter(pk=job_id, status="RUNNING", claimed_by=task_id).update(input_sha256=sha256))

    def complete(self, job_id: str, task_id: str, outputs: Outputs) -> bool:
        """RUNNING → COMPLETED. The first of twins wins: after it the job is RUNNING no more.

        The sweep will look whether the result's way into the archive was planned.
        """
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=task_id).update(
                status="COMPLETED",
                stage="",
                result_state="AVAILABLE",
                completed_at=timezone.now(),
                lease_expires_at=None,
                failure_reason="",
                failure_message="",
                **next_look(timezone.now() + timedelta(seconds=settings.RESEND_AFTER_SECONDS)),
                **vars(outputs),
            )
        )

    def fail(
        self, job_id: str, task_id: str, reason: str, message: str, findings: Sequence[Finding] = ()
    ) -> bool:
        """RUNNING → FAILED, with a reason for counting and a message that tells the user what to do.

        `findings`: all that is wrong with the file.
        """
        ours = Q(status="RUNNING", claimed_by=task_id)
        summary = {"findings": [asdict(one) for one in findings]} if findings else {}
        return self._end(ours, job_id, reason, message, summary=summary)

    def give_up(self, job_id: str) -> bool:
        """Started too often, and in nobody's hands → FAILED: it takes its workers down."""
        nobody_has_it = Q(status="PENDING") | Q(status="RUNNING", lease_expires_at__lt=timezone.now())
        return self._end(
            nobody_has_it & Q(attempts__gte=MAX_ATTEMPTS),
            job_id,
            "worker_lost",
            GIVEN_UP,
        )

    def note_breakdown(self, job_id: str) -> bool:
        """A task for the job broke down; it is delivered again, and the job goes on if that helps."""
        unfinished = self.filter(pk=job_id, status__in=("PENDING", "RUNNING"))
        return bool(unfinished.update(failure_reason=UNDELIVERABLE))

    def fail_undeliverable(self, job_id: str) -> bool:
        """A message for the job was delivered in vain. If its task broke down: → FAILED.

        If it did not, as when workers were killed under it, the job goes on by another message.
        """
        nobody_has_it = Q(status="PENDING") | Q(status="RUNNING", lease_expires_at__lt=timezone.now())
        return self._end(
            nobody_has_it & Q(failure_reason=UNDELIVERABLE),
            job_id,
            UNDELIVERABLE,
            "The service broke down over this job each time it was tried, and it was not your file's fault "
            "as far as we can tell. Try again later; if that fails too, tell the people who run this "
            "service the job's number.",
        )

    def retry(self, job_id: str) -> bool:
        """FAILED → PENDING, as if it were new. Whoever wins sends `annotate`."""
        return bool(
            self.filter(pk=job_id, status="FAILED").update(
                status="PENDING",
                stage="",
                variants_done=None,
                claimed_by="",
                lease_expires_at=None,
                attempts=0,
                queued_at=timezone.now(),
                completed_at=None,
                notified_at=None,
                unsettled_shard=random.choice(SHARDS),  # noqa: S311  spreads load, and is no secret
                failure_reason="",
                failure_message="",
            )
        )

    def put_right(self, job_id: str, **changes: Any) -> bool:
        """By hand: what the file is called, at any time; what a run does, only while one may yet begin."""
        open_to = Q() if changes.keys() <= {"input_file_name"} else Q(status__in=RUN_TO_COME)
        return bool(self.filter(open_to, pk=job_id).update(**changes))

    def _end(self, condition: Q, job_id: str, reason: str, message: str, **further: Any) -> bool:
        return bool(
            self.filter(condition, pk=job_id).update(
                **further,
                status="FAILED",
                stage="",
                completed_at=timezone.now(),
                lease_expires_at=None,
                failure_reason=reason,
                failure_message=message,
            )
        )

    def release(self, job_id: str, task_id: str, *, wait_seconds: int = 0) -> bool:
        """RUNNING → PENDING: the run was stopped for no fault of the job, and another may take it.

        `wait_seconds`: in that time a message for it will arrive, so the sweep need not send one.
        """
        return bool(
            self.filter(pk=job_id, status="RUNNING", claimed_by=task_id).update(
                status="PENDING",
                stage="",
                claimed_by="",
                lease_expires_at=None,
                attempts=F("attempts") - 1,
                queued_at=timezone.now() + timedelta(seconds=wait_seconds),
            )
        )

    def release_all(self) -> int:
        """RUNNING → PENDING for every job without shards; only for who knows that no worker is left.

        Returns how many.
        """
        return self.filter(status="RUNNING", scatter_id__isnull=True).update(
            status="PENDING", stage="", claimed_by="", lease_expires_at=None
        )

    def resend(self, job_id: str, last_sent_at: datetime) -> bool:
        """Whether this caller may send a message anew: the first of two sweeps moves `queued_at`."""
        return bool(self.filter(pk=job_id, queued_at=last_sent_at).update(queued_at=timezone.now()))

    def claim_notification(self, job_id: str, task_id: str) -> bool:
        """The job is over and its user does not know: let this task tell, and only this one for a while.

        Not even the same task may claim twice: a redelivered message can't tell whether its twin is still
        alive, and a second mail would be worse than one that is a minute late.
        """
        now = timezone.now()
        free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=now)
        return bool(
            self.filter(free, pk=job_id, status__in=TOLD_OF, notified_at__isnull=True).update(
                claimed_by=task_id, lease_expires_at=now + NOTIFICATION_LEASE
            )
        )

    def notified(self, job_id: str, task_id: str) -> bool:
        """The mail is out: nobody sends another, and the sweep need not look after the job any more."""
        return bool(
            self.filter(pk=job_id, claimed_by=task_id, notified_at__isnull=True).update(
                notified_at=timezone.now(), lease_expires_at=None, unsettled_shard=None
            )
        )

    def release_notification(self, job_id: str, task_id: str, *, wait_seconds: int) -> bool:
        """The mail could not be sent: another may try, and a message for it comes in `wait_seconds`."""
        return bool(
            self.filter(pk=job_id, claimed_by=task_id, notified_at__isnull=True).update(
                lease_expires_at=None, queued_at=timezone.now() + timedelta(seconds=wait_seconds)
            )
        )

    def of(self, user: Any) -> JobQuerySet:
        """A user's jobs, newest first."""
        return self.filter(user=user).order_by("-submitted_at", "-job_id")

    def _unsettled(self) -> JobQuerySet:
        """Narrows what the sweep reads to jobs that may be its business, by an index that holds no others."""
        return self.filter(unsettled_shard__in=SHARDS)

    def nobody_took(self, now: datetime, patience: timedelta) -> JobQuerySet:
        """PENDING jobs whose message was sent longer than `patience` ago, and must be taken for lost."""
        return self._unsettled().filter(status="PENDING", queued_at__lt=now - patience)

    def lease_ran_out(self, now: datetime) -> JobQuerySet:
        """RUNNING jobs whose worker has given no sign of life."""
        return self._sent_long_ago(now).filter(status="RUNNING", lease_expires_at__lt=now)

    def scattered(self) -> JobQuerySet:
        """Jobs that have shards: those that run, and those that are over and were not tidied up."""
        return self.filter(scatter_id__isnull=False)

    def nobody_told(self, now: datetime) -> JobQuerySet:
        """Jobs that are over, and whose user should know by now."""
        settled = now - timedelta(seconds=settings.RESEND_AFTER_SECONDS)
        return self._sent_long_ago(now).filter(
            status__in=TOLD_OF, notified_at__isnull=True, completed_at__lt=settled
        )

    def _sent_long_ago(self, now: datetime) -> JobQuerySet:
        return self._unsettled().filter(queued_at__lt=now - timedelta(seconds=settings.RESEND_AFTER_SECONDS))

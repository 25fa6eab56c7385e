"""The verbs of a shard's life: each is one conditional update whose row count says who won."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from annotations.job_queries import MAX_ATTEMPTS

if TYPE_CHECKING:
    from annotations.models import Shard  # noqa: F401  names the model in the type of the QuerySet


def shard_key(scatter_id: str, number: int) -> str:
    return f"{scatter_id}-{number}"


class ShardQuerySet(models.QuerySet["Shard"]):
    """Verbs return whether this caller won. Statuses are given as text: models imports this module."""

    def of(self, scatter_id: str, count: int) -> ShardQuerySet:
        """All shards of a divided job: read by their keys, so that no index can be behind."""
        return self.filter(pk__in=[shard_key(scatter_id, number) for number in range(count)])

    def prepare(self, job_id: str, scatter_id: str, count: int) -> None:
        """Make the shards that are not there yet, PENDING."""
        there = set(self.of(scatter_id, count).values_list("number", flat=True))
        for number in range(count):
            if number not in there:
                self.get_or_create(
                    key=shard_key(scatter_id, number), defaults={"job_id": job_id, "number": number}
                )

    def claim(self, key: str, task_id: str) -> bool:
        """PENDING, or RUNNING with a lease that ran out → RUNNING, for this task, as with a job."""
        now = timezone.now()
        free = (
            Q(status="PENDING")
            | Q(status="RUNNING", claimed_by=task_id)
            | Q(status="RUNNING", lease_expires_at__lt=now)
        )
        return bool(
            self.filter(free, pk=key, attempts__lt=MAX_ATTEMPTS).update(
                status="RUNNING",
                variants_done=0,
                claimed_by=task_id,
                lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS),
                attempts=F("attempts") + 1,
            )
        )

    def report(self, key: str, task_id: str, variants_done: int) -> bool:
        """Say how far the run is, which also extends its lease. False: the shard is no longer this task's."""
        return bool(
            self.filter(pk=key, status="RUNNING", claimed_by=task_id).update(
                variants_done=variants_done,
                lease_expires_at=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS),
            )
        )

    def extend_lease(self, key: str, task_id: str) -> bool:
        """Say that the run's process lives, however long its present step takes."""
        return bool(
            self.filter(pk=key, status="RUNNING", claimed_by=task_id).update(
                lease_expires_at=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
            )
        )

    def complete(self, key: str, task_id: str, result_key: str, variants_done: int) -> bool:
        """RUNNING → DONE. The first of twins wins, and it stays so."""
        return bool(
            self.filter(pk=key, status="RUNNING", claimed_by=task_id).update(
                status="DONE", result_key=result_key, variants_done=variants_done, lease_expires_at=None
            )
        )

    def release(self, key: str, task_id: str, *, wait_seconds: int = 0) -> bool:
        """RUNNING → PENDING: the run was stopped for no fault of the shard, and another may take it.

        `wait_seconds`: in that time a message for it will arrive, so the sweep need not send one.
        """
        return bool(
            self.filter(pk=key, status="RUNNING", claimed_by=task_id).update(
                status="PENDING",
                claimed_by="",
                lease_expires_at=None,
                attempts=F("attempts") - 1,
                queued_at=timezone.now() + timedelta(seconds=wait_seconds),
            )
        )

    def release_all(self) -> int:
        """RUNNING → PENDING for every one of these; only for who knows that no worker is left."""
        return self.filter(status="RUNNING").update(status="PENDING", claimed_by="", lease_expires_at=None)

    def resend(self, key: str, last_sent_at: datetime) -> bool:
        """Whether this caller may send a message anew: the first of two sweeps moves `queued_at`."""
        return bool(self.filter(pk=key, queued_at=last_sent_at).update(queued_at=timezone.now()))

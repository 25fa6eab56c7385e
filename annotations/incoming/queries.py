"""The verbs of an upload's life: each is one conditional update whose row count says who won."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

if TYPE_CHECKING:
    from annotations.incoming.models import Upload

FETCH_LEASE = timedelta(seconds=120)
MOST_FETCHES = 5
RESEND_AFTER = timedelta(minutes=5)


class UploadQuerySet(models.QuerySet["Upload"]):
    """Statuses are given as text: models imports this module."""

    def of(self, user: Any) -> UploadQuerySet:
        return self.filter(user=user)

    def unfinished(self) -> UploadQuerySet:
        return self.filter(state__in=("RECEIVING", "FETCHING"))

    def arrive(self, upload_id: str, size_bytes: int) -> bool:
        """RECEIVING, FETCHING → READY: the object is there, whole."""
        return bool(
            self.unfinished()
            .filter(pk=upload_id)
            .update(state="READY", size_bytes=size_bytes, received_bytes=size_bytes, lease_expires_at=None)
        )

    def claim_fetch(self, upload_id: str, task_id: str) -> bool:
        """FETCHING and in nobody's hands, or in this task's already → in this task's."""
        now = timezone.now()
        free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=now) | Q(claimed_by=task_id)
        return bool(
            self.filter(free, pk=upload_id, state="FETCHING").update(
                claimed_by=task_id,
                lease_expires_at=now + FETCH_LEASE,
                attempts=F("attempts") + 1,
                received_bytes=0,
            )
        )

    def report_fetch(
        self, upload_id: str, task_id: str, received_bytes: int, size_bytes: int | None = None
    ) -> bool:
        """Say how far it is. False: the upload was given up, or is another task's."""
        return bool(
            self.filter(pk=upload_id, state="FETCHING", claimed_by=task_id).update(
                received_bytes=received_bytes,
                size_bytes=size_bytes,
                lease_expires_at=timezone.now() + FETCH_LEASE,
            )
        )

    def release_fetch(self, upload_id: str, task_id: str, *, wait_seconds: int) -> bool:
        """Another task may try, and a message for it comes in `wait_seconds`."""
        return bool(
            self.filter(pk=upload_id, state="FETCHING", claimed_by=task_id).update(
                lease_expires_at=None, queued_at=timezone.now() + timedelta(seconds=wait_seconds)
            )
        )

    def fail_fetch(self, upload_id: str, message: str) -> bool:
        """FETCHING → FAILED, with a message that tells the user what to do."""
        return bool(
            self.filter(pk=upload_id, state="FETCHING").update(
                state="FAILED", failure=message, lease_expires_at=None
            )
        )

    def nobody_fetches(self) -> UploadQuerySet:
        """FETCHING uploads whose message must be taken for lost, or whose worker went silent."""
        now = timezone.now()
        free = Q(lease_expires_at__isnull=True, queued_at__lt=now - RESEND_AFTER) | Q(
            lease_expires_at__lt=now
        )
        return self.filter(free, state="FETCHING")

    def resend(self, upload: Upload) -> bool:
        """Whether this caller may send a message anew: the first of two sweeps moves `queued_at`."""
        return bool(self.filter(pk=upload.pk, queued_at=upload.queued_at).update(queued_at=timezone.now()))

"""An upload on its way in, as far as more than its object key has to be remembered."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from annotations.incoming.queries import UploadQuerySet
from annotations.models import new_job_id


class UploadState(models.TextChoices):
    """Where an upload stands."""

    RECEIVING = "RECEIVING", "Receiving"
    FETCHING = "FETCHING", "Being fetched"
    READY = "READY", "Ready"
    FAILED = "FAILED", "Failed"


class Upload(models.Model):
    """A file that becomes an object, and then perhaps a job: its id becomes the job's.

    RECEIVING --arrive--> READY     in parts, or by a form
    FETCHING  --arrive--> READY     by the worker, from `source_url`
        `------ fail ---> FAILED
    """

    State = UploadState

    upload_id = models.CharField(primary_key=True, max_length=36, default=new_job_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    file_name = models.CharField(max_length=255)
    key = models.CharField(max_length=700, help_text="Of the object that it becomes.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING)
    created_at = models.DateTimeField(default=timezone.now)
    size_bytes = models.PositiveBigIntegerField(null=True, help_text="As far as it is known.")
    failure = models.TextField(blank=True)

    store_upload = models.CharField(
        max_length=1024, blank=True, help_text="What the object store calls an upload in parts."
    )
    part_bytes = models.PositiveIntegerField(null=True)

    source_url = models.CharField(max_length=2000, blank=True)
    received_bytes = models.PositiveBigIntegerField(default=0)
    claimed_by = models.CharField(max_length=36, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-upload_id")
        indexes = (
            models.Index(fields=["user", "-created_at"], name="incoming_user_newest"),
            models.Index(fields=["state", "created_at"], name="incoming_state"),
        )

    def __str__(self) -> str:
        return f"{self.file_name} ({self.upload_id[:8]})"

    @property
    def is_in_parts(self) -> bool:
        return self.part_bytes is not None

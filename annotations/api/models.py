"""What the API keeps of its callers: tokens, the pace of their requests, and requests not to be repeated."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Scope(models.TextChoices):
    """What a token may be used for."""

    READ = "read", "Read jobs, results and usage"
    WRITE = "write", "Upload, submit, cancel and delete"
    WEBHOOKS = "webhooks", "Manage webhooks"


class Token(models.Model):
    """A personal access token. The token itself is shown once and kept by nobody; here is its SHA-256."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80, help_text="What it is for, for yourself.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="The token's beginning, to know it by.")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField("made", default=timezone.now, editable=False)
    expires_at = models.DateTimeField("expires", null=True)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class RequestPace(models.Model):
    """How far a user's requests have run ahead: one row a user, moved by one conditional update a request."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True)
    paid_until = models.FloatField(
        default=0, help_text="Seconds since the epoch at which all requests so far are made good."
    )

    def __str__(self) -> str:
        return f"{self.user_id}: {self.paid_until:.3f}"


class IdempotentRequest(models.Model):
    """A request with an Idempotency-Key, and the answer that a repetition gets again.

    `status` None: it is being answered, until `locked_until` at the longest.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    locked_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "key"], name="api_key_once_a_user")
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id}"

"""Where users want to be told of their jobs, and what became of each message."""

import base64
import secrets
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from annotations.webhooks.queries import DeliveryQuerySet, WebhookQuerySet

SECRET_PREFIX = "whsec_"  # noqa: S105  as Standard Webhooks names them


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


class Event(models.TextChoices):
    """What a message can be about."""

    COMPLETED = "job.completed", "A job is completed"
    FAILED = "job.failed", "A job has failed"
    TEST = "webhook.test", "Somebody tries the webhook"


class Webhook(models.Model):
    """An address of a user's.

    The secret is kept as it is, for it signs each message; it opens nothing of ours. `failing_since` is the
    first failure since the last success: a webhook that fails for long is switched off.
    """

    webhook_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=2000)
    secret = models.CharField(max_length=80, default=new_secret, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    disabled_reason = models.CharField(max_length=200, blank=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    """Where a message stands."""

    PENDING = "PENDING", "Pending"
    DELIVERED = "DELIVERED", "Delivered"
    FAILED = "FAILED", "Failed"


class Delivery(models.Model):
    """One message to one webhook.

    PENDING --claim, sent--> DELIVERED
       ^  `--- too often ---> FAILED
       `-- retry
    """

    State = DeliveryState

    delivery_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=20, choices=Event.choices)
    job_id = models.CharField(max_length=36, blank=True)
    body = models.TextField(help_text="JSON, the same at each attempt.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now, help_text="Of the next attempt; in hand, its lease.")
    tried_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status of the last answer.")
    outcome = models.CharField(max_length=300, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-delivery_id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["webhook", "job_id", "event"],
                condition=~models.Q(job_id=""),
                name="webhooks_one_message_a_job",
            )
        ]
        indexes = (models.Index(fields=["state", "next_at"], name="webhooks_due"),)

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook_id}"

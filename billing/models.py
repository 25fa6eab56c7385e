"""What is kept of a customer's dealings with Stripe: ids, states and times; never a card, never money."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from billing.queries import CustomerQuerySet, EventQuerySet, OutgoingQuerySet
from billing.tiers import FREE, LABELS

LARGEST_UPLOAD_BYTES = 5 * 1024**3  # S3 takes no larger file by one POST
TIER_CHOICES = list(LABELS.items())


class Customer(models.Model):
    """A user's dealings with billing; made when there is something to keep.

    `tier` has one writer, `syncing.sync_subscription`. Whoever learns that it may have changed raises
    `sync_wanted`; the writer notes in `sync_done` up to which wish it has looked.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="customer")
    tier = models.CharField(max_length=20, choices=TIER_CHOICES, default=FREE)
    stripe_customer_id = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)

    comp_until = models.DateTimeField(
        "premium as a gift until",
        null=True,
        blank=True,
        help_text="Premium without a subscription, until then.",
    )
    comp_reason = models.CharField("reason of the gift", max_length=200, blank=True)

    ends_at = models.DateTimeField(
        "premium ends",
        null=True,
        editable=False,
        help_text="Known end: cancelled, past due, or a gift's end.",
    )
    recheck_at = models.DateTimeField(
        null=True, editable=False, help_text="When time alone may change the tier."
    )
    upgrades = models.PositiveIntegerField(default=0, editable=False)
    tier_changed_at = models.DateTimeField(null=True, editable=False)

    sync_wanted = models.PositiveIntegerField(default=0, editable=False)
    sync_done = models.PositiveIntegerField(default=0, editable=False)
    sync_wanted_at = models.DateTimeField(null=True, editable=False)
    synced_at = models.DateTimeField(null=True, editable=False)
    sync_error = models.CharField(max_length=300, blank=True, editable=False)
    lock_token = models.CharField(max_length=36, blank=True, editable=False)
    locked_until = models.DateTimeField(null=True, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                name="billing_gift_has_a_reason",
                condition=models.Q(comp_until__isnull=True) | ~models.Q(comp_reason=""),
                violation_error_message="A gift needs a reason.",
            )
        ]
        indexes = (
            models.Index(fields=["recheck_at"], name="billing_recheck"),
            models.Index(fields=["sync_wanted_at"], name="billing_sync_wanted"),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.tier})"


class Subscription(models.Model):
    """A subscription as Stripe described it when last asked. For people to look at; it decides nothing."""

    stripe_id = models.CharField(primary_key=True, max_length=64)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="subscriptions")
    status = models.CharField(max_length=30)
    price_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    current_period_end = models.DateTimeField(null=True)
    cancel_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    latest_invoice_id = models.CharField(max_length=64, blank=True)
    is_charged_back = models.BooleanField("payment charged back", default=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.stripe_id} ({self.status})"


class StripeEvent(models.Model):
    """An event that Stripe sent, known by its id, which is stored once.

    RECEIVED --process--> PROCESSED | IGNORED (of no customer of ours)
       ^ `--- failure --> FAILED, which the sweep tries again
       `----- resend ------'
    Its content is not kept: it may be old by the time it is read, so the truth is fetched instead.
    """

    class State(models.TextChoices):
        RECEIVED = "RECEIVED", "Received"
        PROCESSED = "PROCESSED", "Processed"
        IGNORED = "IGNORED", "Of no concern"
        FAILED = "FAILED", "Failed, tried again"

    stripe_id = models.CharField("event", max_length=255, unique=True)
    type = models.CharField(max_length=100)
    api_version = models.CharField("API version", max_length=40, blank=True)
    created_at = models.DateTimeField("created at Stripe")
    received_at = models.DateTimeField("received", default=timezone.now)
    stripe_customer_id = models.CharField("customer at Stripe", max_length=64, blank=True)
    payment_intent_id = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField("last try", null=True)
    error = models.CharField(max_length=300, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("-received_at",)
        indexes = (models.Index(fields=["state", "received_at"], name="billing_event_state"),)

    def __str__(self) -> str:
        return f"{self.stripe_id} ({self.type})"


class Outgoing(models.Model):
    """A task that must be sent because of something in the same transaction. Its key makes it one of a kind.

    It is sent at least once: `claimed_until` keeps twins away while one sender is at it, `sent_at` for ever.
    """

    key = models.CharField(max_length=120, unique=True)
    task = models.CharField(max_length=60)
    args = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    objects = OutgoingQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "outgoing tasks"
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["sent_at", "created_at"], name="billing_outgoing_due"),)

    def __str__(self) -> str:
        return self.key


class Notice(models.Model):
    """A mail that is due to a customer about their tier, written in the transaction that is its cause."""

    class Kind(models.TextChoices):
        UPGRADED = "upgraded", "Premium has begun"
        ENDING = "ending", "Premium will end"
        PAST_DUE = "past_due", "A payment failed"
        CEASED = "ceased", "Premium has ended"

    key = models.CharField(max_length=120, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    ends_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    objects = OutgoingQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["sent_at", "created_at"], name="billing_notice_due"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.customer}"


class TierOverride(models.Model):
    """What the admin has put in the place of a tier's settings; what is empty stays as set."""

    FIELDS = ("upload_max_bytes", "jobs_at_once", "jobs_a_day", "haplotype_aware", "sharding_priority")

    tier = models.CharField(primary_key=True, max_length=20, choices=TIER_CHOICES)
    retention_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long a result stays at hand, in seconds; 0: for ever."
    )
    upload_max_bytes = models.PositiveBigIntegerField(
        "largest upload, bytes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LARGEST_UPLOAD_BYTES)],
    )
    jobs_at_once = models.PositiveIntegerField(null=True, blank=True)
    jobs_a_day = models.PositiveIntegerField("jobs in 24 hours", null=True, blank=True)
    haplotype_aware = models.BooleanField("haplotype-aware consequences", null=True, blank=True)
    sharding_priority = models.SmallIntegerField(
        null=True, blank=True, help_text="Above 0: parts of large jobs wait behind no other tier's."
    )

    def __str__(self) -> str:
        return self.get_tier_display()

    def values(self) -> dict[str, Any]:
        """The fields of `tiers.Tier` that this takes the place of."""
        given = {name: getattr(self, name) for name in self.FIELDS if getattr(self, name) is not None}
        if self.retention_seconds is not None:
            given["retention"] = timedelta(seconds=self.retention_seconds) or None
        return given

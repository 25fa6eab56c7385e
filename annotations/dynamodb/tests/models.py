"""Models of every kind of field and key that the backend keeps."""

import uuid

from django.db import models


class Batch(models.Model):
    """A counted key, and nothing to filter by."""

    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Sample(models.Model):
    """As a job: a text for a key, an owner's newest, a status, and a sparse index."""

    sample_id = models.CharField(primary_key=True, max_length=36, default=uuid.uuid4)
    owner = models.IntegerField(default=1, db_index=True)
    taken_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=20, default="NEW", db_column="sample_state")
    label = models.CharField(max_length=100, blank=True)
    note = models.TextField(null=True)  # noqa: DJ001  NULL and empty texts are told apart
    reads = models.IntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    quality = models.FloatField(null=True)
    checked = models.BooleanField(default=False)
    due = models.IntegerField(null=True)
    batch = models.ForeignKey(
        Batch, models.CASCADE, null=True, related_name="samples", db_constraint=False, db_index=True
    )

    class Meta:
        indexes = (
            models.Index(fields=["owner", "-taken_at"], name="sample_newest"),
            models.Index(fields=["state", "reads"], name="sample_state"),
            models.Index(fields=["owner", "due"], name="sample_due", condition=models.Q(due__isnull=False)),
        )

    def __str__(self) -> str:
        return self.sample_id


class Everything(models.Model):
    """One of each type of value."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    text = models.TextField(blank=True)
    integer = models.BigIntegerField(null=True)
    real = models.FloatField(null=True)
    decimal = models.DecimalField(max_digits=30, decimal_places=10, null=True)
    boolean = models.BooleanField(null=True)
    binary = models.BinaryField(null=True)
    uuid = models.UUIDField(null=True)
    moment = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    time = models.TimeField(null=True)
    duration = models.DurationField(null=True)
    json = models.JSONField(null=True)
    address = models.GenericIPAddressField(null=True)

    def __str__(self) -> str:
        return str(self.id)

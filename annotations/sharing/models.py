"""The links by which results are shared."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class ShareLink(models.Model):
    """A link to one job's result. Its secret is shown once and kept by nobody; here is its SHA-256.

    Until it is revoked or expires, whoever opens it may read the result. The job may live in another
    database: it is named, not pointed to.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    job_id = models.CharField("job", max_length=36, db_index=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    note = models.CharField(max_length=80, blank=True, help_text="Whom it is for, for yourself.")
    created_at = models.DateTimeField("made", default=timezone.now, editable=False)
    expires_at = models.DateTimeField("expires")
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)
    opened_at = models.DateTimeField("last opened", null=True, editable=False)

    class Meta:
        ordering: ClassVar = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.job_id[:8]}, until {self.expires_at:%Y-%m-%d}"

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_good(self) -> bool:
        return self.revoked_at is None and not self.has_expired

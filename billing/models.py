"""Who is on which tier."""

from django.conf import settings
from django.db import models

from billing.tiers import TIERS


class Customer(models.Model):
    """A user's dealings with billing; made when there is something to keep."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="customer")
    tier = models.CharField(
        max_length=20, choices=[(tier.name, tier.label) for tier in TIERS.values()], default="free"
    )

    def __str__(self) -> str:
        return f"{self.user} ({self.tier})"

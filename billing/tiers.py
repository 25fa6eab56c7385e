"""What each tier gives. Free and premium are all there is; who is premium, `models.Customer` knows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Tier:
    """A customer's plan."""

    name: str
    label: str
    upload_max_bytes: int
    retention: timedelta | None  # how long a result stays at hand; None: for ever


FREE = Tier("free", "Free", upload_max_bytes=150 * MEBIBYTE, retention=timedelta(days=7))
PREMIUM = Tier("premium", "Premium", upload_max_bytes=5 * 1024 * MEBIBYTE, retention=None)
TIERS = {tier.name: tier for tier in (FREE, PREMIUM)}


def tier_of(user: Any) -> Tier:
    """The tier of a user; whoever never dealt with billing is free."""
    from billing.models import Customer

    name = Customer.objects.filter(user=user).values_list("tier", flat=True).first()
    return TIERS[name] if name else FREE


def keeping_users() -> Iterator[Any]:
    """The ids of users whose tier keeps results for ever."""
    from billing.models import Customer

    keeping = [tier.name for tier in TIERS.values() if tier.retention is None]
    return Customer.objects.filter(tier__in=keeping).values_list("user_id", flat=True).iterator()


def limits_of(user: Any) -> Tier:
    """What `annotations` asks for by the setting JOB_LIMITS."""
    return tier_of(user)

"""What each tier gives. Free and premium are all there is; who is premium, `models.Customer` knows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse

FREE = "free"
PREMIUM = "premium"
LABELS = {FREE: "Free", PREMIUM: "Premium"}


@dataclass(frozen=True)
class Tier:
    """A customer's plan.

    `retention` is how long a result stays at hand, None for ever. With a `sharding_priority` above 0
    the parts of large jobs wait behind no other tier's. `requests_a_minute` is the API's pace.
    `upgrade_url`: where more is offered, or None.
    """

    name: str
    upload_max_bytes: int
    retention: timedelta | None
    jobs_at_once: int
    jobs_a_day: int
    haplotype_aware: bool
    sharding_priority: int
    requests_a_minute: int
    upgrade_url: str | None = None

    @property
    def label(self) -> str:
        return LABELS[self.name]


def tiers() -> list[Tier]:
    """Both tiers as they are now: the settings, with what the admin has put in their place."""
    from billing.models import TierOverride

    overrides = {override.tier: override for override in TierOverride.objects.all()}
    return [_overridden(tier, overrides.get(tier.name)) for tier in settings.TIERS.values()]


def tier_named(name: str) -> Tier:
    """One tier as it is now. Raises KeyError for a name that is no tier's."""
    from billing.models import TierOverride

    return _overridden(settings.TIERS[name], TierOverride.objects.filter(tier=name).first())


def tier_of(user: Any) -> Tier:
    """The tier of a user; whoever never dealt with billing is free."""
    from billing.models import Customer

    name = Customer.objects.filter(user=user).values_list("tier", flat=True).first()
    return tier_named(name or FREE)


def keeping_users() -> Iterator[Any]:
    """The ids of users whose tier keeps results for ever."""
    from billing.models import Customer

    keeping = [tier.name for tier in tiers() if tier.retention is None]
    if FREE in keeping:
        yield from (
            get_user_model().objects.exclude(customer__tier=PREMIUM).values_list("pk", flat=True).iterator()
        )
        keeping.remove(FREE)
    yield from Customer.objects.filter(tier__in=keeping).values_list("user_id", flat=True).iterator()


def limits_of(user: Any) -> Tier:
    """What `annotations` asks for by the setting JOB_LIMITS: the tier, with where more is to be had."""
    tier = tier_of(user)
    if tier.name == PREMIUM or not settings.STRIPE_API_KEY:
        return tier
    return replace(tier, upgrade_url=reverse("billing:overview"))


def _overridden(tier: Tier, override: Any) -> Tier:
    return replace(tier, **override.values()) if override else tier


def benefits(names: Iterable[Tier]) -> list[dict[str, Any]]:
    """The tiers side by side, a row for each thing that they differ in: {"name", "values"}."""
    columns = list(names)
    return [
        {"name": label, "kind": kind, "values": [getattr(tier, field) for tier in columns]}
        for label, kind, field in (
            ("Largest file", "bytes", "upload_max_bytes"),
            ("Results are kept", "retention", "retention"),
            ("Jobs at once", "count", "jobs_at_once"),
            ("Jobs in 24 hours", "count", "jobs_a_day"),
            ("API requests a minute", "count", "requests_a_minute"),
            ("Haplotype-aware consequences", "flag", "haplotype_aware"),
        )
    ]

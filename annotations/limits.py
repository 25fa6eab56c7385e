"""What a user may do, as the app that knows the tiers answers it, and how much of that they have used."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from annotations.models import Job

A_DAY = timedelta(hours=24)


class Limits(Protocol):
    """`label` names the tier; `retention` is how long a result stays at hand, None for ever.

    `jobs_at_once` counts jobs that wait or run, `jobs_a_day` those submitted in the last 24 hours.
    `requests_a_minute` is the pace of the API.
    `upgrade_url` is a page that offers more, None where nothing more is to be had.
    """

    @property
    def label(self) -> str: ...
    @property
    def upload_max_bytes(self) -> int: ...
    @property
    def retention(self) -> timedelta | None: ...
    @property
    def jobs_at_once(self) -> int: ...
    @property
    def jobs_a_day(self) -> int: ...
    @property
    def haplotype_aware(self) -> bool: ...
    @property
    def sharding_priority(self) -> int: ...
    @property
    def requests_a_minute(self) -> int: ...
    @property
    def upgrade_url(self) -> str | None: ...


@dataclass(frozen=True)
class Usage:
    """A user's jobs that wait or run, and those submitted in the last 24 hours."""

    at_once: int
    today: int


def limits_of(user: Any) -> Limits:
    """The limits of a user, from the function that the setting JOB_LIMITS names."""
    limits: Limits = import_string(settings.JOB_LIMITS)(user)
    return limits


def usage_of(user: Any) -> Usage:
    jobs = Job.objects.of(user)
    return Usage(
        at_once=jobs.filter(status__in=("PENDING", "RUNNING")).count(),
        today=jobs.filter(submitted_at__gt=timezone.now() - A_DAY).count(),
    )


def wrong_with_another_job(user: Any, *, haplotype_aware: bool) -> str:
    """Why this user's tier does not allow one more job now; empty when it does."""
    limits, usage = limits_of(user), usage_of(user)
    if haplotype_aware and not limits.haplotype_aware:
        return f"Haplotype-aware consequences are not part of the {limits.label} tier. Submit without them."
    if usage.at_once >= limits.jobs_at_once:
        return (
            f"{usage.at_once} of your jobs are waiting or running, and the {limits.label} tier has room for "
            f"{limits.jobs_at_once} at once. Submit this one when another has ended."
        )
    if usage.today >= limits.jobs_a_day:
        return (
            f"You have submitted {usage.today} jobs in the last 24 hours, as many as the {limits.label} tier "
            "allows. Submit this one later."
        )
    return ""

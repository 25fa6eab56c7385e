"""What a user may do, as the app that knows the tiers answers it, and how much of that they have used."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from annotations.models import Job, Submission

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
    """The jobs are read by their keys: DynamoDB's answer to that is never an old one."""
    yesterday = timezone.now() - A_DAY
    mine = Submission.objects.filter(user=user)
    return Usage(
        at_once=len(_at_work(mine.filter(is_over=False).values_list("pk", flat=True))),
        today=mine.filter(submitted_at__gt=yesterday).count(),
    )


@contextmanager
def one_at_a_time(user: Any) -> Iterator[None]:
    """Whatever gives a user one more job at work; else two at once would both see room for it. They queue up
    at the user's account.

    (On SQLite a transaction alone would do: there is one writer at a time.)
    """
    users = get_user_model().objects
    database = router.db_for_write(users.model)
    with transaction.atomic(using=database):
        users.using(database).select_for_update().get(pk=user.pk)
        yield


def note_submission(user: Any, job_id: str) -> None:
    """Count a job from now on, and forget of others what no limit asks for. Within `one_at_a_time`."""
    mine = Submission.objects.filter(user=user)
    unsettled = set(mine.filter(is_over=False).values_list("pk", flat=True))
    mine.filter(pk__in=unsettled - _at_work(unsettled)).update(is_over=True)
    mine.filter(is_over=True, submitted_at__lte=timezone.now() - A_DAY).delete()
    Submission.objects.get_or_create(job_id=job_id, defaults={"user": user})


def note_return(job: Job) -> None:
    """A job that was over is to be done once more: it counts as one at work, on the day of its submission."""
    fields = {"user": job.user, "is_over": False}
    Submission.objects.update_or_create(
        job_id=job.job_id, defaults=fields, create_defaults=fields | {"submitted_at": job.submitted_at}
    )


def _at_work(job_ids: Iterable[str]) -> set[str]:
    """Those that wait or run."""
    found = Job.objects.filter(pk__in=list(job_ids)).values_list("pk", "status")
    return {job_id for job_id, status in found if status in ("PENDING", "RUNNING")}


def wrong_with_another_job(user: Any, *, haplotype_aware: bool) -> str:
    """Why this user's tier does not allow one more job now; empty when it does."""
    limits, usage = limits_of(user), usage_of(user)
    if haplotype_aware and not limits.haplotype_aware:
        return f"Haplotype-aware consequences are not part of the {limits.label} tier. Submit without them."
    if usage.at_once >= limits.jobs_at_once:
        return _no_room(limits, usage)
    if usage.today >= limits.jobs_a_day:
        return (
            f"You have submitted {usage.today} jobs in the last 24 hours, as many as the {limits.label} tier "
            "allows. Submit this one later."
        )
    return ""


def wrong_with_one_more_run(user: Any) -> str:
    """Why this user's tier does not allow one more of their jobs to be done now; empty when it does."""
    limits, usage = limits_of(user), usage_of(user)
    return _no_room(limits, usage) if usage.at_once >= limits.jobs_at_once else ""


def _no_room(limits: Limits, usage: Usage) -> str:
    return (
        f"{usage.at_once} of your jobs are waiting or running, and the {limits.label} tier has room for "
        f"{limits.jobs_at_once} at once. Try again when another has ended."
    )

"""Pages of jobs by key: the page after a job is found by an index, however many jobs come before it.

Pages by number would be read from the first job on each time, and their count would take all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from annotations.job_queries import JobQuerySet
from annotations.models import Job

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Page:
    """Jobs, newest first. `newer` and `older` are the marks of the pages beside it, where there are any."""

    jobs: list[Job]
    newer: str | None
    older: str | None


def mark_of(job: Job) -> str:
    """Where a job stands among the others of its user, as text for an address."""
    return f"{(job.submitted_at - EPOCH) // MICROSECOND}.{job.job_id}"


def page_of(jobs: JobQuerySet, size: int, *, before: str | None = None, after: str | None = None) -> Page:
    """The page of jobs older than the mark `before`, or newer than the mark `after`, or the first.

    A mark that means nothing gives the first page.
    """
    if after and (place := _place(after)):
        submitted_at, job_id = place
        newer_than = Q(submitted_at__gt=submitted_at) | Q(submitted_at=submitted_at, job_id__gt=job_id)
        found = list(jobs.filter(newer_than).order_by("submitted_at", "job_id")[: size + 1])
        if len(found) > size:
            shown = found[:size][::-1]
            return Page(shown, newer=mark_of(shown[0]), older=mark_of(shown[-1]))
        return page_of(jobs, size)
    place = _place(before) if before else None
    if place:
        submitted_at, job_id = place
        jobs = jobs.filter(Q(submitted_at__lt=submitted_at) | Q(submitted_at=submitted_at, job_id__lt=job_id))
    found = list(jobs.order_by("-submitted_at", "-job_id")[: size + 1])
    shown = found[:size]
    return Page(
        shown,
        newer=mark_of(shown[0]) if place and shown else None,
        older=mark_of(shown[-1]) if len(found) > size else None,
    )


def _place(mark: str) -> tuple[datetime, str] | None:
    microseconds, _, job_id = mark.partition(".")
    try:
        return EPOCH + int(microseconds) * MICROSECOND, job_id
    except (ValueError, OverflowError):
        return None

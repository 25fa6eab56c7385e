"""Refusals by the tier as problem details."""

from typing import Any

from annotations.api.problems import Problem
from annotations.limits import limits_of, usage_of

WAIT_FOR_A_JOB_SECONDS = 15  # about as long as a job of usual size takes
WAIT_FOR_A_DAY_SECONDS = 3600


def refused_by_tier(user: Any, detail: str, *, haplotype_aware: bool) -> Problem:
    """Why another job is refused: for good on this tier, or until there is room."""
    limits = limits_of(user)
    if haplotype_aware and not limits.haplotype_aware:
        return Problem("tier", detail, upgrade_url=limits.upgrade_url)
    today_is_full = usage_of(user).today >= limits.jobs_a_day
    wait_seconds = WAIT_FOR_A_DAY_SECONDS if today_is_full else WAIT_FOR_A_JOB_SECONDS
    return Problem(
        "no-room", detail, headers={"Retry-After": str(wait_seconds)}, upgrade_url=limits.upgrade_url
    )


def too_large(user: Any, detail: str) -> Problem:
    """A file that the tier does not take."""
    limits = limits_of(user)
    return Problem("too-large", detail, limit_bytes=limits.upload_max_bytes, upgrade_url=limits.upgrade_url)

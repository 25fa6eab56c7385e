"""Links to results: made, found, revoked."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

import structlog
from django.db.models import Q, QuerySet
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from annotations.models import Job
from annotations.sharing.models import ShareLink

log = structlog.get_logger(__name__)

SECRET_BYTES = 32
MOST_OF_A_JOB = 20
USE_NOTED_EVERY = timedelta(minutes=1)


class TooManyLinks(Exception):
    """The job has as many good links as one may have; the message says what to do."""


def make(job: Job, lifetime: timedelta, note: str = "") -> tuple[ShareLink, str]:
    """A new link and its secret, which nobody can show again. Raises TooManyLinks."""
    if sum(link.is_good for link in of(job)) >= MOST_OF_A_JOB:
        raise TooManyLinks(f"This job has {MOST_OF_A_JOB} links. Revoke one that is no longer needed.")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    link = ShareLink.objects.create(
        user=job.user,
        job_id=job.job_id,
        digest=digest_of(secret),
        note=note,
        expires_at=timezone.now() + lifetime,
    )
    log.info("result_shared", job_id=job.job_id, link=link.pk, expires_at=link.expires_at.isoformat())
    return link, secret


def of(job: Job) -> QuerySet[ShareLink]:
    """A job's links, the newest first."""
    return ShareLink.objects.filter(job_id=job.job_id)


def find(secret: str) -> ShareLink | None:
    """The link whose secret this is, good or not; one whose owner may not log in any more is none."""
    return ShareLink.objects.filter(digest=digest_of(secret), user__is_active=True).first()


def note_use(link: ShareLink) -> None:
    now = timezone.now()
    # Not at each request: that would be a write for each read.
    ShareLink.objects.filter(
        Q(opened_at__isnull=True) | Q(opened_at__lt=now - USE_NOTED_EVERY), pk=link.pk
    ).update(opened_at=now)


def revoke(job: Job, link_pk: int) -> bool:
    """Whether there was such a link of this job, and it was not revoked yet."""
    found = of(job).filter(pk=link_pk, revoked_at__isnull=True)
    revoked = found.update(revoked_at=timezone.now())
    if revoked:
        log.info("link_revoked", job_id=job.job_id, link=link_pk)
    return bool(revoked)


def digest_of(secret: str) -> str:
    """A plain hash is enough: 256 random bits can't be guessed, as passwords can."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


@receiver(post_delete, sender=Job)
def forget(instance: Job, **_: Any) -> None:
    """A deleted job has no links."""
    of(instance).delete()

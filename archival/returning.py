"""Tell a user by mail that results are back from the archive.

Whoever subscribes gets many results back at about the same time: the one that comes last is told of together
with all before it. Who wins: `claim_return_mail`, for each result; a task that dies before it has sent leaves
its results to the next one when their lease has run out.
"""

from datetime import timedelta
from smtplib import SMTPException
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone

from annotations.models import Job, ResultState
from archival.in_hand import TryLater

log = structlog.get_logger(__name__)

WAIT_FOR_OTHERS = timedelta(minutes=15)
NAMED_AT_MOST = 20


def notify(job_id: str, task_id: str, *, retry_seconds: int) -> None:
    """Tell of this result and of all others of the user that are back and not told of.

    Where more are expected soon, the last of them does it. Raises in_hand.TryLater.
    """
    job = Job.objects.filter(pk=job_id, return_mail_due=True).first()
    if job is None:
        log.info("return_mail_not_due")
        return
    if _more_to_come(job):
        return  # the sweep asks again, should the last one's message be lost
    untold = Job.objects.filter(user=job.user, result_state=ResultState.AVAILABLE, return_mail_due=True)
    told = [back for back in untold if Job.objects.claim_return_mail(back.job_id, task_id)]
    if not told:
        return
    try:
        _mail(job, told).send()
    except (OSError, SMTPException) as error:
        log.warning("mail_not_sent", error=str(error))
        for back in told:
            Job.objects.put_off(back.job_id, task_id, wait_seconds=retry_seconds + 60)
        raise TryLater from error
    for back in told:
        Job.objects.told_of_return(back.job_id, task_id, back.archive_due_at)
    log.info("user_told_of_return", results=len(told))


def _more_to_come(job: Job) -> bool:
    now = timezone.now()
    if job.returned_at is None or job.returned_at < now - WAIT_FOR_OTHERS:
        return False
    on_their_way = Job.objects.archived_of(job.user).filter(
        result_state__in=(ResultState.THAWING, ResultState.RESTORING),
        retrieval_expected_at__lte=now + WAIT_FOR_OTHERS,
    )
    return on_their_way.exists()


def _mail(job: Job, told: list[Job]) -> EmailMessage:
    told.sort(key=lambda back: back.submitted_at, reverse=True)
    name = " ".join(told[0].input_file_name.split())
    context = {
        "user": job.user,
        "told": told[:NAMED_AT_MOST],
        "others": len(told[NAMED_AT_MOST:]),
        "site": settings.SITE_URL,
    }
    newest = max((back.returned_at for back in told if back.returned_at), default=timezone.now())
    host = urlsplit(settings.SITE_URL).hostname
    return EmailMessage(
        subject=f"{name} is back" if len(told) == 1 else f"{len(told)} results are back",
        body=render_to_string("archival/mail/returned.txt", context),
        to=[job.user.email],
        headers={"Message-ID": f"<{told[0].job_id}.returned.{newest.timestamp():.0f}@{host}>"},
    )

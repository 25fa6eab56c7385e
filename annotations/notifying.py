"""Tell a user by mail how a job ended, and programs by a topic: once, whatever is delivered twice or dies.

The messages to their webhooks are written down before the mail is sent, and go by tasks of their own.

Who wins: `claim_notification` lets one task through and keeps its twins out for a minute. It sends, then
notes `notified_at`, after which nobody gets through. A task that dies before it has sent is followed, when
its minute is over, by one that the sweep sends: the mail is late. A task that is killed between the mail
server's yes and the note of it is followed too, and that is the one way to a second mail; it bears the
Message-ID of the first, by which mail servers and programs know it for the same.
"""

from smtplib import SMTPException
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from annotations.announcing import NotAnnounced, announce
from annotations.models import Job, Status
from annotations.webhooks.announcing import announce as announce_to_webhooks

log = structlog.get_logger(__name__)


class MailNotSent(Exception):
    """The mail server, or the topic of finished jobs, did not take it; the notification is free again."""


def notify(job_id: str, task_id: str, *, retry_seconds: int) -> None:
    """Send the mail about a job that is over, unless it was sent or is being sent.

    Raises MailNotSent: the caller tries again in `retry_seconds`.
    """
    if not Job.objects.claim_notification(job_id, task_id):
        log.info("notification_not_due", job_id=job_id)
        return
    job = Job.objects.get(pk=job_id)
    announce_to_webhooks(job)
    try:
        announce(job)
        _mail(job).send()
    except (OSError, SMTPException, NotAnnounced) as error:
        event = "job_not_announced" if isinstance(error, NotAnnounced) else "mail_not_sent"
        log.warning(event, error=str(error))
        Job.objects.release_notification(job_id, task_id, wait_seconds=retry_seconds)
        raise MailNotSent from error
    Job.objects.notified(job_id, task_id)
    log.info("user_notified", status=job.status)


def _mail(job: Job) -> EmailMessage:
    done = job.status == Status.COMPLETED
    name = _one_line(job.input_file_name)
    context = {"job": job, "name": name, "address": settings.SITE_URL + job.get_absolute_url()}
    template = "annotations/mail/completed.txt" if done else "annotations/mail/failed.txt"
    return EmailMessage(
        subject=f"{name} is annotated" if done else f"{name} could not be annotated",
        body=render_to_string(template, context),
        to=[job.user.email],
        headers={"Message-ID": f"<{job.job_id}.{job.status.lower()}@{urlsplit(settings.SITE_URL).hostname}>"},
    )


def _one_line(text: str) -> str:
    """A file name may hold line breaks; a subject may not."""
    return " ".join(text.split())

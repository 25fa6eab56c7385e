"""Mails about a customer's tier: each once, whatever is delivered twice or dies half-way."""

from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from billing.models import Notice
from billing.tiers import FREE, tier_named

log = structlog.get_logger(__name__)

SUBJECTS = {
    Notice.Kind.UPGRADED: "You are on the premium tier",
    Notice.Kind.ENDING: "Your premium tier will end",
    Notice.Kind.PAST_DUE: "Your payment failed",
    Notice.Kind.CEASED: "Your premium tier has ended",
}


class MailNotSent(Exception):
    """The mail server did not take it; another try may."""


def send_notice(pk: int) -> None:
    """Send the mail of a notice unless it is sent or being sent. Raises MailNotSent.

    A task killed between the mail server's yes and the note of it is the one way to a second mail, and that
    bears the Message-ID of the first.
    """
    if not Notice.objects.claim(pk):
        return
    notice = Notice.objects.select_related("customer__user").get(pk=pk)
    try:
        _mail(notice).send()
    except (OSError, SMTPException) as error:
        log.warning("mail_not_sent", error=str(error))
        Notice.objects.release(pk)
        raise MailNotSent from error
    Notice.objects.sent(pk)


def _mail(notice: Notice) -> EmailMessage:
    context: dict[str, Any] = {
        "notice": notice,
        "retention": tier_named(FREE).retention,
        "address": settings.SITE_URL + reverse("billing:overview"),
    }
    return EmailMessage(
        subject=SUBJECTS[Notice.Kind(notice.kind)],
        body=render_to_string(f"billing/mail/{notice.kind}.txt", context),
        to=[notice.customer.user.email],
        headers={"Message-ID": f"<{notice.key.replace(':', '.')}@{urlsplit(settings.SITE_URL).hostname}>"},
    )

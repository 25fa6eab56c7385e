"""From a job's end to a message for each webhook of its user, written down before it goes."""

import json
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from annotations.enqueue import enqueue
from annotations.models import Job, Status
from annotations.webhooks.models import Delivery, Event, Webhook

log = structlog.get_logger(__name__)

EVENTS = {Status.COMPLETED: Event.COMPLETED, Status.FAILED: Event.FAILED}


def announce(job: Job) -> None:
    """Send a message to each webhook of the job's user. Doing it again sends nothing anew."""
    event = EVENTS.get(Status(job.status))
    if event is None:
        return
    for webhook in Webhook.objects.of(job.user_id).filter(is_active=True):
        delivery, created = Delivery.objects.get_or_create(
            webhook=webhook,
            job_id=job.job_id,
            event=event,
            defaults={"body": _body(event, _told_of(job))},
        )
        if created:
            enqueue("deliver_webhook", str(delivery.pk))


def announce_test(webhook: Webhook) -> Delivery:
    """A message to try the webhook with."""
    delivery = Delivery.objects.create(
        webhook=webhook, event=Event.TEST, body=_body(Event.TEST, {"webhook_id": str(webhook.pk)})
    )
    enqueue("deliver_webhook", str(delivery.pk))
    return delivery


def _body(event: str, data: dict[str, Any]) -> str:
    return json.dumps({"type": event, "timestamp": timezone.now().isoformat(), "data": data})


def _told_of(job: Job) -> dict[str, Any]:
    """No more than what leads to the job: a message may go astray, the API asks who one is."""
    return {
        "job_id": job.job_id,
        "file_name": job.input_file_name,
        "status": job.status,
        "reference": job.reference,
        "completed_at": job.completed_at.isoformat() if job.completed_at else None,
        "failure_reason": job.failure_reason or None,
        "url": f"{settings.SITE_URL}/api/v1/jobs/{job.job_id}",
        "page": settings.SITE_URL + job.get_absolute_url(),
    }

"""Send a message, and again when it was not taken: after 10 s, 30 s, 2 min … up to about a day in all.

Who wins: `claim` gives a message that is due to one task for the time of an attempt. The answer is noted, and
a message that was taken is never sent again; one whose note is lost comes twice, with the same `webhook-id`.
Waits of up to SQS's 15 minutes are the broker's, longer ones the sweep's.
"""

from datetime import timedelta

import structlog
from django.utils import timezone

from annotations.enqueue import LONGEST_DELAY_SECONDS, enqueue
from annotations.outbound import AddressRefused, AnswerTooLarge, Unreachable, open_url
from annotations.webhooks.models import Delivery, Webhook
from annotations.webhooks.signing import headers_of

log = structlog.get_logger(__name__)

WAITS_SECONDS = (10, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
ANSWER_MAX_BYTES = 64 * 1024
ANSWER_SECONDS = 10.0
TOTAL_SECONDS = 20.0
SWITCHED_OFF_AFTER = timedelta(days=3)
KEPT = timedelta(days=30)
GONE = 410
MOST_AT_ONCE = 500


def deliver(delivery_id: str) -> None:
    """One attempt, if the message is due and nobody else is at it."""
    if not Delivery.objects.claim(delivery_id):
        log.info("webhook_not_due", delivery_id=delivery_id)
        return
    delivery = Delivery.objects.select_related("webhook").get(pk=delivery_id)
    webhook = delivery.webhook
    if not webhook.is_active:
        Delivery.objects.give_up(delivery_id, None, "the webhook is switched off")
        return
    status, outcome, may_pass = _attempt(webhook, delivery)
    if status is not None and 200 <= status < 300:
        Delivery.objects.delivered(delivery_id, status)
        Webhook.objects.succeeded(webhook.pk)
        log.info("webhook_delivered", delivery_id=delivery_id, status=status)
        return
    log.info(
        "webhook_not_taken",
        delivery_id=delivery_id,
        status=status,
        outcome=outcome,
        attempt=delivery.attempts,
    )
    Webhook.objects.failed(webhook.pk)
    if status == GONE:
        Webhook.objects.disable(webhook.pk, "Its server answered 410: gone.")
    Webhook.objects.disable(
        webhook.pk, "It failed for three days.", failing_before=timezone.now() - SWITCHED_OFF_AFTER
    )
    if not may_pass or delivery.attempts > len(WAITS_SECONDS):
        Delivery.objects.give_up(delivery_id, status, outcome)
        return
    _later(delivery, status, outcome)


def sweep_deliveries() -> None:
    """Send what is due: it waited for longer than the broker can, or its message was lost."""
    for delivery_id in (
        Delivery.objects.due(timezone.now()).order_by("next_at").values_list("pk", flat=True)[:MOST_AT_ONCE]
    ):
        if not enqueue("deliver_webhook", str(delivery_id)):
            return  # the broker is away


def forget_old() -> None:
    """Remove what has been in the log for long."""
    Delivery.objects.filter(created_at__lt=timezone.now() - KEPT).delete()


def _attempt(webhook: Webhook, delivery: Delivery) -> tuple[int | None, str, bool]:
    """(status of the answer, what happened, whether another try may help)."""
    body = delivery.body.encode()
    headers = {"Content-Type": "application/json", **headers_of(webhook.secret, str(delivery.pk), body)}
    try:
        with open_url(
            "POST",
            webhook.url,
            headers=headers,
            body=body,
            limit_bytes=ANSWER_MAX_BYTES,
            wait_seconds=ANSWER_SECONDS,
            total_seconds=TOTAL_SECONDS,
        ) as answer:
            return answer.status, f"answered {answer.status}", True
    except AddressRefused as refusal:
        return None, str(refusal), False
    except AnswerTooLarge:
        return None, "its answer was too large", True
    except Unreachable as error:
        return None, str(error), True


def _later(delivery: Delivery, status: int | None, outcome: str) -> None:
    wait_seconds = WAITS_SECONDS[delivery.attempts - 1]
    Delivery.objects.retry(delivery.pk, timezone.now() + timedelta(seconds=wait_seconds), status, outcome)
    if wait_seconds <= LONGEST_DELAY_SECONDS:
        # A second later than it is due: a message that came too early would find nothing to do.
        enqueue("deliver_webhook", str(delivery.pk), delay_seconds=wait_seconds + 1)

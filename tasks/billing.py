"""Billing's tasks: follow up events, compare customers with Stripe, send mails about tiers."""

from celery import Task, shared_task

from billing import events, notifying, sweeping, syncing
from billing.gateway import StripeUnavailable
from tasks.delay import backoff_seconds, retry_after


@shared_task(name="tasks.billing_event", bind=True, max_retries=None)
def billing_event(self: Task, event_pk: int) -> None:
    """Follow up an event that Stripe sent. Next: thaw or restart_retention, when the tier has changed."""
    try:
        events.process(event_pk)
    except events.TryLater as reason:
        retry_after(backoff_seconds(self.request.retries), self, reason)


@shared_task(name="tasks.sync_subscription", bind=True, max_retries=None)
def sync_subscription(self: Task, customer_pk: int) -> None:
    """Bring one customer's tier in line with Stripe."""
    try:
        syncing.sync_subscription(customer_pk)
    except StripeUnavailable as reason:
        retry_after(backoff_seconds(self.request.retries), self, reason)


@shared_task(name="tasks.billing_notice", bind=True, max_retries=None)
def billing_notice(self: Task, notice_pk: int) -> None:
    """Mail a customer about their tier."""
    try:
        notifying.send_notice(notice_pk)
    except notifying.MailNotSent as reason:
        retry_after(backoff_seconds(self.request.retries), self, reason)


@shared_task(name="tasks.reconcile_billing")
def reconcile_billing() -> None:
    """Every night: have each customer compared with Stripe. Next: sync_subscription, for each."""
    sweeping.reconcile()

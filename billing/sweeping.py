"""Do anew what was lost: events not processed, wishes not fulfilled, tasks and mails not sent.

Safe to run anywhere, any number of times; the nightly look at Stripe finds what no event told of.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from billing import outgoing
from billing.enqueue import enqueue
from billing.models import Customer, Notice, Outgoing, StripeEvent

MOST_AT_ONCE = 500  # of each kind; the next sweep takes the rest


def sweep_billing() -> None:
    now = timezone.now()
    patience = timedelta(seconds=settings.RESEND_AFTER_SECONDS)
    _each(Outgoing.objects.not_sent(now, patience), outgoing.send)
    _each(StripeEvent.objects.nobody_processed(now, patience), lambda pk: enqueue("billing_event", pk))
    _each(Customer.objects.due(now, patience), lambda pk: enqueue("sync_subscription", pk))
    _each(Notice.objects.not_sent(now, patience * 2), lambda pk: enqueue("billing_notice", pk))


def reconcile() -> None:
    """Have every customer compared with Stripe, one task each."""
    for pk in Customer.objects.with_something_to_lose().values_list("pk", flat=True).iterator():
        if not enqueue("sync_subscription", pk):
            return  # the broker is away; tomorrow night, or the sweep


def _each(records: Iterable[object], handle: Callable[[int], bool]) -> None:
    for pk in list(records.values_list("pk", flat=True)[:MOST_AT_ONCE]):  # type: ignore[attr-defined]
        if not handle(pk):
            return  # the broker is away, and would keep us waiting for every record

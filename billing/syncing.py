"""The one writer of a customer's tier: asks Stripe what is true, and writes that.

Whoever learns that something may have changed (an event, the admin, the sweep, the night) calls
`sync_subscription`. It first notes the wish in the customer's record, then tries to take the customer's lock.
Who does not get it can go: the holder looks for new wishes after it has let go, and the sweep looks for those
whose holder died. What a holder writes counts only while the lock is still its own.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from billing import outgoing
from billing.entitlement import PAST_DUE, Entitlement, SubscriptionFacts, entitlement
from billing.gateway import StripeError, gateway
from billing.models import Customer, Notice, Subscription
from billing.tiers import FREE, PREMIUM

log = structlog.get_logger(__name__)

TELL_BEFORE_A_GIFT_ENDS = timedelta(days=7)


def sync_subscription(customer_id: int) -> bool:
    """Bring the customer's tier in line with Stripe and with their gift.

    False: somebody else is at it, and will look again. Raises StripeError when Stripe does not tell; the tier
    stays as it is, and the wish stays noted.
    """
    Customer.objects.want_sync(customer_id)
    while Customer.objects.has_wishes(customer_id):
        token = str(uuid.uuid4())
        if not Customer.objects.lock(customer_id, token):
            return False
        try:
            _sync_locked(customer_id, token)
        except StripeError as error:
            Customer.objects.filter(pk=customer_id).update(sync_error=str(error)[:300])
            raise
        finally:
            Customer.objects.unlock(customer_id, token)
    return True


def _sync_locked(customer_id: int, token: str) -> None:
    # What is wished for later than this may be newer than the truth fetched now.
    customer = Customer.objects.get(pk=customer_id)
    wanted = customer.sync_wanted
    facts = gateway().subscriptions(customer.stripe_customer_id) if customer.stripe_customer_id else []
    with transaction.atomic():
        customer = Customer.objects.select_for_update().select_related("user").get(pk=customer_id)
        if customer.lock_token != token:
            log.warning("sync_overtaken", customer=customer_id)
            return
        _write(customer, facts)
        customer.sync_done = wanted
        customer.synced_at = timezone.now()
        customer.sync_error = ""
        customer.save(update_fields=WRITTEN)


WRITTEN = (
    "tier",
    "tier_changed_at",
    "upgrades",
    "ends_at",
    "recheck_at",
    "sync_done",
    "synced_at",
    "sync_error",
)


def _write(customer: Customer, facts: list[SubscriptionFacts]) -> None:
    now = timezone.now()
    due = entitlement(facts, customer.comp_until, now, settings.BILLING_GRACE)
    _mirror(customer, facts)
    before, customer.tier, customer.ends_at = customer.tier, due.tier, due.ends_at
    customer.recheck_at = _recheck_at(customer, facts, now)
    if before != due.tier:
        customer.tier_changed_at = now
        _change(customer)
    if due.ends_at:
        _tell_of_the_end(customer, due, now)


def _change(customer: Customer) -> None:
    """What a new tier causes, recorded with it."""
    if customer.tier == PREMIUM:
        customer.upgrades += 1
        outgoing.add(f"thaw:{customer.pk}:{customer.upgrades}", "thaw", str(customer.user_id))
        _notice(customer, Notice.Kind.UPGRADED, customer.upgrades)
    elif customer.tier == FREE:
        key = f"restart_retention:{customer.pk}:{customer.upgrades}"
        outgoing.add(key, "restart_retention", str(customer.user_id))
        _notice(customer, Notice.Kind.CEASED, customer.upgrades)
    log.info("tier_changed", customer=customer.pk, tier=customer.tier)


def _tell_of_the_end(customer: Customer, due: Entitlement, now: datetime) -> None:
    """Once for each end: a gift's when it is near, any other as soon as it is known."""
    assert due.ends_at is not None  # noqa: S101  for the type checker: the caller has looked
    if due.unpaid_invoice_id:
        _notice(customer, Notice.Kind.PAST_DUE, due.unpaid_invoice_id, due.ends_at)
    elif due.ends_at != customer.comp_until or due.ends_at - now <= TELL_BEFORE_A_GIFT_ENDS:
        _notice(customer, Notice.Kind.ENDING, f"{due.ends_at:%Y%m%dT%H%M%S}", due.ends_at)


def _notice(customer: Customer, kind: Notice.Kind, about: Any, ends_at: datetime | None = None) -> None:
    key = f"{kind}:{customer.pk}:{about}"
    notice, created = Notice.objects.get_or_create(
        key=key, defaults={"customer": customer, "kind": kind, "ends_at": ends_at}
    )
    if created:
        outgoing.add(f"notice:{key}", "billing_notice", notice.pk)


def _recheck_at(customer: Customer, facts: list[SubscriptionFacts], now: datetime) -> datetime | None:
    """The next moment at which the clock alone changes something; all else Stripe announces by an event."""
    moments = [
        unpaid.invoice_created_at + settings.BILLING_GRACE
        for unpaid in facts
        if unpaid.status == PAST_DUE and unpaid.invoice_created_at
    ]
    if customer.comp_until:
        moments += [customer.comp_until, customer.comp_until - TELL_BEFORE_A_GIFT_ENDS]
    return min((moment for moment in moments if moment > now), default=None)


def _mirror(customer: Customer, facts: list[SubscriptionFacts]) -> None:
    for subscription in facts:
        fields = dict(vars(subscription))
        del fields["invoice_created_at"]
        Subscription.objects.update_or_create(
            stripe_id=fields.pop("stripe_id"), defaults={**fields, "customer": customer}
        )
    live = [subscription.stripe_id for subscription in facts if subscription.status in ("active", "past_due")]
    if len(live) > 1:
        log.warning("several_subscriptions", customer=customer.pk, subscriptions=live)

"""Which tier Stripe's facts give: a decision without side effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.tiers import FREE, PREMIUM

PAID = frozenset({"active", "trialing"})
PAST_DUE = "past_due"


@dataclass(frozen=True)
class SubscriptionFacts:
    """What Stripe says of a subscription, as far as it matters here. Times are aware, in UTC.

    `cancel_at` is when it will end if nobody changes that, whichever way that was asked for.
    `invoice_created_at` is the latest invoice's: of a subscription past due, the unpaid one.
    """

    stripe_id: str
    status: str
    price_id: str
    created_at: datetime
    current_period_end: datetime | None
    cancel_at: datetime | None
    ended_at: datetime | None
    latest_invoice_id: str
    invoice_created_at: datetime | None
    is_charged_back: bool


@dataclass(frozen=True)
class Entitlement:
    """The tier, when it is known to end (None: not), and whether an unpaid invoice is the cause of that."""

    tier: str
    ends_at: datetime | None = None
    unpaid_invoice_id: str = ""


def entitlement(
    subscriptions: Sequence[SubscriptionFacts],
    comp_until: datetime | None,
    now: datetime,
    grace: timedelta,
) -> Entitlement:
    """Premium while anything gives it: a subscription that is paid, one in its grace period, or a gift."""
    reasons = [reason for facts in subscriptions if (reason := _reason(facts, now, grace))]
    if comp_until and comp_until > now:
        reasons.append(Entitlement(PREMIUM, comp_until))
    if not reasons:
        return Entitlement(FREE)
    lasting = [reason for reason in reasons if reason.ends_at is None]
    return lasting[0] if lasting else max(reasons, key=lambda reason: reason.ends_at or now)


def _reason(facts: SubscriptionFacts, now: datetime, grace: timedelta) -> Entitlement | None:
    if facts.is_charged_back:
        return None
    if facts.status in PAID:
        return Entitlement(PREMIUM, facts.cancel_at)
    if facts.status == PAST_DUE and facts.invoice_created_at:
        grace_until = facts.invoice_created_at + grace
        if grace_until > now:
            return Entitlement(PREMIUM, grace_until, facts.latest_invoice_id)
    return None

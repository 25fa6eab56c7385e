"""Stripe's events: let in when they are what they say, stored once, followed up by fetching the truth."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from billing.enqueue import enqueue_on_commit
from billing.gateway import StripeError, StripeRefused, api_version, gateway
from billing.models import Customer, StripeEvent
from billing.syncing import sync_subscription

log = structlog.get_logger(__name__)

TOLERANCE_SECONDS = 300  # between Stripe's clock and ours, into the past and into the future


class EventRefused(Exception):
    """The request is no event for us; the message says why, to whoever reads the log."""


class TryLater(Exception):
    """Stripe can't be asked now; the event stays on record."""


def receive(payload: bytes, signature: str) -> None:
    """Store an event and have it processed; one that is stored already is only acknowledged.

    Raises EventRefused, and then nothing is kept of it.
    """
    event = _verified(payload, signature)
    with transaction.atomic():
        record, created = StripeEvent.objects.get_or_create(stripe_id=event["id"], defaults=_record(event))
        if created:
            enqueue_on_commit("billing_event", record.pk)
    if created and event.get("api_version") != api_version():
        log.warning("event_of_another_api_version", found=event.get("api_version"), expected=api_version())


def process(event_pk: int) -> None:
    """Follow an event up. Raises TryLater when Stripe does not answer."""
    if not StripeEvent.objects.begin(event_pk):
        return
    event = StripeEvent.objects.get(pk=event_pk)
    try:
        customer = _customer(event)
        if customer:
            # Where another is at it already, it will look again: the wish is in the database.
            sync_subscription(customer.pk)
    except StripeRefused as error:
        log.warning("event_failed", stripe_event=event.stripe_id, error=str(error))
        StripeEvent.objects.end(event_pk, "FAILED", str(error))
    except StripeError as error:
        StripeEvent.objects.end(event_pk, "FAILED", str(error))
        raise TryLater(str(error)) from error
    else:
        StripeEvent.objects.end(event_pk, "PROCESSED" if customer else "IGNORED")


def _verified(payload: bytes, header: str) -> dict[str, Any]:
    """The event, which Stripe signed with one of our secrets, just now, and of our mode."""
    if not any(_fits(payload, header, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
        raise EventRefused("no signature by a secret of ours within the time allowed")
    if _signed_at(header) > time.time() + TOLERANCE_SECONDS:
        raise EventRefused("signed in the future")
    try:
        event = json.loads(payload)
    except ValueError:
        raise EventRefused("no JSON") from None
    if not isinstance(event, dict) or event.get("object") != "event":
        raise EventRefused("no event")
    if not (isinstance(event.get("id"), str) and isinstance(event.get("type"), str)):
        raise EventRefused("an event without id and type")
    if not isinstance(event.get("created"), int) or not isinstance(_thing(event), dict):
        raise EventRefused("an event without time and content")
    if event.get("livemode") is not settings.STRIPE_IS_LIVE:
        raise EventRefused("of the other mode: test events and live ones do not mix")
    return event


def _fits(payload: bytes, header: str, secret: str) -> bool:
    from stripe import SignatureVerificationError, WebhookSignature  # see `billing.gateway`

    try:
        return WebhookSignature.verify_header(payload, header, secret, TOLERANCE_SECONDS)
    except (SignatureVerificationError, UnicodeDecodeError):
        return False


def _signed_at(header: str) -> int:
    """The timestamp that the signature covers; it fitted, so it is there. The SDK takes the first, too."""
    return next(
        int(value) for name, _, value in (part.partition("=") for part in header.split(",")) if name == "t"
    )


def _record(event: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an event: whom it concerns. Neither cards nor amounts."""
    thing = _thing(event)
    customer = thing.get("id") if thing.get("object") == "customer" else thing.get("customer")
    return {
        "type": str(event["type"])[:100],
        "api_version": str(event.get("api_version") or "")[:40],
        "created_at": datetime.fromtimestamp(event["created"], UTC),
        "stripe_customer_id": _id(customer),
        "payment_intent_id": _id(thing.get("payment_intent")),
    }


def _thing(event: dict[str, Any]) -> Any:
    data = event.get("data")
    return data.get("object") if isinstance(data, dict) else None


def _id(reference: Any) -> str:
    if isinstance(reference, dict):
        reference = reference.get("id")
    return str(reference or "")[:64]


def _customer(event: StripeEvent) -> Customer | None:
    stripe_id = event.stripe_customer_id
    if not stripe_id and event.payment_intent_id:  # a dispute names the payment, and that the customer
        stripe_id = gateway().customer_of_payment(event.payment_intent_id)
    return Customer.objects.filter(stripe_customer_id=stripe_id).first() if stripe_id else None

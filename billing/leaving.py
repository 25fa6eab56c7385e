"""A user leaves for good: nothing is charged to them any more."""

from typing import Any

import structlog

from billing.gateway import StripeError, gateway
from billing.models import Customer
from billing.subscribing import is_configured

log = structlog.get_logger(__name__)


class StillCharged(Exception):
    """A customer at Stripe could not be removed; the message says why."""


def forget(user: Any) -> None:
    """Remove the user's customer at Stripe, which ends their subscription at once and closes open Checkouts.

    May be repeated. Raises StillCharged.
    """
    customer_ids = Customer.objects.filter(user=user).values_list("stripe_customer_id", flat=True)
    customer_id = customer_ids.first()
    if customer_id is None:
        return
    if not is_configured():
        raise StillCharged(f"{customer_id} is a customer at Stripe, and there is no GAS_STRIPE_API_KEY")
    try:
        gateway().delete_customer(customer_id)
    except StripeError as error:
        raise StillCharged(f"Stripe did not remove the customer {customer_id}: {error}") from error
    log.info("customer_deleted", user_id=str(user.pk), customer=customer_id)

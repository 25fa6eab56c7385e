"""A user's way to Stripe: Checkout to subscribe, the Portal for cards, invoices and cancelling.

Nothing here gives anybody a tier: that does `syncing`, when Stripe says so.
"""

import uuid
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse

from billing.gateway import SUBSCRIBED, Price, StripeError, gateway
from billing.models import Customer

PRICE_KEPT_SECONDS = 300


class NotConfigured(Exception):
    """This service takes no payments."""


class AlreadySubscribed(Exception):
    """There is a subscription; the Portal is the place to change it."""


def is_configured() -> bool:
    return bool(settings.STRIPE_API_KEY and settings.STRIPE_PRICE)


def current_price() -> Price | None:
    """What premium costs, as Stripe said within the last minutes. None: it does not tell just now."""
    key = f"billing-price-{settings.STRIPE_PRICE}"
    price: Price | None = cache.get(key)
    if price is None:
        try:
            price = gateway().price()
        except StripeError:
            return None
        cache.set(key, price, PRICE_KEPT_SECONDS)
    return price


def begin(user: Any, form_token: uuid.UUID) -> str:
    """The address of the Checkout page. The same form, sent twice, leads to the same page.

    Raises NotConfigured, AlreadySubscribed, and StripeError.
    """
    if not is_configured():
        raise NotConfigured
    customer = customer_at_stripe(user)
    stripe = gateway()
    if any(facts.status in SUBSCRIBED for facts in stripe.subscriptions(customer)):
        raise AlreadySubscribed
    # A page opened in another tab is gone on with, so that nobody pays twice.
    return stripe.open_checkout(customer) or stripe.checkout(
        customer,
        str(user.pk),
        success_url=settings.SITE_URL + reverse("billing:welcome"),
        cancel_url=settings.SITE_URL + reverse("billing:overview"),
        idempotency_key=f"gas-checkout-{user.pk}-{form_token}",
    )


def manage(user: Any) -> str:
    """The address of the Portal. Raises NotConfigured, and StripeError."""
    if not is_configured():
        raise NotConfigured
    return gateway().portal(
        customer_at_stripe(user), return_url=settings.SITE_URL + reverse("billing:overview")
    )


def customer_at_stripe(user: Any) -> str:
    """The user's id at Stripe, made there first and kept before anything else is done with it."""
    customer, _ = Customer.objects.get_or_create(user=user)
    if customer.stripe_customer_id:
        return customer.stripe_customer_id
    # The same question has the same key: two at once, or one whose answer was lost, get one customer.
    key = f"gas-customer-{uuid.uuid5(uuid.NAMESPACE_URL, f'{user.pk}:{user.email}')}"
    stripe_id = gateway().create_customer(str(user.pk), user.email, idempotency_key=key)
    Customer.objects.filter(pk=customer.pk, stripe_customer_id__isnull=True).update(
        stripe_customer_id=stripe_id
    )
    kept = Customer.objects.values_list("stripe_customer_id", flat=True).get(pk=customer.pk)
    return str(kept)

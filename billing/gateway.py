"""Stripe, in the verbs that billing uses. Nothing of the SDK leaves this module, exceptions included.

Facts about Stripe's API are those of the version that the SDK pins (`api_version`): the period's end stands
on the subscription's item, and an invoice names its payments in `payments`.

The SDK is loaded by the first who speaks to Stripe: it would be a tenth of the memory of every worker.
"""

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from django.conf import settings

from billing.entitlement import PAID, PAST_DUE, SubscriptionFacts

if TYPE_CHECKING:
    from stripe import StripeError as SdkError

TIMEOUT_SECONDS = 10
NETWORK_RETRIES = 2
SUBSCRIBED = PAID | {PAST_DUE, "unpaid", "paused"}  # there is something to manage in the Portal
# https://docs.stripe.com/currencies: those whose amounts are not in hundredths
WITHOUT_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())  # noqa: SIM905
WITH_THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


class StripeError(Exception):
    """Stripe did not do what was asked; the message says what it said, without secrets."""


class StripeUnavailable(StripeError):
    """It can't be reached, or is in trouble, or asks us to wait: trying again later may help."""


class StripeRefused(StripeError):
    """It understood and refused: trying the same again does not help."""


@dataclass(frozen=True)
class Price:
    """What a subscription costs: `amount` as people read it, or empty where Stripe names no single one."""

    stripe_id: str
    amount: str
    interval: str


def api_version() -> str:
    """The version of Stripe's API that the SDK speaks."""
    import stripe

    return stripe.api_version


def _translated(call: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    @functools.wraps(call)
    def translated(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        import stripe

        try:
            return call(*args, **kwargs)
        except (stripe.InvalidRequestError, stripe.AuthenticationError, stripe.PermissionError) as error:
            raise StripeRefused(_words(error)) from None
        except stripe.StripeError as error:
            raise StripeUnavailable(_words(error)) from None

    return translated


def _words(error: "SdkError") -> str:
    words = f"{type(error).__name__}: {error.user_message or 'no message'}"
    return re.sub(r"\b(?:[sr]k_(?:test|live)|whsec)_\w+", "(a secret)", words) + (
        f" [{error.request_id}]" if error.request_id else ""
    )


class StripeGateway:
    """Every method may raise StripeUnavailable or StripeRefused."""

    def __init__(self, api_key: str, api_base: str, price: str) -> None:
        import stripe

        # It would send a machine-wide id and timings along, and writes a file into the home folder for that.
        stripe.enable_telemetry = False
        self._price = price
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base} if api_base else None,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
            max_network_retries=NETWORK_RETRIES,
        )

    @_translated
    def price(self) -> Price:
        """The price that new subscriptions are for."""
        price = self._client.v1.prices.retrieve(self._price)
        recurring = price.recurring
        return Price(
            price.id,
            _amount(price.unit_amount, price.currency) if price.unit_amount is not None else "",
            _interval(recurring.interval, recurring.interval_count) if recurring else "",
        )

    @_translated
    def create_customer(self, user_id: str, email: str, *, idempotency_key: str) -> str:
        """The id of a customer for this user; the same key gives the same one."""
        customer = self._client.v1.customers.create(
            {"email": email, "metadata": {"user_id": user_id}}, {"idempotency_key": idempotency_key}
        )
        return customer.id

    @_translated
    def delete_customer(self, customer_id: str) -> None:
        """Remove a customer, whose subscriptions end at once; one that is removed already may be again."""
        import stripe

        try:
            self._client.v1.customers.delete(customer_id)
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise

    @_translated
    def open_checkout(self, customer_id: str) -> str | None:
        """The address of a Checkout page that this customer has begun and may go on with."""
        sessions = self._client.v1.checkout.sessions.list(
            {"customer": customer_id, "status": "open", "limit": 1}
        )
        return next((session.url for session in sessions.data), None)

    @_translated
    def checkout(
        self, customer_id: str, user_id: str, *, success_url: str, cancel_url: str, idempotency_key: str
    ) -> str:
        """The address of a Checkout page for one subscription; the same key gives the same page."""
        session = self._client.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "customer": customer_id,
                "client_reference_id": user_id,
                "line_items": [{"price": self._price, "quantity": 1}],
                "subscription_data": {"metadata": {"user_id": user_id}},
                "success_url": success_url,
                "cancel_url": cancel_url,
            },
            {"idempotency_key": idempotency_key},
        )
        return str(session.url)

    @_translated
    def portal(self, customer_id: str, *, return_url: str) -> str:
        """The address of the Billing Portal for this customer: cards, invoices, cancelling."""
        session = self._client.v1.billing_portal.sessions.create(
            {"customer": customer_id, "return_url": return_url}
        )
        return session.url

    @_translated
    def subscriptions(self, customer_id: str) -> list[SubscriptionFacts]:
        """All subscriptions that this customer has or had, newest first."""
        found = self._client.v1.subscriptions.list(
            {
                "customer": customer_id,
                "status": "all",
                "limit": 100,
                "expand": ["data.latest_invoice.payments"],
            }
        )
        return [self._facts(subscription) for subscription in found.auto_paging_iter()]

    @_translated
    def customer_of_payment(self, payment_intent_id: str) -> str:
        """Whose payment it is; empty for nobody's."""
        intent = self._client.v1.payment_intents.retrieve(payment_intent_id)
        return _id(intent.customer)

    def _facts(self, subscription: Any) -> SubscriptionFacts:
        item = next(iter(subscription["items"].data), None)  # `.items` would be the mapping's method
        invoice = subscription.latest_invoice
        period_end = _at(item.current_period_end) if item else None
        return SubscriptionFacts(
            stripe_id=subscription.id,
            status=subscription.status,
            price_id=item.price.id if item else "",
            created_at=datetime.fromtimestamp(subscription.created, UTC),
            current_period_end=period_end,
            cancel_at=_at(subscription.cancel_at)
            or (period_end if subscription.cancel_at_period_end else None),
            ended_at=_at(subscription.ended_at),
            latest_invoice_id=invoice.id if invoice else "",
            invoice_created_at=_at(invoice.created) if invoice else None,
            is_charged_back=subscription.status in PAID and any(self._lost_disputes(invoice)),
        )

    def _lost_disputes(self, invoice: Any) -> Iterator[str]:
        """Disputes by which the cardholder has got this invoice's money back."""
        for payment in invoice.payments.data if invoice and invoice.payments else ():
            if intent := _id(payment.payment.payment_intent):
                disputes = self._client.v1.disputes.list({"payment_intent": intent, "limit": 100})
                yield from (dispute.id for dispute in disputes.data if dispute.status == "lost")


def gateway() -> StripeGateway:
    """The one that the settings name; its connections are kept open."""
    return _gateway(settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, settings.STRIPE_PRICE)


@functools.lru_cache(maxsize=4)
def _gateway(api_key: str, api_base: str, price: str) -> StripeGateway:
    return StripeGateway(api_key, api_base, price)


def _id(reference: Any) -> str:
    """The id of what may stand there as an id, whole, or not at all."""
    return reference if isinstance(reference, str) else getattr(reference, "id", "")


def _at(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _amount(smallest_units: int, currency: str) -> str:
    """
    >>> _amount(1900, "eur"), _amount(1900, "jpy")
    ('19.00 EUR', '1,900 JPY')
    """
    decimals = 0 if currency in WITHOUT_DECIMALS else 3 if currency in WITH_THREE_DECIMALS else 2
    return f"{smallest_units / 10**decimals:,.{decimals}f} {currency.upper()}"


def _interval(unit: str, count: int) -> str:
    """
    >>> _interval("month", 1), _interval("month", 3)
    ('month', '3 months')
    """
    return unit if count == 1 else f"{count} {unit}s"

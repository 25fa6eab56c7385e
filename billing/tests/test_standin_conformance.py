"""The stand-in's answers, held against Stripe's published description of its API.

The SDK's classes are generated from the OpenAPI description of the very version that is pinned: which fields
an object has, of what type, which may be missing or null, and which values they may take. So a newer SDK
brings the facts of its version along.
"""

import typing
from collections.abc import Iterator
from types import UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import pytest
import stripe
from stripe._stripe_object import StripeObject
from stripe.params import (
    CustomerCreateParams,
    DisputeListParams,
    EventListParams,
    InvoiceListParams,
    PriceCreateParams,
    ProductCreateParams,
    SubscriptionListParams,
    SubscriptionUpdateParams,
)
from stripe.params.billing_portal import SessionCreateParams as PortalCreateParams
from stripe.params.checkout import SessionCreateParams as CheckoutCreateParams
from stripe.params.checkout import SessionListParams as CheckoutListParams

from billing.standin.objects import Json
from billing.tests.stripe import Person

CLASSES: dict[str, type[StripeObject]] = {
    "billing_portal.session": stripe.billing_portal.Session,
    "checkout.session": stripe.checkout.Session,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "invoice": stripe.Invoice,
    "invoice_payment": stripe.InvoicePayment,
    "payment_intent": stripe.PaymentIntent,
    "plan": stripe.Plan,
    "price": stripe.Price,
    "product": stripe.Product,
    "subscription": stripe.Subscription,
    "subscription_item": stripe.SubscriptionItem,
}


def faults(value: Any, hint: Any, place: str) -> Iterator[str]:
    """How a JSON value differs from what the annotation of an SDK's field allows."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return
    if isinstance(hint, str | ForwardRef):  # a class that the SDK imports only for type checkers
        yield from faults_of_named(value, place)
    elif origin in (Union, UnionType):
        yield from faults_of_choice(value, arguments, place)
    elif origin is Literal:
        if value not in arguments:
            yield f"{place}: {value!r} is none of {arguments}"
    elif origin in (list, typing.List):  # noqa: UP006  the SDK writes it so
        for entry in value if isinstance(value, list) else [value]:
            yield from faults(entry, arguments[0], place)
    elif origin is not None:  # ExpandableField, ListObject, metadata
        yield from faults_of_named(value, place)
    elif isinstance(hint, type) and issubclass(hint, StripeObject):
        yield from faults_of_object(value, hint, place)
    elif not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        yield f"{place}: {value!r} is no {hint.__name__}"


def faults_of_choice(value: Any, arguments: tuple[Any, ...], place: str) -> Iterator[str]:
    # An open set of values is written as Literal or str: hold it against the known ones.
    literals = [argument for argument in arguments if get_origin(argument) is Literal]
    if literals and isinstance(value, str):
        arguments = tuple(literals)
    if value is not None:
        arguments = tuple(argument for argument in arguments if argument is not type(None))
    wrong = [list(faults(value, argument, place)) for argument in arguments]
    if all(wrong):
        yield from min(wrong, key=len)


def faults_of_named(value: Any, place: str) -> Iterator[str]:
    """Of an id, a mapping without a fixed form, a list, or an object that says itself what it is."""
    if isinstance(value, dict) and value.get("object") == "list":
        for entry in value["data"]:
            yield from faults_of_named(entry, place)
    elif isinstance(value, dict) and "object" in value:
        yield from faults_of_object(value, CLASSES.get(value["object"]), place)
    elif not isinstance(value, str | dict):
        yield f"{place}: {value!r} is neither an id nor an object"


def faults_of_object(value: Any, kind: type[StripeObject] | None, place: str) -> Iterator[str]:
    if kind is None or not isinstance(value, dict):
        yield f"{place}: {value!r} is no object of the API"
        return
    fields = {name: hint for name, hint in kind.__annotations__.items() if not name.isupper()}
    place = f"{place}.{kind.__name__}"
    for name in value.keys() - fields.keys() - set(kind.__annotations__):
        yield f"{place} has no field {name}"
    for name, hint in fields.items():
        if name in value:
            yield from faults(value[name], hint, f"{place}.{name}")
        elif type(None) not in get_args(hint) and not name.startswith("_"):
            yield f"{place} lacks {name}"


@pytest.mark.django_db
def test_every_object_has_the_fields_types_and_values_that_stripe_describes(things: list[Json]):
    found = {thing["object"] for thing in things} | {"plan", "price", "subscription_item", "invoice_payment"}
    assert found == set(CLASSES)
    wrong = {fault for thing in things for fault in faults_of_object(thing, CLASSES[thing["object"]], "")}
    assert not wrong, "\n".join(sorted(wrong))


def test_the_comparison_notices_what_is_wrong(person: Person):
    price = dict(person.standin.account.all("price")[0])
    assert list(faults_of_object(price, stripe.Price, "")) == []
    for change, words in (
        ({"colour": "red"}, "no field colour"),
        ({"created": "today"}, "no int"),
        ({"type": "weekly"}, "none of"),
        ({"active": None}, "no bool"),
        ({"product": 3}, "no str"),
        ({"recurring": {"interval": "eon"}}, "none of"),
    ):
        assert any(words in fault for fault in faults_of_object(price | change, stripe.Price, "")), change
    del price["currency"]
    assert [*faults_of_object(price, stripe.Price, "")] == [".Price lacks currency"]


PARAMETERS = {
    "create_customer": CustomerCreateParams,
    "create_product": ProductCreateParams,
    "create_price": PriceCreateParams,
    "create_checkout_session": CheckoutCreateParams,
    "list_checkout_sessions": CheckoutListParams,
    "create_portal_session": PortalCreateParams,
    "list_subscriptions": SubscriptionListParams,
    "update_subscription": SubscriptionUpdateParams,
    "list_invoices": InvoiceListParams,
    "list_disputes": DisputeListParams,
    "list_events": EventListParams,
}


@pytest.mark.parametrize("operation", PARAMETERS)
def test_every_parameter_that_it_takes_is_one_of_stripes(
    operation: str, person: Person, monkeypatch: pytest.MonkeyPatch
):
    from billing.standin import api

    named: set[str] = set()

    class Noted(Exception):
        pass

    def note(given: Any, *allowed: str, required: tuple[str, ...] = ()) -> None:
        named.update(allowed, required)
        raise Noted

    monkeypatch.setattr(api, "only", note)
    arguments = ("sub_1",) if operation == "update_subscription" else ()
    with pytest.raises(Noted):
        getattr(api, operation)(None, {}, *arguments)
    assert named <= set(PARAMETERS[operation].__annotations__)

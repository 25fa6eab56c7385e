"""The stand-in's answers have the fields, types and values of Stripe's published OpenAPI description.

The facts, with their source and version, stand in stripe_facts.toml: of each field that the service reads.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stripe._stripe_object import StripeObject

from billing import events, subscribing
from billing.gateway import gateway
from billing.models import StripeEvent
from billing.standin.objects import Json
from billing.syncing import sync_subscription
from billing.tests.stripe import Person, post_event

FACTS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("stripe_facts.toml").read_text())
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "list": (dict,),
    "reference": (str, dict),
}
NAMELESS = ("recurring", "payment")  # objects that do not say what they are; the fields they stand in do


def faults(thing: Json, kind: str = "") -> Iterator[str]:
    """How an object, and those within it, differ from the facts."""
    kind = kind or thing["object"]
    for name, fact in FACTS[kind].items():
        if name not in thing:
            if fact.get("required"):
                yield f"{kind} lacks {name}"
        elif thing[name] is None:
            if not fact.get("nullable"):
                yield f"{kind}.{name} is null"
        else:
            yield from faults_of_value(thing[name], fact, f"{kind}.{name}")
    for name, value in thing.items():
        for inner in value if isinstance(value, list) else [value]:
            known = str(inner.get("object", name)) if isinstance(inner, dict) else ""
            if known in FACTS:
                yield from faults(inner, known)


def faults_of_value(value: Any, fact: Json, place: str) -> Iterator[str]:
    wanted = PYTHON_TYPES[fact["type"]]
    says = value.get("object") if isinstance(value, dict) else None
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted != (bool,)):
        yield f"{place} is {value!r}, and no {fact['type']}"
    elif value not in fact.get("values", [value]):
        yield f"{place} is {value!r}, and none of {fact['values']}"
    elif fact["type"] == "list" and says != "list":
        yield f"{place} is no list of the API's"


@pytest.mark.django_db
def test_every_answer_has_the_fields_types_and_values_of_the_description(things: list[Json]):
    described = [thing for thing in things if thing["object"] in FACTS]
    wrong = {fault for thing in described for fault in faults(thing)}
    assert not wrong, "\n".join(sorted(wrong))
    # Nothing is in the facts that the stand-in has no answer for.
    inner = {"list", "subscription_item", "invoice_payment", *NAMELESS}
    assert set(FACTS) - {"api_version"} <= {thing["object"] for thing in things} | inner


def test_what_differs_is_noticed(person: Person):
    price = dict(person.standin.account.all("price")[0])
    assert list(faults(price)) == []
    for change, words in (
        ({"created": "today"}, "no integer"),
        ({"active": 1}, "no boolean"),
        ({"created": True}, "no integer"),
        ({"billing_scheme": "barter"}, "none of"),
        ({"currency": None}, "is null"),
        ({"recurring": {"interval": "eon", "interval_count": 1}}, "none of"),
        ({"recurring": {"interval": "month", "interval_count": 1}}, "recurring lacks usage_type"),
    ):
        assert any(words in fault for fault in faults(price | change)), change
    del price["product"]
    assert list(faults(price)) == ["price lacks product"]


@pytest.mark.django_db(transaction=True)
def test_no_field_is_read_that_is_not_among_the_facts(person: Person, monkeypatch: pytest.MonkeyPatch):
    read: set[tuple[str, str]] = set()
    real = StripeObject.__getitem__

    def note(self: StripeObject, name: str) -> Any:
        read.add((real(self, "object") if "object" in self else "", name))
        return real(self, name)

    monkeypatch.setattr(StripeObject, "__getitem__", note)
    gateway().price()
    person.subscribe()
    subscribing.manage(person.user)
    account = person.standin.account
    intent = account.all("payment_intent")[0]
    account.emit("charge.dispute.closed", {"object": "dispute", "payment_intent": intent["id"]})
    post_event(person.take_events()[-1])
    events.process(StripeEvent.objects.get().pk)
    sync_subscription(person.customer.pk)
    nameless = {name for kind in NAMELESS for name in FACTS[kind]} | {"data"}  # the SDK's own empty list
    unknown = {(kind, name) for kind, name in read if name not in (FACTS[kind] if kind else nameless)}
    assert len(read) > 20 and not unknown

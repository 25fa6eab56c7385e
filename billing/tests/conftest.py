"""A running stand-in for Stripe, and a person at its pages."""

from collections.abc import Iterator
from typing import Any

import pytest

from billing import subscribing
from billing.standin import life
from billing.standin.objects import Json
from billing.standin.server import StandIn
from billing.tests.stripe import FAILS_LATER, Person, running, visit


@pytest.fixture
def standin(settings: Any) -> Iterator[StandIn]:
    """Sends no webhook by itself: the test does, how and when it likes."""
    with running(settings) as standin:
        yield standin


@pytest.fixture
def person(standin: StandIn, user: Any) -> Person:
    return Person(standin, user)


@pytest.fixture
def things(person: Person) -> list[Json]:
    """Every kind of object, in many states."""
    account = person.standin.account
    person.subscribe()
    person.change_card(FAILS_LATER)
    subscribing.manage(person.user)
    life.close_dispute(account, life.dispute(account, account.all("payment_intent")[0]), "lost")
    person.pass_time(33)
    seen = [event["data"]["object"] for event in account.all("event")]
    person.pass_time(30)
    person.subscribe()
    person.cancel()
    subscribing.customer_at_stripe(person.user)
    visit(person.standin.url + "/", action="advance", seconds="1")
    return seen + list(account.objects.values())

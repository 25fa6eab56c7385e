"""A running stand-in for Stripe, and a person at its pages."""

from collections.abc import Iterator
from typing import Any

import pytest

from billing.standin.account import PREMIUM_PRICE
from billing.standin.server import StandIn
from billing.tests.stripe import API_KEY, SECRET, Person


@pytest.fixture
def standin(settings: Any) -> Iterator[StandIn]:
    """Sends no webhook by itself: the test does, how and when it likes."""
    settings.DEBUG = True
    standin = StandIn(
        0, api_key=API_KEY, webhook_url="http://testserver/", webhook_secrets=[SECRET], sends_webhooks=False
    )
    settings.DEBUG = False
    settings.STRIPE_API_KEY = API_KEY
    settings.STRIPE_API_BASE = standin.url
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    settings.STRIPE_PRICE = PREMIUM_PRICE
    yield standin
    standin.close()


@pytest.fixture
def person(standin: StandIn, user: Any) -> Person:
    return Person(standin, user)

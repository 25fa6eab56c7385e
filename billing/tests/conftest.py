"""A running stand-in for Stripe, and a person at its pages."""

from collections.abc import Iterator
from typing import Any

import pytest

from billing.standin.server import StandIn
from billing.tests.stripe import Person, running


@pytest.fixture
def standin(settings: Any) -> Iterator[StandIn]:
    """Sends no webhook by itself: the test does, how and when it likes."""
    with running(settings) as standin:
        yield standin


@pytest.fixture
def person(standin: StandIn, user: Any) -> Person:
    return Person(standin, user)

"""People at Stripe's pages, and its events on their way, for the tests."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.test import Client

from billing import events, subscribing
from billing.models import Customer, StripeEvent
from billing.standin.account import PREMIUM_PRICE
from billing.standin.objects import Json
from billing.standin.server import StandIn
from billing.standin.webhooks import signature

API_KEY = "sk_test_standin"
SECRET = "whsec_standin"
GOOD = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
NO_FUNDS = "4000 0000 0000 9995"
ASKS_BANK = "4000 0025 0000 3155"
FAILS_LATER = "4000 0000 0000 0341"
DAY = 24 * 3600


@contextmanager
def running(settings: Any, **options: Any) -> Iterator[StandIn]:
    """A stand-in that the settings point to."""
    settings.DEBUG = True
    standin = StandIn(
        0,
        api_key=API_KEY,
        webhook_url="http://testserver/",
        webhook_secrets=[SECRET],
        **{"sends_webhooks": False, **options},
    )
    settings.DEBUG = False
    settings.STRIPE_API_KEY = API_KEY
    settings.STRIPE_API_BASE = standin.url
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    settings.STRIPE_PRICE = PREMIUM_PRICE
    try:
        yield standin
    finally:
        standin.close()


def visit(address: str, **form: str) -> tuple[int, str, str]:
    """GET, or POST a form: status, page and where it leads."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        if form:
            connection.request("POST", parts.path, urlencode(form))
        else:
            connection.request("GET", parts.path)
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers.get("Location", "")
    finally:
        connection.close()


class Person:
    """Somebody with an account here, who pays there."""

    def __init__(self, standin: StandIn, user: Any) -> None:
        self.standin = standin
        self.user = user

    @property
    def customer(self) -> Customer:
        return Customer.objects.get(user=self.user)

    @property
    def tier(self) -> str:
        return str(self.customer.tier)

    def subscribe(self, card: str = GOOD) -> Json:
        """Through Checkout; the subscription as it is there."""
        status, page, _ = visit(subscribing.begin(self.user, uuid.uuid4()), card=card)
        assert status == 303, page
        return self.subscription()

    def subscription(self) -> Json:
        account = self.standin.account
        return account.all("subscription", customer=self.customer.stripe_customer_id)[0]

    def at_portal(self, **form: str) -> int:
        return visit(subscribing.manage(self.user), **form)[0]

    def change_card(self, card: str, **form: str) -> None:
        assert self.at_portal(action="card", card=card, **form) == 303

    def cancel(self) -> None:
        assert self.at_portal(action="cancel", id=self.subscription()["id"]) == 303

    def pass_time(self, days: float) -> None:
        visit(self.standin.url + "/", action="advance", seconds=str(int(days * DAY)))

    def take_events(self) -> list[Json]:
        return self.standin.webhooks.take()

    def receive(self) -> None:
        """All events arrive, in order, and are followed up."""
        for event in self.take_events():
            assert post_event(event).status_code == 200
            events.process(StripeEvent.objects.get(stripe_id=event["id"]).pk)


def post_event(event: Json | bytes, *, at: float | None = None, secrets: tuple[str, ...] = (SECRET,)) -> Any:
    """Deliver an event to the webhook, signed at a time (default: now)."""
    payload = event if isinstance(event, bytes) else json.dumps(event).encode()
    header = signature(payload, secrets, int(time.time() if at is None else at))
    return post_raw(payload, header)


def post_raw(payload: bytes, header: str | None) -> Any:
    headers = {} if header is None else {"Stripe-Signature": header}
    return Client().post("/billing/webhook/", payload, content_type="application/json", headers=headers)

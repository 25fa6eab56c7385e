"""No secret, card or amount of money reaches a log line, whatever goes wrong."""

import json
import logging
import time
import uuid
from typing import Any

import pytest
from django.test import Client

from billing import events
from billing.gateway import StripeError, gateway
from billing.models import StripeEvent
from billing.standin.server import StandIn
from billing.standin.webhooks import signature
from billing.tests.stripe import ASKS_BANK, DECLINED, GOOD, Person, post_event, post_raw, visit

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "sk_test_very_secret_key"
SECRET = "whsec_very_secret"


def test_no_secret_is_logged(
    person: Person, settings: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    browser = Client()
    browser.force_login(person.user)
    # 1. What works.
    person.subscribe(GOOD)
    person.receive()
    # 2. Refused cards.
    session = gateway().checkout(
        person.customer.stripe_customer_id or "",
        str(person.user.pk),
        success_url="http://x/",
        cancel_url="http://x/",
        idempotency_key=str(uuid.uuid4()),
    )
    visit(session, card=DECLINED)
    visit(session, card=ASKS_BANK, bank="no")
    # 3. Refused webhooks, with every part of their signatures.
    payload = json.dumps({"object": "event"}).encode()
    header = signature(payload, [SECRET], int(time.time()))
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    post_raw(payload, header)
    post_raw(payload + b" ", header)
    # 4. A key that Stripe refuses, on every way to it.
    person.standin.account.emit("customer.updated", person.standin.account.all("customer")[0])
    settings.STRIPE_API_KEY = KEY
    browser.post("/billing/portal/")
    browser.post("/billing/subscribe/", {"form_token": str(uuid.uuid4())})
    post_event(person.take_events()[0], secrets=(SECRET,))
    events.process(StripeEvent.objects.get(type="customer.updated").pk)
    # 5. No Stripe at all.
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    with pytest.raises(StripeError):
        gateway().price()

    output = capfd.readouterr()
    logged = caplog.text + output.out + output.err
    assert "event_refused" in logged and "stripe_failed" in logged and "event_failed" in logged
    hidden = [KEY, SECRET, "whsec_standin", "sk_test_standin", header.split("v1=")[1], session]
    hidden += [card.replace(" ", "") for card in (GOOD, DECLINED, ASKS_BANK)] + [GOOD, DECLINED, ASKS_BANK]
    assert [secret for secret in hidden if secret in logged] == []


@pytest.mark.parametrize("secret", ["sk_test_abc", "rk_live_abc", "whsec_abc"])
def test_a_secret_that_stripe_repeats_is_struck_out(standin: StandIn, secret: str):
    with pytest.raises(StripeError) as caught:
        gateway().customer_of_payment(secret)
    assert secret not in str(caught.value) and "(a secret)" in str(caught.value)

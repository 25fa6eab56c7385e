"""What Stripe signed just now, for our mode, gets in, and once; nothing else leaves a trace."""

import hashlib
import hmac
import json
import re
import time
from typing import Any

import pytest
from django.test import Client

from billing import events
from billing.gateway import StripeGateway, StripeUnavailable, api_version
from billing.models import Customer, StripeEvent
from billing.standin.objects import Json, customer, event
from billing.standin.server import StandIn
from billing.standin.webhooks import signature
from billing.tests.stripe import SECRET, Person, post_event, post_raw

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def configured(settings: Any) -> None:
    settings.STRIPE_API_KEY = "sk_test_x"
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET, "whsec_next"]


def an_event(**changes: Any) -> Json:
    return event(int(time.time()), "customer.created", customer(1, "a@b.org", {}), api_version()) | changes


def test_an_event_is_stored_once_and_sent_on_once(sent_tasks: list[Any]):
    sent = an_event()
    assert [post_event(sent).status_code for _ in range(3)] == [200, 200, 200]
    stored = StripeEvent.objects.get()
    assert (stored.stripe_id, stored.type, stored.state) == (sent["id"], "customer.created", "RECEIVED")
    assert stored.stripe_customer_id == sent["data"]["object"]["id"]
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.billing_event", (stored.pk,))]


@pytest.mark.parametrize("secrets", [(SECRET,), ("whsec_next",), ("whsec_old", "whsec_next")])
def test_while_a_secret_is_rotated_both_are_good(secrets: tuple[str, ...]):
    assert post_event(an_event(), secrets=secrets).status_code == 200


def tampered() -> tuple[bytes, str]:
    payload = json.dumps(an_event()).encode()
    return payload.replace(b"customer.created", b"customer.deleted"), signature(
        payload, [SECRET], int(time.time())
    )


def signed(payload: bytes, *, late_seconds: float = 0, secret: str = SECRET) -> tuple[bytes, str]:
    return payload, signature(payload, [secret], int(time.time() - late_seconds))


def good() -> bytes:
    return json.dumps(an_event()).encode()


def two_times() -> tuple[bytes, str]:
    """An old signature with a second, fresh timestamp behind it."""
    payload, header = signed(good(), late_seconds=3600)
    return payload, f"{header},t={int(time.time())}"


def other_scheme() -> tuple[bytes, str]:
    payload, header = signed(good())
    return payload, header.replace("v1=", "v0=")


def of_another_length() -> tuple[bytes, str]:
    payload = good()
    digest = hmac.new(SECRET.encode(), payload, hashlib.sha256).hexdigest()  # without the time
    return payload, f"t={int(time.time())},v1={digest}"


REFUSED = {
    "tampered": tampered,
    "unsigned": lambda: (good(), None),
    "empty signature": lambda: (good(), ""),
    "nonsense for a signature": lambda: (good(), "t=soon,v1=yes"),
    "time not signed": of_another_length,
    "stale": lambda: signed(good(), late_seconds=301),
    "stale with a second time": two_times,
    "future": lambda: signed(good(), late_seconds=-302),
    "wrong secret": lambda: signed(good(), secret="whsec_other"),
    "other scheme": other_scheme,
    "live": lambda: signed(json.dumps(an_event(livemode=True)).encode()),
    "no mode": lambda: signed(json.dumps(an_event(livemode=None)).encode()),
    "no JSON": lambda: signed(b"{"),
    "no UTF-8": lambda: (b"\xff\xfe", "t=1,v1=00"),
    "no event": lambda: signed(b'{"object": "charge", "livemode": false}'),
    "a list": lambda: signed(b"[]"),
    "without an id": lambda: signed(b'{"object": "event", "livemode": false, "type": "x", "created": 1}'),
    "without content": lambda: signed(json.dumps(an_event(data=None)).encode()),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_event_of_ours_is_refused_and_leaves_no_trace(case: str, sent_tasks: list[Any]):
    assert post_raw(*REFUSED[case]()).status_code == 400
    assert not StripeEvent.objects.exists() and not Customer.objects.exists()
    assert sent_tasks == []


@pytest.mark.parametrize("declared", [True, False])
def test_a_huge_body_is_refused(declared: bool, sent_tasks: list[Any]):
    payload, header = signed(json.dumps(an_event(padding="x" * 300_000)).encode())
    # What comes behind the length that was declared is not read.
    length: dict[str, Any] = {} if declared else {"CONTENT_LENGTH": str(200_000)}
    response = Client().post(
        "/billing/webhook/",
        payload,
        content_type="application/json",
        headers={"Stripe-Signature": header},
        **length,
    )
    assert response.status_code == (413 if declared else 400)
    assert not StripeEvent.objects.exists()


def test_test_events_are_refused_where_payments_are_live(settings: Any):
    settings.STRIPE_IS_LIVE = True
    assert post_event(an_event()).status_code == 400
    assert post_event(an_event(livemode=True)).status_code == 200


def test_without_a_secret_nothing_gets_in(settings: Any):
    settings.STRIPE_WEBHOOK_SECRETS = []
    assert post_event(an_event(), secrets=("",)).status_code == 400


def test_a_clock_that_differs_a_little_does_no_harm():
    for late_seconds in (290, -290):
        assert post_event(an_event(), at=time.time() - late_seconds).status_code == 200


def test_an_event_of_another_api_version_is_taken_and_said(caplog: pytest.LogCaptureFixture):
    assert post_event(an_event(api_version="2020-08-27")).status_code == 200
    assert "event_of_another_api_version" in caplog.text


def test_an_event_of_nobody_here_is_of_no_concern():
    post_event(an_event())
    stored = StripeEvent.objects.get()
    events.process(stored.pk)
    stored.refresh_from_db()
    assert (stored.state, stored.attempts) == ("IGNORED", 1)


def test_an_event_waits_until_stripe_can_be_asked(person: Person, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any) -> None:
        raise StripeUnavailable("down")

    person.subscribe()
    sent = person.take_events()[-1]
    post_event(sent)
    stored = StripeEvent.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr(StripeGateway, "subscriptions", fail)
        with pytest.raises(events.TryLater):
            events.process(stored.pk)
    stored.refresh_from_db()
    assert (stored.state, stored.error) == ("FAILED", "down")
    events.process(stored.pk)
    stored.refresh_from_db()
    assert (stored.state, stored.error, person.tier) == ("PROCESSED", "", "premium")


def test_what_is_kept_of_an_event_tells_nothing_of_cards_or_money(standin: StandIn, person: Person):
    person.subscribe()
    person.receive()
    values = str(list(StripeEvent.objects.values())) + str(list(Customer.objects.values()))
    # As words of their own: ids and times hold any four digits by chance.
    assert "customer.subscription" in values
    assert not re.search(r"\b(1900|4242|4242424242424242)\b", values)

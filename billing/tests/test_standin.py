"""The stand-in behaves as Stripe does, as far as anybody here relies on it."""

import json
import os
import subprocess
import sys
import time
import uuid
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import stripe
from stripe import StripeClient, Webhook

from billing import subscribing
from billing.gateway import api_version
from billing.models import Customer
from billing.standin.account import PREMIUM_PRICE, Account
from billing.standin.objects import add_months
from billing.standin.parameters import decode
from billing.standin.server import StandIn, StandInRefused
from billing.standin.webhooks import Webhooks, signature
from billing.tests.stripe import (
    API_KEY,
    ASKS_BANK,
    DAY,
    DECLINED,
    FAILS_LATER,
    GOOD,
    NO_FUNDS,
    SECRET,
    Person,
    running,
    visit,
)


@pytest.fixture
def client(standin: StandIn) -> StripeClient:
    return StripeClient(
        API_KEY, base_addresses={"api": standin.url}, http_client=stripe.RequestsClient(timeout=10)
    )


@pytest.fixture
def checkout(client: StripeClient) -> Any:
    """An open Checkout session."""
    customer = client.v1.customers.create({"email": "ada@example.org"})
    return client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": PREMIUM_PRICE, "quantity": 1}],
            "success_url": "http://here/welcome/?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://here/back/",
        }
    )


def test_it_refuses_to_start_with_debug_off(settings: Any):
    settings.DEBUG = False
    with pytest.raises(StandInRefused, match="DEBUG off"):
        StandIn(0, api_key=API_KEY, webhook_url="http://x/", webhook_secrets=[])


def test_its_program_refuses_to_start_with_debug_off(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "billing.standin"],
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "gas_project.settings",
            "GAS_STATE_DIR": str(tmp_path),
            "GAS_STRIPE_STANDIN": "true",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "does not start with DEBUG off" in done.stderr


def test_a_working_card_makes_a_subscription_and_leads_back(standin: StandIn, client: Any, checkout: Any):
    status, _, location = visit(checkout.url, card="4242424242424242")
    assert (status, location) == (303, f"http://here/welcome/?session={checkout.id}")
    done = client.v1.checkout.sessions.retrieve(checkout.id)
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    subscription = client.v1.subscriptions.retrieve(
        done.subscription, {"expand": ["latest_invoice.payments"]}
    )
    item = subscription["items"].data[0]
    assert (subscription.status, item.price.id) == ("active", PREMIUM_PRICE)
    assert item.current_period_end == add_months(item.current_period_start, 1, item.current_period_start)
    assert subscription.latest_invoice.status == "paid"
    (payment,) = subscription.latest_invoice.payments.data
    assert client.v1.payment_intents.retrieve(payment.payment.payment_intent).status == "succeeded"
    assert visit(checkout.url)[0] == 200  # the page says that it is over
    assert [event["type"] for event in standin.webhooks.take()] == [
        "customer.created",
        "customer.subscription.created",
        "invoice.paid",
        "checkout.session.completed",
    ]


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (DECLINED, "was declined"),
        (NO_FUNDS, "has insufficient funds"),
        (FAILS_LATER, "was declined"),
        ("4111", "No such test card"),
    ],
)
def test_a_card_that_is_refused_leaves_the_page_open(client: Any, checkout: Any, card: str, words: str):
    status, page, _ = visit(checkout.url, card=card)
    assert status == 200 and words in page
    assert client.v1.checkout.sessions.retrieve(checkout.id).status == "open"
    assert client.v1.subscriptions.list({"status": "all"}).data == []


def test_a_bank_that_asks_decides(client: Any, checkout: Any):
    _, page, _ = visit(checkout.url, card=ASKS_BANK)
    assert "Your bank asks" in page
    _, page, _ = visit(checkout.url, card=ASKS_BANK, bank="no")
    assert "could not confirm" in page
    assert client.v1.subscriptions.list().data == []
    assert visit(checkout.url, card=ASKS_BANK, bank="yes")[0] == 303


@pytest.fixture
def portal(client: Any, checkout: Any) -> str:
    """The address of the Portal of somebody who has paid."""
    visit(checkout.url, card=GOOD)
    return str(client.v1.billing_portal.sessions.create({"customer": checkout.customer}).url)


@pytest.mark.parametrize(
    ("card", "words"), [(DECLINED, "was declined"), (NO_FUNDS, "has insufficient funds")]
)
def test_a_card_that_is_always_declined_is_not_kept(portal: str, card: str, words: str):
    status, page, _ = visit(portal, action="card", card=card)
    assert status == 200 and words in page


def test_a_card_that_asks_the_bank_is_kept_once_it_has_answered_and_then_renews(
    standin: StandIn, client: Any, portal: str
):
    assert "Your bank asks" in visit(portal, action="card", card=ASKS_BANK)[1]
    assert "could not confirm" in visit(portal, action="card", card=ASKS_BANK, bank="no")[1]
    assert visit(portal, action="card", card=ASKS_BANK, bank="yes")[0] == 303
    visit(standin.url + "/", action="advance", seconds=str(40 * DAY))
    assert client.v1.subscriptions.list().data[0].status == "active"
    assert [invoice.status for invoice in client.v1.invoices.list().data] == ["paid", "paid"]


def test_an_open_invoice_is_paid_by_a_better_card_or_with_the_banks_word(
    standin: StandIn, client: Any, portal: str
):
    visit(portal, action="card", card=FAILS_LATER)
    visit(standin.url + "/", action="advance", seconds=str(32 * DAY))
    invoice = client.v1.invoices.list().data[0]
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert "was declined" in visit(portal, action="pay", id=invoice.id)[1]
    assert client.v1.invoices.list().data[0].attempt_count == 1, "only tries of the schedule count"
    visit(portal, action="card", card=ASKS_BANK, bank="yes")
    assert "Your bank asks" in visit(portal, action="pay", id=invoice.id)[1]
    assert visit(portal, action="pay", id=invoice.id, bank="yes")[0] == 303
    assert client.v1.invoices.list().data[0].status == "paid"
    assert client.v1.subscriptions.list().data[0].status == "active"


def test_a_subscription_that_has_ended_does_not_come_back_by_a_late_payment(
    standin: StandIn, client: Any, portal: str
):
    visit(portal, action="card", card=FAILS_LATER)
    visit(standin.url + "/", action="advance", seconds=str(60 * DAY))
    visit(portal, action="card", card=GOOD)
    visit(portal, action="pay", id=client.v1.invoices.list().data[0].id)
    assert client.v1.invoices.list().data[0].status == "paid"
    assert client.v1.subscriptions.list({"status": "all"}).data[0].status == "canceled"


def test_a_checkout_page_closes_after_a_day(standin: StandIn, client: Any, checkout: Any):
    visit(standin.url + "/", action="advance", seconds=str(DAY))
    assert client.v1.checkout.sessions.retrieve(checkout.id).status == "expired"
    assert "no longer open" in visit(checkout.url, card="4242424242424242")[1]


def test_a_failed_renewal_is_tried_again_and_ends_the_subscription(
    standin: StandIn, client: Any, checkout: Any
):
    visit(checkout.url, card=GOOD)
    portal = client.v1.billing_portal.sessions.create({"customer": checkout.customer})
    assert visit(portal.url, action="card", card=FAILS_LATER)[0] == 303
    found = []
    for _ in range(8):
        visit(standin.url + "/", action="advance", seconds=str(7 * DAY))
        subscription = client.v1.subscriptions.list({"status": "all"}).data[0]
        found.append(subscription.status)
    assert found[:4] == ["active"] * 4
    assert found[4] == "past_due" and found[-1] == "canceled"
    invoice = client.v1.invoices.list().data[0]
    assert (invoice.status, invoice.attempt_count) == ("open", 4)


def test_months_end_on_their_last_day_and_come_back_to_their_own():
    january = int(time.mktime(time.strptime("2027-01-31 UTC", "%Y-%m-%d %Z")))
    february = add_months(january, 1, january)
    march = add_months(february, 1, january)
    assert [time.gmtime(at)[:3] for at in (february, march)] == [(2027, 2, 28), (2027, 3, 31)]


def test_the_same_key_gives_the_same_answer_and_another_question_is_refused(client: Any):
    options = {"idempotency_key": "one"}
    first = client.v1.customers.create({"email": "a@example.org"}, options)
    again = client.v1.customers.create({"email": "a@example.org"}, options)
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        client.v1.customers.create({"email": "b@example.org"}, options)


def test_errors_have_stripes_form(client: Any, standin: StandIn):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.subscriptions.retrieve("sub_none")
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (
        404,
        "resource_missing",
        "id",
    )
    assert caught.value.request_id
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.customers.create({"shoe_size": 43})
    assert (caught.value.http_status, caught.value.code) == (400, "parameter_unknown")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.create({"mode": "subscription"})
    assert caught.value.code == "parameter_missing"
    stranger = StripeClient("sk_test_other", base_addresses={"api": standin.url})
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.prices.retrieve(PREMIUM_PRICE)
    with pytest.raises(stripe.InvalidRequestError, match="API version"):
        client.v1.prices.retrieve(PREMIUM_PRICE, options={"stripe_version": "2020-08-27"})


def test_lists_come_in_pages(client: Any):
    made = [client.v1.customers.create({}).id for _ in range(3)]
    first = client.v1.events.list({"limit": 2})
    assert first.has_more
    ids = [event.data.object.id for event in first.auto_paging_iter()]
    assert ids == made[::-1]


def test_prices_can_be_made(client: Any):
    product = client.v1.products.create({"name": "Test"})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "jpy", "unit_amount": 1900, "recurring": {"interval": "month"}}
    )
    assert client.v1.prices.retrieve(price.id).unit_amount == 1900


def test_parameters_are_decoded_as_stripe_encodes_them():
    assert decode("a[b][0][c]=1&a[b][1][c]=2&d=%5B&e[]=x&e[]=y") == {
        "a": {"b": [{"c": "1"}, {"c": "2"}]},
        "d": "[",
        "e": ["x", "y"],
    }


def test_its_signatures_are_stripes():
    payload = json.dumps({"object": "event", "id": "evt_1", "type": "x"}).encode()
    header = signature(payload, ["whsec_old", SECRET], int(time.time()))
    assert Webhook.construct_event(payload, header, SECRET).id == "evt_1"


def test_a_webhook_is_sent_until_it_is_taken(settings: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("billing.standin.webhooks.FIRST_RETRY_SECONDS", 0)
    answers = iter([500, 0, 302, 200])
    sent: list[str] = []

    def send(self: Webhooks, event: Any) -> int:
        sent.append(event["id"])
        return next(answers, 200)

    monkeypatch.setattr(Webhooks, "send", send)
    with running(settings, sends_webhooks=True) as standin:
        with standin.account.lock:
            event = standin.account.emit("customer.created", {"object": "customer", "id": "cus_1"})
        deadline = time.monotonic() + 10
        while standin.webhooks.unsent():
            assert time.monotonic() < deadline
    assert sent == [event["id"]] * 4


def test_its_desk_sends_events_again_in_any_order(standin: StandIn, checkout: Any):
    visit(checkout.url, card=GOOD)
    first = standin.webhooks.take()
    assert visit(standin.url + "/", action="repeat")[0] == 303
    again = standin.webhooks.take()
    assert sorted(event["id"] for event in again) == sorted(event["id"] for event in first)


def test_its_state_outlives_it(settings: Any, tmp_path: Path):
    path = tmp_path / "state.json"
    with running(settings, state=path) as standin:
        client = StripeClient(API_KEY, base_addresses={"api": standin.url})
        customer = client.v1.customers.create({"email": "a@example.org"}, {"idempotency_key": "one"})
        visit(standin.url + "/", action="advance", seconds=str(40 * DAY))
    with running(settings, state=path) as standin:
        client = StripeClient(API_KEY, base_addresses={"api": standin.url})
        again = client.v1.customers.create({"email": "a@example.org"}, {"idempotency_key": "one"})
        assert again.id == customer.id
        assert standin.account.now() > time.time() + 39 * DAY
        assert [event["type"] for event in standin.webhooks.take()] == ["customer.created"]


def test_what_is_no_page_of_its_own_says_so(standin: StandIn):
    assert visit(standin.url + "/elsewhere")[0] == 404
    assert visit(standin.url + "/portal/bps_none")[0] == 404


def test_a_huge_body_is_not_read(standin: StandIn):
    connection = HTTPConnection(standin.url.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/v1/customers")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.django_db
def test_the_portal_is_its_customers_alone(person: Person, other_user: Any):
    stranger = Person(person.standin, other_user)
    subscription = person.subscribe()
    stranger.at_portal(action="cancel", id=subscription["id"])
    assert not person.subscription()["cancel_at_period_end"]
    person.cancel()
    assert person.subscription()["cancel_at_period_end"]


@pytest.mark.django_db
def test_one_customer_and_one_page_come_of_a_form_sent_twice(standin: StandIn, user: Any):
    token = uuid.uuid4()
    assert subscribing.begin(user, token) == subscribing.begin(user, token)
    assert subscribing.begin(user, uuid.uuid4())  # another tab goes on with the same page
    account: Account = standin.account
    assert len(account.all("customer")) == len(account.all("checkout.session")) == 1
    assert Customer.objects.get().stripe_customer_id == account.all("customer")[0]["id"]
    assert api_version().startswith("20")


def test_a_removed_customer_has_no_subscription_and_can_buy_none(client: StripeClient, person: Person):
    subscription = person.subscribe()
    customer_id = person.customer.stripe_customer_id
    assert client.v1.customers.delete(str(customer_id)).deleted
    assert client.v1.subscriptions.retrieve(subscription["id"]).status == "canceled"
    assert [event["type"] for event in person.take_events()][-2:] == [
        "customer.subscription.deleted",
        "customer.deleted",
    ]
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.customers.retrieve(str(customer_id))

"""The pages about tiers, and the way to Stripe and back."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from billing.models import Customer
from billing.standin.server import StandIn
from billing.tests.stripe import FAILS_LATER, GOOD, Person, visit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(browser: Client, path: str = "/billing/") -> str:
    return browser.get(path).content.decode()


def subscribe(browser: Client) -> Any:
    token = re.search(r'name="form_token" value="([^"]+)"', text(browser))
    assert token
    return browser.post("/billing/subscribe/", {"form_token": token[1]})


def test_a_free_user_sees_both_tiers_and_the_price_that_stripe_names(browser: Client, standin: StandIn):
    page = text(browser)
    assert "Your tier: Free" in page and "19.00 EUR" in page and "a month" in page
    assert "Subscribe to premium" in page
    assert "7 days, then archived" in page and "for ever" in page


def test_subscribing_leads_to_checkout_and_the_way_back_gives_nothing_by_itself(
    browser: Client, person: Person
):
    response = subscribe(browser)
    assert (response.status_code, response["Location"].startswith(person.standin.url)) == (302, True)
    status, _, location = visit(response["Location"], card=GOOD)
    assert (status, location) == (303, "http://127.0.0.1:8000/billing/welcome/")
    for _ in range(2):
        page = browser.get("/billing/welcome/")
        assert page.status_code == 200 and "Stripe has yet to confirm" in page.content.decode()
    assert person.tier == "free"
    person.receive()
    assert browser.get("/billing/welcome/")["Location"] == "/billing/"
    assert "You are on the premium tier." in text(browser)


def test_the_service_keeps_the_customer_before_anything_is_paid(browser: Client, standin: StandIn, user: Any):
    subscribe(browser)
    customer = Customer.objects.get(user=user)
    (there,) = standin.account.all("customer")
    assert customer.stripe_customer_id == there["id"]
    assert there["metadata"] == {"user_id": str(user.pk)}
    assert customer.tier == "free"


def test_who_has_a_subscription_is_led_to_the_portal_instead_of_a_second_one(browser: Client, person: Person):
    person.subscribe()  # of which this service has not heard yet
    response = browser.post("/billing/subscribe/", {"form_token": str(uuid.uuid4())}, follow=True)
    assert "You have a subscription already" in response.content.decode()
    assert len(person.standin.account.all("checkout.session")) == 1
    person.receive()
    assert "Manage the subscription" in text(browser)
    response = browser.post("/billing/portal/")
    assert response["Location"].startswith(person.standin.url + "/portal/")
    assert "Cancel the subscription" in visit(response["Location"])[1]


def test_cancelled_and_failing_premium_say_until_when(browser: Client, person: Person):
    person.subscribe()
    person.change_card(FAILS_LATER)
    person.cancel()
    person.receive()
    assert "Premium ends on" in text(browser)
    person.at_portal(action="resume", id=person.subscription()["id"])
    person.pass_time(32)
    person.receive()
    assert "The last payment failed. Premium goes on until" in " ".join(text(browser).split())


def test_a_form_without_its_token_leads_back(browser: Client, standin: StandIn):
    response = browser.post("/billing/subscribe/", {"form_token": "x"})
    assert response["Location"] == "/billing/"
    assert not Customer.objects.exists()


def test_while_stripe_does_not_answer_the_page_says_so(browser: Client, standin: StandIn, settings: Any):
    settings.STRIPE_PRICE = "price_none"
    assert "Subscribe to premium" in text(browser)
    response = browser.post("/billing/subscribe/", {"form_token": str(uuid.uuid4())}, follow=True)
    assert "does not answer as it should" in response.content.decode()


def test_without_stripe_nothing_is_sold(browser: Client):
    assert "takes no subscriptions" in text(browser)
    for path in ("/billing/subscribe/", "/billing/portal/"):
        response = browser.post(path, {"form_token": str(uuid.uuid4())}, follow=True)
        assert "takes no payments" in response.content.decode()


def test_a_form_may_lead_to_stripes_pages_and_nowhere_else(browser: Client, settings: Any):
    settings.FORM_TARGETS = ["https://checkout.stripe.com"]
    policy = browser.get("/billing/")["Content-Security-Policy"]
    assert "form-action 'self' https://checkout.stripe.com" in policy

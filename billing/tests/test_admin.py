"""What the staff can see of billing, and set right."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import Customer, Outgoing, StripeEvent
from billing.syncing import sync_subscription
from billing.tests.stripe import Person, post_event
from billing.tiers import tier_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(django_user_model: Any) -> Client:
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root@example.org", "x" * 12))
    return client


def act(admin: Client, model: str, action: str, *pks: Any) -> str:
    url = reverse(f"admin:billing_{model}_changelist")
    data = {"action": action, "_selected_action": [str(pk) for pk in pks]}
    return admin.post(url, data, follow=True).content.decode()


def test_a_customer_is_found_with_tier_subscription_and_events(admin: Client, person: Person):
    person.subscribe()
    person.receive()
    customer = person.customer
    for term in (person.user.email, customer.stripe_customer_id, person.subscription()["id"]):
        listed = admin.get(reverse("admin:billing_customer_changelist"), {"q": str(term)}).content.decode()
        assert person.user.email in listed
    page = admin.get(reverse("admin:billing_customer_change", args=[customer.pk])).content.decode()
    assert person.subscription()["id"] in page and "active" in page
    shown = admin.get(
        reverse("admin:billing_stripeevent_changelist"), {"q": str(customer.stripe_customer_id)}
    )
    assert "customer.subscription.created" in shown.content.decode()
    assert "Processed" in shown.content.decode()


def test_sync_now_brings_the_truth_at_once(admin: Client, person: Person):
    person.subscribe()
    assert "is premium" in act(admin, "customer", "sync_now", person.customer.pk)
    assert person.tier == "premium"


def test_sync_now_says_what_stripe_refused(admin: Client, person: Person):
    person.subscribe()
    Customer.objects.update(stripe_customer_id="cus_gone")
    assert "No such customer" in act(admin, "customer", "sync_now", person.customer.pk)


def test_an_event_is_processed_again_on_demand(admin: Client, person: Person, sent_tasks: list[Any]):
    person.subscribe()
    post_event(person.take_events()[-1])
    event = StripeEvent.objects.get()
    StripeEvent.objects.end(event.pk, "IGNORED")
    sent_tasks.clear()
    assert "1 events are processed again" in act(admin, "stripeevent", "resend", event.pk)
    event.refresh_from_db()
    assert event.state == "RECEIVED"
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.billing_event", (event.pk,))]


def test_a_task_is_sent_again_on_demand(admin: Client, person: Person, sent_tasks: list[Any]):
    person.subscribe()
    person.receive()
    sent_tasks.clear()
    act(admin, "outgoing", "resend", Outgoing.objects.get(task="thaw").pk)
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.thaw", (str(person.user.pk),))]


def test_a_gift_has_an_end_and_a_reason_and_gives_premium(admin: Client, user: Any, sent_tasks: list[Any]):
    customer = Customer.objects.create(user=user)
    url = reverse("admin:billing_customer_change", args=[customer.pk])
    until = timezone.now() + timedelta(days=30)
    data = {
        "comp_until_0": f"{until:%Y-%m-%d}",
        "comp_until_1": f"{until:%H:%M:%S}",
        "comp_reason": "",
        "subscriptions-TOTAL_FORMS": "0",
        "subscriptions-INITIAL_FORMS": "0",
    }
    assert "A gift needs a reason." in admin.post(url, data).content.decode()
    assert sent_tasks == []
    assert admin.post(url, data | {"comp_reason": "reviews our paper"}).status_code == 302
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.sync_subscription", (customer.pk,))]
    sync_subscription(customer.pk)
    assert tier_of(user).name == "premium"


def test_tier_and_events_cannot_be_written_by_hand(admin: Client, user: Any, person: Person):
    person.subscribe()
    person.receive()
    url = reverse("admin:billing_customer_change", args=[person.customer.pk])
    admin.post(url, {"tier": "free", "comp_reason": "", "subscriptions-TOTAL_FORMS": "0"})
    assert person.tier == "premium"
    for model in ("stripeevent", "outgoing", "notice"):
        assert admin.get(reverse(f"admin:billing_{model}_add")).status_code == 403


def test_what_the_tiers_give_is_shown_and_set(admin: Client, user: Any):
    listed = admin.get(reverse("admin:billing_tieroverride_changelist")).content.decode()
    assert "kept 7 days, 0:00:00" in listed and "kept for ever" in listed  # as the settings have it
    url = reverse("admin:billing_tieroverride_change", args=["free"])
    assert "kept 7 days" in admin.get(url).content.decode()
    assert admin.post(url, {"jobs_at_once": "9", "retention_seconds": "60"}).status_code == 302
    assert tier_of(user).jobs_at_once == 9
    listed = admin.get(reverse("admin:billing_tieroverride_changelist")).content.decode()
    assert "9 at once" in listed and "kept 0:01:00" in listed
    admin.post(url, {})
    assert tier_of(user).jobs_at_once == 2, "an empty field is as the settings have it"
    assert admin.get(reverse("admin:billing_tieroverride_add")).status_code == 403

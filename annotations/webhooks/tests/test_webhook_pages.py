"""A user adds a webhook on the profile, tries it, sees what became of its messages, and removes it."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.outbound.tests.test_client import Server
from annotations.webhooks import delivering, owning
from annotations.webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _logged_in(client: Client, user: Any) -> None:
    client.force_login(user)


def do(client: Client, deed: str, webhook: Webhook) -> str:
    return client.post(reverse(deed, args=[webhook.pk]), follow=True).content.decode()


def test_the_secret_of_a_new_webhook_is_shown_once(client: Client, server: Server):
    html = client.post(reverse("webhooks"), {"url": f"{server.url}/hook"}).content.decode()
    webhook = Webhook.objects.get()
    assert webhook.secret in html
    again = client.get(reverse("webhooks")).content.decode()
    assert f"{server.url}/hook" in again and webhook.secret not in again


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "https://10.0.0.1/", "ftp://x.org/", "here"])
def test_an_address_that_may_not_be_asked_is_refused_at_its_field(client: Client, url: str):
    html = client.post(reverse("webhooks"), {"url": url}).content.decode()
    assert re.search(r'<ul class="errorlist"[^>]*><li>[^<]{20,}', html)
    assert not Webhook.objects.exists()


def test_it_is_tried_and_its_page_says_what_became_of_the_message(
    client: Client, user: Any, server: Server, sent_tasks: list[Any]
):
    webhook = owning.make(user, f"{server.url}/hook")
    server.gives(503)
    assert "on its way" in do(client, "try_webhook", webhook)
    (delivery,) = Delivery.objects.all()
    assert [task.args for task in sent_tasks] == [(str(delivery.pk),)]
    delivering.deliver(str(delivery.pk))
    html = client.get(reverse("webhook", args=[webhook.pk])).content.decode()
    assert "answered 503" in html and "failing" in html


def test_it_is_switched_off_and_on_again_and_starts_afresh(client: Client, user: Any, server: Server):
    webhook = owning.make(user, f"{server.url}/hook")
    assert "switched off" in do(client, "switch_webhook", webhook)
    assert "Switch it on first" in do(client, "try_webhook", webhook)
    Webhook.objects.update(failing_since=timezone.now(), disabled_reason="It failed for three days.")
    assert "It failed for three days." in client.get(reverse("webhook", args=[webhook.pk])).content.decode()
    assert "switched on" in do(client, "switch_webhook", webhook)
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.failing_since, webhook.disabled_reason) == (True, None, "")


def test_it_is_deleted_by_its_owner_alone(client: Client, user: Any, other_user: Any, server: Server):
    webhook = owning.make(user, f"{server.url}/hook")
    client.force_login(other_user)
    assert client.post(reverse("delete_webhook", args=[webhook.pk])).status_code == 404
    assert Webhook.objects.exists()
    client.force_login(user)
    assert "The webhook is deleted." in do(client, "delete_webhook", webhook)
    assert not Webhook.objects.exists()

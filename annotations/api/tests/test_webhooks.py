"""Webhooks by the API: each user's own, and never into our own network."""

from collections.abc import Callable
from typing import Any

import pytest

from annotations.api.models import Scope
from annotations.api.tests.conftest import Caller
from annotations.webhooks import owning
from annotations.webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db
URL = "https://example.org/hook"


def test_a_webhook_shows_its_secret_once(call: Caller):
    made = call.post("/webhooks", {"url": URL}).json()
    assert made["secret"].startswith("whsec_") and made["is_active"]
    assert call.get("/webhooks").json()["items"] == [{k: v for k, v in made.items() if k != "secret"}]


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://127.0.0.1/", "https://[fd00:ec2::254]/", "x", ""]
)
def test_addresses_that_may_not_be_reached_are_refused(call: Caller, url: str):
    assert call.post("/webhooks", {"url": url}).status_code == 422
    webhook = owning.make(call.user, URL)
    assert call("patch", f"/webhooks/{webhook.pk}", {"url": url}).status_code == 422
    assert list(Webhook.objects.values_list("url", flat=True)) == [URL]


def test_it_is_changed_tried_looked_after_and_deleted(call: Caller, sent_tasks: list[Any]):
    path = f"/webhooks/{call.post('/webhooks', {'url': URL}).json()['id']}"
    assert call("patch", path, {"is_active": False}).json()["is_active"] is False
    tried = call.post(f"{path}/test")
    assert tried.status_code == 202 and sent_tasks[-1].args == (tried.json()["id"],)
    log = call.get(f"{path}/deliveries").json()["items"]
    assert [(entry["event"], entry["state"], entry["job_id"]) for entry in log] == [
        ("webhook.test", "PENDING", None)
    ]
    assert call.delete(path).status_code == 204
    assert call.get(path).status_code == 404 and not Delivery.objects.exists()


def test_those_of_another_are_not_there(call: Caller, other: Caller):
    path = f"/webhooks/{owning.make(other.user, URL).pk}"
    for method, more in (
        ("get", ""),
        ("patch", ""),
        ("delete", ""),
        ("post", "/test"),
        ("get", "/deliveries"),
    ):
        body: dict[str, str] | None = {} if method in {"patch", "post"} else None
        assert call(method, path + more, body).status_code == 404, (method, more)
    assert call.get("/webhooks").json()["items"] == []
    assert Webhook.objects.count() == 1


def test_nobody_piles_them_up(call: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(owning, "MOST_OF_A_USER", 1)
    assert [call.post("/webhooks", {"url": URL}).status_code for _ in range(2)] == [201, 409]


def test_they_take_their_own_scope(caller_with: Callable[..., Caller]):
    assert caller_with(Scope.READ, Scope.WRITE).get("/webhooks").status_code == 403
    assert caller_with(Scope.WEBHOOKS).get("/webhooks").status_code == 200

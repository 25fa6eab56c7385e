"""Users are told of their jobs by signed messages, which come until they are taken or given up."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotations import notifying
from annotations.outbound.tests.test_client import Server
from annotations.tests.factories import make_job
from annotations.webhooks import announcing, delivering, owning
from annotations.webhooks.models import Delivery, Webhook
from annotations.webhooks.signing import is_genuine

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook(user: Any, server: Server) -> Webhook:
    server.gives(204)
    return owning.make(user, f"{server.url}/hook")


def deliver_all() -> None:
    for delivery in Delivery.objects.filter(state="PENDING"):
        Delivery.objects.filter(pk=delivery.pk).update(next_at=timezone.now())
        delivering.deliver(str(delivery.pk))


@pytest.mark.parametrize(("status", "event"), [("COMPLETED", "job.completed"), ("FAILED", "job.failed")])
def test_the_end_of_a_job_is_told_signed_and_once(
    webhook: Webhook, server: Server, sent_tasks: list[Any], status: str, event: str
):
    job = make_job(webhook.user, status=status, completed_at=timezone.now())
    for task in ("t1", "t2"):
        notifying.notify(job.job_id, task, retry_seconds=1)
        announcing.announce(job)
    (delivery,) = Delivery.objects.all()
    assert [task.args for task in sent_tasks if task.name == "tasks.deliver_webhook"] == [(str(delivery.pk),)]
    delivering.deliver(str(delivery.pk))
    delivering.deliver(str(delivery.pk))
    ((path, headers, body),) = server.asked
    assert path == "/hook"
    assert is_genuine(webhook.secret, {name.lower(): value for name, value in headers.items()}, body)
    told = json.loads(body)
    assert (told["type"], told["data"]["job_id"], told["data"]["status"]) == (event, job.job_id, status)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.status) == ("DELIVERED", 204)


def test_others_are_told_nothing_and_a_cancelled_job_is_no_news(webhook: Webhook, other_user: Any):
    announcing.announce(make_job(other_user, status="COMPLETED"))
    announcing.announce(make_job(webhook.user, status="CANCELLED"))
    assert not Delivery.objects.exists()


def test_the_signature_covers_the_time_so_that_nobody_sends_it_again_later(webhook: Webhook, server: Server):
    announcing.announce_test(webhook)
    deliver_all()
    _, headers, body = server.asked[0]
    lower = {name.lower(): value for name, value in headers.items()}
    later = int(lower["webhook-timestamp"]) + 3600
    assert not is_genuine(webhook.secret, lower, body, now=later)
    assert not is_genuine(webhook.secret, lower | {"webhook-timestamp": str(later)}, body, now=later)


def test_what_is_not_taken_comes_again_later_and_later(
    webhook: Webhook, server: Server, sent_tasks: list[Any]
):
    server.gives(500)
    delivery = announcing.announce_test(webhook)
    sent_tasks.clear()
    waits = []
    while Delivery.objects.get(pk=delivery.pk).state == "PENDING":
        begun = timezone.now()
        deliver_all()
        waits.append(round((Delivery.objects.get(pk=delivery.pk).next_at - begun).total_seconds()))
    assert waits[:-1] == list(delivering.WAITS_SECONDS)
    delays = [task.options["delay_seconds"] for task in sent_tasks]
    assert delays == [
        wait + 1 for wait in delivering.WAITS_SECONDS if wait <= 900
    ]  # longer ones are the sweep's
    delivery.refresh_from_db()
    assert (delivery.state, delivery.status, delivery.outcome) == ("FAILED", 500, "answered 500")
    assert len(server.asked) == len(delivering.WAITS_SECONDS) + 1


def test_the_sweep_sends_what_is_due_and_nothing_else(webhook: Webhook, sent_tasks: list[Any]):
    due, later = announcing.announce_test(webhook), announcing.announce_test(webhook)
    Delivery.objects.filter(pk=later.pk).update(next_at=timezone.now() + timedelta(hours=1))
    sent_tasks.clear()
    delivering.sweep_deliveries()
    assert [task.args for task in sent_tasks] == [(str(due.pk),)]


def test_a_message_in_somebodys_hand_is_sent_by_nobody_else(webhook: Webhook, server: Server):
    delivery = announcing.announce_test(webhook)
    assert Delivery.objects.claim(delivery.pk)
    delivering.deliver(str(delivery.pk))
    assert server.asked == []


def test_a_webhook_that_fails_for_days_is_switched_off_and_a_success_forgives(
    webhook: Webhook, server: Server
):
    server.gives(503)
    announcing.announce_test(webhook)
    deliver_all()
    webhook.refresh_from_db()
    assert webhook.failing_since is not None and webhook.is_active
    server.gives(200)
    deliver_all()
    webhook.refresh_from_db()
    assert webhook.failing_since is None
    server.gives(503)
    announcing.announce_test(webhook)
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=4))
    deliver_all()
    webhook.refresh_from_db()
    assert not webhook.is_active and "three days" in webhook.disabled_reason
    owning.change(webhook, url=None, is_active=True)
    webhook.refresh_from_db()
    assert webhook.is_active and webhook.disabled_reason == "" and webhook.failing_since is None


def test_gone_means_gone(webhook: Webhook, server: Server):
    server.gives(410)
    announcing.announce_test(webhook)
    deliver_all()
    webhook.refresh_from_db()
    assert not webhook.is_active


def test_an_internal_address_is_given_up_at_once(webhook: Webhook, server: Server, settings: Any):
    settings.OUTBOUND_ALLOWED = []
    Webhook.objects.update(url="https://127.0.0.1/hook")
    delivery = announcing.announce_test(webhook)
    deliver_all()
    delivery.refresh_from_db()
    assert delivery.state == "FAILED" and "internal" in delivery.outcome and server.asked == []


def test_a_redirect_is_no_success(webhook: Webhook, server: Server):
    server.gives(307, Location=f"{server.url}/elsewhere")
    delivery = announcing.announce_test(webhook)
    deliver_all()
    delivery.refresh_from_db()
    assert delivery.state == "PENDING" and [path for path, *_ in server.asked] == ["/hook"]


def test_the_log_is_not_kept_for_ever(webhook: Webhook):
    announcing.announce_test(webhook)
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    delivering.forget_old()
    assert not Delivery.objects.exists()

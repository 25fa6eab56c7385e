"""The tier follows what Stripe says, and what follows from the tier is done once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from billing import notifying
from billing.entitlement import SubscriptionFacts
from billing.gateway import StripeGateway, StripeRefused, StripeUnavailable
from billing.models import Customer, Notice, Outgoing, Subscription
from billing.standin.server import StandIn
from billing.sweeping import reconcile, sweep_billing
from billing.syncing import sync_subscription
from billing.tests.stripe import DAY, FAILS_LATER, GOOD, Person, visit

pytestmark = pytest.mark.django_db(transaction=True)


def sent(sent_tasks: list[Any], name: str) -> list[tuple[Any, ...]]:
    return [task.args for task in sent_tasks if task.name == f"tasks.{name}"]


def test_who_has_paid_is_premium_once_stripe_has_said_so(person: Person, sent_tasks: list[Any]):
    person.subscribe()
    assert person.tier == "free"  # paid, and nobody has told us
    person.receive()
    assert person.tier == "premium"
    assert sent(sent_tasks, "thaw") == [(str(person.user.pk),)]
    subscription = Subscription.objects.get()
    assert (subscription.status, subscription.price_id) == ("active", "price_premium_monthly")
    assert subscription.current_period_end and not person.customer.ends_at


def test_cancelled_premium_lasts_to_the_end_of_its_period(person: Person, sent_tasks: list[Any]):
    person.subscribe()
    person.receive()
    person.cancel()
    person.receive()
    assert person.tier == "premium"
    assert person.customer.ends_at == Subscription.objects.get().current_period_end
    assert sent(sent_tasks, "restart_retention") == []
    person.pass_time(32)
    person.receive()
    assert person.tier == "free"
    assert sent(sent_tasks, "restart_retention") == [(str(person.user.pk),)]
    assert len(sent(sent_tasks, "thaw")) == 1


def test_who_takes_cancelling_back_stays_premium(person: Person):
    person.subscribe()
    person.cancel()
    person.at_portal(action="resume", id=person.subscription()["id"])
    person.pass_time(32)
    person.receive()
    assert (person.tier, person.customer.ends_at) == ("premium", None)


def test_each_upgrade_has_one_thaw(person: Person, sent_tasks: list[Any]):
    for _ in range(2):
        person.subscribe()
        person.receive()
        person.cancel()
        person.pass_time(32)
        person.receive()
    assert len(sent(sent_tasks, "thaw")) == len(sent(sent_tasks, "restart_retention")) == 2
    assert person.customer.upgrades == 2


def test_past_due_is_premium_for_a_grace_period(person: Person, monkeypatch: pytest.MonkeyPatch):
    person.subscribe()
    person.change_card(FAILS_LATER)
    person.pass_time(31.5)
    person.receive()
    assert Subscription.objects.get().status == "past_due"
    customer = person.customer
    invoice = person.standin.account.all("invoice")[0]
    assert customer.tier == "premium"
    assert customer.ends_at and customer.ends_at.timestamp() == invoice["created"] + 7 * DAY
    assert customer.recheck_at == customer.ends_at
    # Nobody needs to tell us when it is over.
    monkeypatch.setattr(timezone, "now", lambda: customer.ends_at)
    assert Customer.objects.due(timezone.now(), timedelta(0)).get() == customer
    sync_subscription(customer.pk)
    assert (person.tier, person.customer.recheck_at) == ("free", None)


def test_a_card_put_right_in_time_ends_the_worry(person: Person):
    person.subscribe()
    person.change_card(FAILS_LATER)
    person.pass_time(31.5)
    person.at_portal(action="card", card=GOOD)
    person.pass_time(3)
    person.receive()
    assert (person.tier, person.customer.ends_at) == ("premium", None)
    assert Subscription.objects.get().status == "active"


@pytest.mark.parametrize(("leaves_unpaid", "status"), [("yes", "unpaid"), ("no", "canceled")])
def test_who_never_pays_is_free_in_the_end(person: Person, leaves_unpaid: str, status: str):
    visit(person.standin.url + "/", action="after_retries", leaves_unpaid=leaves_unpaid)
    person.subscribe()
    person.change_card(FAILS_LATER)
    person.pass_time(50)
    person.receive()
    assert (person.tier, Subscription.objects.get().status) == ("free", status)


def test_a_payment_that_was_charged_back_gives_nothing(person: Person):
    person.subscribe()
    desk = person.standin.url + "/"
    visit(desk, action="dispute", id=person.standin.account.all("payment_intent")[0]["id"])
    person.receive()
    assert person.tier == "premium"  # not decided yet
    visit(desk, action="lost", id=person.standin.account.all("dispute")[0]["id"])
    person.receive()
    assert person.tier == "free"
    assert Subscription.objects.get().is_charged_back


def test_a_gift_is_premium_until_its_end(user: Any, sent_tasks: list[Any], monkeypatch: pytest.MonkeyPatch):
    until = timezone.now() + timedelta(days=30)
    customer = Customer.objects.create(user=user, comp_until=until, comp_reason="teaches a course")
    sync_subscription(customer.pk)
    customer.refresh_from_db()
    assert (customer.tier, customer.ends_at) == ("premium", until)
    assert len(sent(sent_tasks, "thaw")) == 1
    for moment, tier in ((until - timedelta(days=6), "premium"), (until, "free")):
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        sweep_billing()
        assert ("tasks.sync_subscription", (customer.pk,)) in {(task.name, task.args) for task in sent_tasks}
        sync_subscription(customer.pk)
        assert Customer.objects.get().tier == tier
    assert [notice.kind for notice in Notice.objects.order_by("pk")] == ["upgraded", "ending", "ceased"]


def test_while_stripe_does_not_answer_the_tier_stays_and_the_wish_too(
    person: Person, monkeypatch: pytest.MonkeyPatch
):
    person.subscribe()
    person.receive()

    def fail(*_: Any) -> list[SubscriptionFacts]:
        raise StripeUnavailable("down")

    monkeypatch.setattr(StripeGateway, "subscriptions", fail)
    with pytest.raises(StripeUnavailable):
        sync_subscription(person.customer.pk)
    customer = person.customer
    assert (customer.tier, customer.sync_error, customer.locked_until) == ("premium", "down", None)
    assert customer.sync_wanted > customer.sync_done
    monkeypatch.undo()
    assert sync_subscription(customer.pk)
    assert person.customer.sync_error == ""


def test_who_is_late_to_the_lock_leaves_the_wish_to_its_holder(
    person: Person, monkeypatch: pytest.MonkeyPatch
):
    person.subscribe()
    customer = person.customer
    real = StripeGateway.subscriptions
    answers: list[bool] = []

    def while_another_comes(self: StripeGateway, customer_id: str) -> list[SubscriptionFacts]:
        found = real(self, customer_id)
        if not answers:
            person.standin.account.objects[person.subscription()["id"]]["status"] = "canceled"
            answers.append(sync_subscription(customer.pk))
        return found

    monkeypatch.setattr(StripeGateway, "subscriptions", while_another_comes)
    assert sync_subscription(customer.pk)
    assert answers == [False]
    assert person.tier == "free"  # the holder looked again


def test_what_a_holder_writes_after_its_lock_was_taken_does_not_count(
    person: Person, monkeypatch: pytest.MonkeyPatch
):
    person.subscribe()
    customer = person.customer
    real = StripeGateway.subscriptions
    calls: list[str] = []

    def slowly(self: StripeGateway, customer_id: str) -> list[SubscriptionFacts]:
        found = real(self, customer_id)
        calls.append(customer_id)
        if len(calls) == 1:  # so slowly that the lock ran out and another, with newer facts, was done
            Customer.objects.filter(pk=customer.pk).update(locked_until=None, lock_token="")
            person.standin.account.objects[person.subscription()["id"]]["status"] = "canceled"
            assert sync_subscription(customer.pk)
        return found

    monkeypatch.setattr(StripeGateway, "subscriptions", slowly)
    assert sync_subscription(customer.pk)
    assert person.tier == "free"
    assert not Outgoing.objects.exists()


def test_a_task_that_the_broker_did_not_take_is_sent_by_the_sweep(
    person: Person, monkeypatch: pytest.MonkeyPatch, sent_tasks: list[Any], settings: Any
):
    settings.RESEND_AFTER_SECONDS = 0
    person.subscribe()
    with monkeypatch.context() as patch:
        patch.setattr("billing.outgoing.enqueue", lambda *_: False)
        person.receive()
    assert sent(sent_tasks, "thaw") == []
    sweep_billing()
    sweep_billing()
    assert sent(sent_tasks, "thaw") == [(str(person.user.pk),)]


def test_the_night_finds_what_no_event_told_of(person: Person, sent_tasks: list[Any]):
    person.subscribe()
    person.take_events()  # and lose them
    reconcile()
    ((pk,),) = sent(sent_tasks, "sync_subscription")
    sync_subscription(pk)
    assert person.tier == "premium"


def test_a_customer_whom_stripe_does_not_know_keeps_their_tier(standin: StandIn, user: Any):
    customer = Customer.objects.create(user=user, tier="premium", stripe_customer_id="cus_of_another_account")
    with pytest.raises(StripeRefused, match="No such customer"):
        sync_subscription(customer.pk)
    assert Customer.objects.get().tier == "premium"


def test_each_change_is_told_once_and_an_end_beforehand(person: Person):
    person.subscribe()
    person.receive()
    person.cancel()
    person.receive()
    person.pass_time(32)
    person.receive()
    for notice in Notice.objects.order_by("pk"):
        notifying.send_notice(notice.pk)
        notifying.send_notice(notice.pk)
    subjects = [message.subject for message in mail.outbox]
    assert subjects == [
        "You are on the premium tier",
        "Your premium tier will end",
        "Your premium tier has ended",
    ]
    assert all(message.to == [person.user.email] for message in mail.outbox)
    assert "kept for 7 days" in mail.outbox[1].body and "kept for 7 days" in mail.outbox[2].body


def test_a_failed_payment_is_told_with_the_day_until_which_it_matters(person: Person):
    person.subscribe()
    person.change_card(FAILS_LATER)
    person.pass_time(36)  # two failed tries of one invoice
    person.receive()
    (notice,) = Notice.objects.filter(kind="past_due")
    notifying.send_notice(notice.pk)
    assert f"{notice.ends_at:%Y-%m-%d %H:%M}" in mail.outbox[0].body


def test_a_mail_that_is_not_taken_may_be_tried_again(person: Person, monkeypatch: pytest.MonkeyPatch):
    person.subscribe()
    person.receive()
    notice = Notice.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", lambda *_: (_ for _ in ()).throw(OSError("down")))
        with pytest.raises(notifying.MailNotSent):
            notifying.send_notice(notice.pk)
    notifying.send_notice(notice.pk)
    assert len(mail.outbox) == 1

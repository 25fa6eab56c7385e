"""Whatever way events take, the end is what Stripe's truth says, with one thaw for each upgrade.

Each schedule is a random life of a subscription (renewals, failures, cancelling, coming back, disputes),
whose events arrive late, shuffled, several times, at the same time, or not at all; what was lost is found by
the nightly look. SCHEDULES sets how many, SCHEDULES_SEED the first one's seed; a failure names its own.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection

from billing import events
from billing.models import Customer, Outgoing, StripeEvent
from billing.standin import life, objects
from billing.standin.cards import Card, Declined
from billing.standin.objects import Json
from billing.subscribing import customer_at_stripe
from billing.syncing import sync_subscription
from billing.tests.stripe import DAY, Person, post_event, running

SCHEDULES = int(os.environ.get("SCHEDULES", "32"))
FIRST_SEED = int(os.environ.get("SCHEDULES_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
CHUNKS = 4


class Life:
    """A random life at Stripe, told step by step."""

    def __init__(self, chance: random.Random, person: Person) -> None:
        self.chance = chance
        self.person = person
        self.account = person.standin.account
        self.customer_id = customer_at_stripe(person.user)

    def step(self) -> None:
        card = self.chance.choice([Card.SUCCEEDS, Card.DECLINED_WHEN_CHARGED])
        self.account.leaves_unpaid = self.chance.random() < 0.5
        subscription = self.live()
        if subscription is None:
            self.begin()
            self.account.cards[self.customer_id] = card
            return
        self.account.cards[self.customer_id] = card
        self.chance.choice(
            [
                lambda: life.advance(self.account, self.chance.randint(1, 40) * DAY),
                lambda: life.cancel_at_period_end(self.account, subscription, self.chance.random() < 0.7),
                lambda: life.cancel_now(self.account, subscription),
                self.lose_dispute,
                self.pay,
            ]
        )()

    def live(self) -> Json | None:
        found = self.account.all("subscription", customer=self.customer_id)
        return next((thing for thing in found if thing["status"] != "canceled"), None)

    def begin(self) -> None:
        given = {"mode": "subscription", "customer": self.customer_id, "success_url": "http://x/"}
        session = self.account.add(objects.checkout_session(self.account.now(), "http://x", given))
        self.account.carts[session["id"]] = {"price": "price_premium_monthly", "metadata": {}}
        life.begin(self.account, session, Card.SUCCEEDS)

    def lose_dispute(self) -> None:
        paid = self.account.all("payment_intent", customer=self.customer_id, status="succeeded")
        if paid:
            life.close_dispute(self.account, life.dispute(self.account, paid[0]), "lost")

    def pay(self) -> None:
        subscription = self.live()
        invoices = self.account.all("invoice", customer=self.customer_id, status="open")
        if subscription and invoices:
            with suppress(Declined):
                life.pay(self.account, subscription, invoices[0])

    def truth(self) -> str:
        """Said from the stand-in's state, by other means than the service's."""
        for subscription in self.account.all("subscription", customer=self.customer_id):
            if (
                subscription["status"] == "past_due"
            ):  # the grace period is as long as all tries take, and more
                return "premium"
            if subscription["status"] == "active":
                invoice = self.account.objects[subscription["latest_invoice"]]
                intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
                return (
                    "free" if self.account.all("dispute", payment_intent=intent, status="lost") else "premium"
                )
        return "free"


class Post:
    """Carries events badly."""

    def __init__(self, chance: random.Random, pool: ThreadPoolExecutor) -> None:
        self.chance = chance
        self.pool = pool
        self.late: list[Json] = []

    def carry(self, sent: list[Json]) -> None:
        sent = [event for event in sent + self.late if self.chance.random() > 0.3]  # lost
        self.chance.shuffle(sent)
        later = self.chance.randint(0, len(sent))
        self.late, now = sent[:later], sent[later:]
        now += [event for event in now if self.chance.random() < 0.3]  # sent twice
        if self.chance.random() < 0.5:
            for event in now:
                deliver(event)
        else:
            for _ in self.pool.map(deliver_in_thread, now):
                pass


def deliver(event: Json) -> None:
    assert post_event(event).status_code == 200
    events.process(StripeEvent.objects.get(stripe_id=event["id"]).pk)


def deliver_in_thread(event: Json) -> None:
    try:
        deliver(event)
    finally:
        connection.close()


def sent(sent_tasks: list[Any], user: Any) -> list[str]:
    """What was sent about the tier of this user, in order."""
    names = ("tasks.thaw", "tasks.restart_retention")
    return [task.name for task in sent_tasks if task.name in names and task.args == (str(user.pk),)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_schedule_ends_in_the_truth_with_one_thaw_for_each_upgrade(
    chunk: int, django_user_model: Any, sent_tasks: list[Any], settings: Any
):
    ends = set()
    seeds = range(FIRST_SEED + chunk, FIRST_SEED + SCHEDULES, CHUNKS)
    print(f"{len(seeds)} schedules, seeds {seeds[0]} to {seeds[-1]}")  # noqa: T201  to repeat a run that failed
    with ThreadPoolExecutor(3) as pool:
        for seed in seeds:
            chance = random.Random(seed)  # noqa: S311  a schedule, no secret
            with running(settings) as standin:
                person = Person(standin, django_user_model.objects.create(email=f"{seed}@example.org"))
                told, post = Life(chance, person), Post(chance, pool)
                for _ in range(chance.randint(2, 4)):
                    told.step()
                    post.carry(person.take_events())
                # The night: events still under way arrive never, or later still.
                sync_subscription(person.customer.pk)
                assert person.tier == told.truth(), f"seed {seed}"
                changes = sent(sent_tasks, person.user)
                post.carry([])
                assert person.tier == told.truth(), f"seed {seed}"
                assert sent(sent_tasks, person.user) == changes, f"seed {seed}"
            # Upgrades and their ends take turns, and each has sent its task once.
            wanted = ["tasks.thaw", "tasks.restart_retention"] * len(changes)
            assert changes == wanted[: len(changes)], f"seed {seed}"
            assert changes.count("tasks.thaw") == person.customer.upgrades, f"seed {seed}"
            assert len(changes) % 2 == (person.tier == "premium"), f"seed {seed}"
            ends.add((person.tier, min(person.customer.upgrades, 2)))
    assert not Outgoing.objects.filter(sent_at=None).exists()
    assert not Customer.objects.exclude(locked_until=None).exists()
    assert len(ends) > 1 or len(seeds) < 40  # the schedules do differ

"""The stand-in's state: every object by its id, the clock, answers to idempotency keys. Kept in a file."""

import copy
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from billing.gateway import api_version
from billing.standin import objects
from billing.standin.cards import Card
from billing.standin.errors import missing
from billing.standin.objects import Json
from billing.standin.webhooks import Webhooks

PREMIUM_PRICE = "price_premium_monthly"
PREMIUM_AMOUNT = 1900


class Account:
    """Whoever reads or changes it holds `lock`; `save` ends each change."""

    def __init__(self, webhooks: Webhooks, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.webhooks = webhooks
        self._path = path
        self._moment: int | None = None
        self.objects: dict[str, Json] = {}
        self.cards: dict[str, str] = {}  # customer → what their card does
        self.carts: dict[str, Json] = {}  # Checkout session → what is bought
        self.leaves_unpaid = (
            False  # after the last failed try; otherwise it cancels, as Stripe does by default
        )
        self.answers: dict[str, Json] = {}  # idempotency key → request and answer
        self.clock_ahead_seconds = 0
        if path and path.exists():
            self._load(json.loads(path.read_text()))
        else:
            product = self.add(objects.product(self.now(), "Genomics Annotation Service: premium"))
            self.add(objects.price(self.now(), product["id"], PREMIUM_AMOUNT, price_id=PREMIUM_PRICE))

    def now(self) -> int:
        """The account's time, in seconds; while the clock is being moved, that of what happens on the way."""
        return self._moment if self._moment is not None else int(time.time()) + self.clock_ahead_seconds

    def set_moment(self, moment: int | None) -> None:
        self._moment = moment

    def add(self, thing: Json) -> Json:
        self.objects[thing["id"]] = thing
        return thing

    def get(self, kind: str, object_id: str, **error: Any) -> Json:
        """Raises ApiError: no such object."""
        thing = self.objects.get(object_id)
        if thing is None or thing["object"] != kind:
            raise missing(kind, object_id, **error)
        return thing

    def all(self, kind: str, **fields: Any) -> list[Json]:
        """Newest first, as Stripe lists them."""
        found = [
            thing
            for thing in self.objects.values()
            if thing["object"] == kind and all(thing.get(name) == value for name, value in fields.items())
        ]
        return found[::-1]

    def card_of(self, customer_id: str) -> Card:
        return Card(self.cards.get(customer_id, Card.SUCCEEDS))

    def emit(self, kind: str, thing: Json) -> Json:
        """Record an event about a thing as it is now, and have it sent."""
        content = copy.deepcopy(thing)
        content.pop("payments", None)  # Stripe gives these only when asked to expand them
        event = self.add(objects.event(self.now(), kind, content, api_version()))
        self.webhooks.add(event)
        return event

    def save(self) -> None:
        if self._path is None:
            return
        names = ("objects", "cards", "carts", "answers", "leaves_unpaid", "clock_ahead_seconds")
        state = {name: getattr(self, name) for name in names} | {"unsent": self.webhooks.unsent()}
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(state))
        os.replace(draft, self._path)  # noqa: PTH105  Path.replace does the same, and reads like text

    def _load(self, state: Json) -> None:
        unsent = set(state.pop("unsent"))
        for name, value in state.items():
            setattr(self, name, value)
        for event in reversed(self.all("event")):
            if event["id"] in unsent:
                self.webhooks.add(event)

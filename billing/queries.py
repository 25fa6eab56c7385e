"""The verbs of billing's records: each is one conditional update whose row count says who won."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

if TYPE_CHECKING:
    from billing.models import Customer, StripeEvent  # noqa: F401  name the models in the QuerySets' types

LOCK = timedelta(seconds=90)  # longer than all calls of one sync may take together
CLAIM = timedelta(seconds=60)
AnyOutgoing = TypeVar("AnyOutgoing", bound=models.Model)


class CustomerQuerySet(models.QuerySet["Customer"]):
    def want_sync(self, pk: int) -> None:
        """Something may have changed at Stripe: whoever syncs next has to look again."""
        self.filter(pk=pk).update(sync_wanted=F("sync_wanted") + 1, sync_wanted_at=timezone.now())

    def lock(self, pk: int, token: str) -> bool:
        """Take the customer's lock. Of two at once the first update wins; a lock of the dead runs out."""
        now = timezone.now()
        free = Q(locked_until__isnull=True) | Q(locked_until__lt=now)
        return bool(self.filter(free, pk=pk).update(lock_token=token, locked_until=now + LOCK))

    def unlock(self, pk: int, token: str) -> None:
        self.filter(pk=pk, lock_token=token).update(lock_token="", locked_until=None)

    def has_wishes(self, pk: int) -> bool:
        return self.filter(pk=pk, sync_wanted__gt=F("sync_done")).exists()

    def due(self, now: datetime, patience: timedelta) -> CustomerQuerySet:
        """Those whose wish nobody fulfilled, and those whose tier time alone may have changed."""
        unfulfilled = Q(sync_wanted__gt=F("sync_done"), sync_wanted_at__lt=now - patience)
        return self.filter(unfulfilled | Q(recheck_at__lte=now))

    def with_something_to_lose(self) -> CustomerQuerySet:
        """All that a nightly look at Stripe can concern."""
        return self.filter(Q(stripe_customer_id__isnull=False) | Q(tier="premium"))


class EventQuerySet(models.QuerySet["StripeEvent"]):
    def begin(self, pk: int) -> bool:
        """Count a try. False: the event needs none any more."""
        return bool(
            self.filter(pk=pk, state__in=("RECEIVED", "FAILED")).update(
                attempts=F("attempts") + 1, tried_at=timezone.now()
            )
        )

    def end(self, pk: int, state: str, error: str = "") -> None:
        """Note how a try ended; a success is never overwritten by a slower twin's failure."""
        self.filter(pk=pk, state__in=("RECEIVED", "FAILED")).update(state=state, error=error[:300])

    def resend(self, pk: int) -> bool:
        return bool(self.filter(pk=pk).update(state="RECEIVED", error="", tried_at=timezone.now()))

    def nobody_processed(self, now: datetime, patience: timedelta) -> EventQuerySet:
        settled = now - patience
        not_tried = Q(tried_at__isnull=True) | Q(tried_at__lt=settled)
        return self.filter(not_tried, state__in=("RECEIVED", "FAILED"), received_at__lt=settled)


class OutgoingQuerySet(models.QuerySet[AnyOutgoing]):
    """Of what must be sent: `Outgoing` and `Notice`."""

    def claim(self, pk: Any) -> bool:
        """Of two senders at once the first goes on; the other comes too late, or when the first is dead."""
        now = timezone.now()
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
        return bool(self.filter(free, pk=pk, sent_at__isnull=True).update(claimed_until=now + CLAIM))

    def sent(self, pk: Any) -> None:
        self.filter(pk=pk, sent_at__isnull=True).update(sent_at=timezone.now(), claimed_until=None)

    def release(self, pk: Any) -> None:
        self.filter(pk=pk, sent_at__isnull=True).update(claimed_until=None)

    def not_sent(self, now: datetime, patience: timedelta) -> OutgoingQuerySet[AnyOutgoing]:
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
        return self.filter(free, sent_at__isnull=True, created_at__lt=now - patience)

"""The verbs of webhooks and their messages: each is one conditional update whose row count says who won."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F
from django.utils import timezone

if TYPE_CHECKING:
    from annotations.webhooks.models import Delivery, Webhook  # noqa: F401  name the models in the types

LEASE = timedelta(seconds=90)  # longer than an attempt is allowed to take


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def of(self, user: Any) -> WebhookQuerySet:
        return self.filter(user=user)

    def succeeded(self, webhook_id: Any) -> None:
        self.filter(pk=webhook_id, failing_since__isnull=False).update(failing_since=None)

    def failed(self, webhook_id: Any) -> None:
        self.filter(pk=webhook_id, failing_since__isnull=True).update(failing_since=timezone.now())

    def disable(self, webhook_id: Any, reason: str, failing_before: datetime | None = None) -> bool:
        """Switch it off; with `failing_before`, only if it has been failing since earlier than that."""
        found = self.filter(pk=webhook_id, is_active=True)
        if failing_before is not None:
            found = found.filter(failing_since__lt=failing_before)
        return bool(found.update(is_active=False, disabled_reason=reason))


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def claim(self, delivery_id: Any) -> bool:
        """Due → in this caller's hands, for as long as an attempt may take. A twin finds it not due."""
        now = timezone.now()
        return bool(
            self.filter(pk=delivery_id, state="PENDING", next_at__lte=now).update(
                next_at=now + LEASE, tried_at=now, attempts=F("attempts") + 1
            )
        )

    def delivered(self, delivery_id: Any, status: int) -> bool:
        """PENDING → DELIVERED."""
        return bool(
            self.filter(pk=delivery_id, state="PENDING").update(
                state="DELIVERED", status=status, outcome="delivered"
            )
        )

    def retry(self, delivery_id: Any, next_at: datetime, status: int | None, outcome: str) -> bool:
        """Once more, at that time."""
        return bool(
            self.filter(pk=delivery_id, state="PENDING").update(
                next_at=next_at, status=status, outcome=outcome[:300]
            )
        )

    def give_up(self, delivery_id: Any, status: int | None, outcome: str) -> bool:
        """PENDING → FAILED."""
        return bool(
            self.filter(pk=delivery_id, state="PENDING").update(
                state="FAILED", status=status, outcome=outcome[:300]
            )
        )

    def due(self, now: datetime) -> DeliveryQuerySet:
        return self.filter(state="PENDING", next_at__lte=now)

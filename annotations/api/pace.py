"""How many requests a user may make: as many a minute as their tier gives, in a burst or spread out.

The generic cell rate algorithm: each request moves a user's `paid_until` by its share of the minute, and is
let in as long as that is no more than a minute ahead. One row and one conditional update, so that any number
of hosts count together, and no window's edge lets twice as many in.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.db.models.functions import Greatest

from annotations.api.models import RequestPace
from annotations.limits import limits_of

WINDOW_SECONDS = 60


@dataclass(frozen=True)
class Pace:
    """`remaining` requests are let in now; after `wait_seconds` it will be one more."""

    limit: int
    remaining: int
    wait_seconds: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers."""
        fields = {
            "RateLimit-Policy": f'"requests";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"requests";r={self.remaining};t={self.wait_seconds}',
        }
        return fields if self.allowed else fields | {"Retry-After": str(self.wait_seconds)}


def count_request(user: Any) -> Pace:
    """Count one more request of this user's, or refuse it."""
    limit = limits_of(user).requests_a_minute
    share_seconds = WINDOW_SECONDS / limit
    now = time.time()
    latest = now + WINDOW_SECONDS - share_seconds
    pace, _ = RequestPace.objects.get_or_create(user=user)
    # Whoever comes first of two moves it; the other is measured by what that left.
    allowed = bool(
        RequestPace.objects.filter(pk=pace.pk, paid_until__lte=latest).update(
            paid_until=Greatest(F("paid_until"), now) + share_seconds
        )
    )
    ahead_seconds = max(0.0, pace.paid_until - now) + (share_seconds if allowed else 0)
    remaining = max(0, math.floor((WINDOW_SECONDS - ahead_seconds) / share_seconds + 1e-6))
    until_next = ahead_seconds - WINDOW_SECONDS + share_seconds * (remaining + 1)
    return Pace(limit, remaining if allowed else 0, max(1, math.ceil(until_next - 1e-6)), allowed)

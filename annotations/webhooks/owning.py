"""A user's webhooks: made, changed."""

from typing import Any

from annotations.outbound import checked_url
from annotations.webhooks.models import Webhook

MOST_OF_A_USER = 20


class TooManyWebhooks(Exception):
    """The user has as many as one may have; the message says what to do."""


def make(user: Any, url: str) -> Webhook:
    """Raises AddressRefused, TooManyWebhooks."""
    checked_url(url)
    if Webhook.objects.of(user).count() >= MOST_OF_A_USER:
        raise TooManyWebhooks(f"You have {MOST_OF_A_USER} webhooks. Delete one that you no longer use.")
    return Webhook.objects.create(user=user, url=url)


def change(webhook: Webhook, *, url: str | None, is_active: bool | None) -> Webhook:
    """Another address, or on and off. Switched on again it starts afresh. Raises AddressRefused."""
    if url is not None:
        checked_url(url)
        webhook.url = url
    if is_active is not None:
        webhook.is_active = is_active
        if is_active:
            webhook.failing_since, webhook.disabled_reason = None, ""
    webhook.save(update_fields=["url", "is_active", "failing_since", "disabled_reason"])
    return webhook

"""Webhooks: signed, sent until they are taken, and on demand late, twice, shuffled or never."""

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from billing.standin.objects import Json

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 10
FIRST_RETRY_SECONDS = 1
LONGEST_RETRY_SECONDS = 60


def signature(payload: bytes, secrets: Sequence[str], signed_at: int) -> str:
    """The header Stripe-Signature: one v1 for each secret that is valid, as while one is being rotated."""
    signed = str(signed_at).encode() + b"." + payload
    parts = [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets]
    return ",".join([f"t={signed_at}", *parts])


@dataclass
class _Delivery:
    event: Json
    due_at: float
    tries: int = 0


class Webhooks:
    """What has to be sent to one endpoint. `run` sends it; without that, whoever `take`s it may."""

    def __init__(self, url: str, secrets: Sequence[str]) -> None:
        self.url = url
        self.secrets = secrets
        self._deliveries: list[_Delivery] = []
        self._changed = threading.Condition()
        self._stopped = False

    def add(self, event: Json) -> None:
        with self._changed:
            self._deliveries.append(_Delivery(event, time.monotonic()))
            self._changed.notify()

    def unsent(self) -> list[str]:
        """The ids of events that nobody has taken yet."""
        with self._changed:
            return [delivery.event["id"] for delivery in self._deliveries]

    def take(self) -> list[Json]:
        """All unsent events, which are then the caller's to send, or to lose."""
        with self._changed:
            taken = [delivery.event for delivery in self._deliveries]
            self._deliveries.clear()
        return taken

    def send(self, event: Json) -> int:
        """Send an event once; the status of the answer, 0 for none."""
        payload = json.dumps(event).encode()
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.netloc, timeout=TIMEOUT_SECONDS)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, self.secrets, int(time.time())),
        }
        try:
            connection.request("POST", address.path, payload, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            log.info("webhook_not_taken", event_type=event["type"], error=str(error))
            return 0
        finally:
            connection.close()

    def run(self) -> None:
        """Send what is due, until `stop`."""
        while delivery := self._next():
            taken = self.send(delivery.event) // 100 == 2
            with self._changed:
                if taken:
                    self._deliveries = [other for other in self._deliveries if other is not delivery]
                else:
                    wait_seconds = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS << min(delivery.tries, 6))
                    delivery.tries += 1
                    delivery.due_at = time.monotonic() + wait_seconds

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _next(self) -> _Delivery | None:
        with self._changed:
            while not self._stopped:
                first = min(self._deliveries, key=lambda delivery: delivery.due_at, default=None)
                wait_seconds = first.due_at - time.monotonic() if first else None
                if first and wait_seconds is not None and wait_seconds <= 0:
                    return first
                self._changed.wait(wait_seconds)
            return None

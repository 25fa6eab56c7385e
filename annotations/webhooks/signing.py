"""The signature of a message, as Standard Webhooks has it (https://www.standardwebhooks.com, version 1).

The receiver computes HMAC-SHA256 over `ID.TIMESTAMP.BODY` with its secret and compares; a timestamp that is
too old tells a message that somebody has kept and sends again.
"""

import base64
import hashlib
import hmac
import time

from annotations.webhooks.models import SECRET_PREFIX

TOLERANCE_SECONDS = 300


def headers_of(secret: str, message_id: str, body: bytes, now: float | None = None) -> dict[str, str]:
    """The headers that go with the message."""
    timestamp = str(int(time.time() if now is None else now))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_signature(secret, message_id, timestamp, body)}",
    }


def is_genuine(secret: str, headers: dict[str, str], body: bytes, now: float | None = None) -> bool:
    """What a receiver does, written down for tests and for the documentation.

    >>> headers = headers_of("whsec_c2VjcmV0", "m1", b"{}")
    >>> is_genuine("whsec_c2VjcmV0", headers, b"{}"), is_genuine("whsec_c2VjcmV0", headers, b"[]")
    (True, False)
    """
    timestamp = headers["webhook-timestamp"]
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    expected = f"v1,{_signature(secret, headers['webhook-id'], timestamp, body)}"
    return any(hmac.compare_digest(expected, given) for given in headers["webhook-signature"].split(" "))


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

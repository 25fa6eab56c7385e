"""Errors as problem details (RFC 9457): one form for whatever goes wrong under /api/.

`type` names the kind of problem and leads to its description, `detail` says what happened this time and what
to do, and `errors` lists the parts of the request that are wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse

MEDIA_TYPE = "application/problem+json"
TYPES_AT = "/api/v1/problems#"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its status, its title, and what a caller should make of it."""

    status: int
    title: str
    meaning: str


KINDS = {
    "malformed": Kind(400, "Malformed request", "The request can't be read: broken JSON, an illegal header."),
    "not-authenticated": Kind(
        401,
        "Not authenticated",
        "No token, or one that is unknown, revoked or expired. Make one on your profile.",
    ),
    "not-allowed": Kind(
        403, "Not allowed", "The token lacks a scope, or the session's CSRF token is missing."
    ),
    "tier": Kind(403, "Not part of your tier", "A higher tier gives it; `upgrade_url` leads there."),
    "not-found": Kind(404, "Not found", "There is no such thing, or it is somebody else's."),
    "method-not-allowed": Kind(
        405, "Method not allowed", "The header Allow lists the methods of this address."
    ),
    "conflict": Kind(
        409, "Conflict", "It is not in a state for this: not finished yet, over already, archived."
    ),
    "too-large": Kind(
        413, "Too large", "Larger than your tier, or the service, takes; `limit_bytes` says how much."
    ),
    "unsupported": Kind(
        415, "Unsupported media type", "The body has to be JSON: Content-Type: application/json."
    ),
    "invalid": Kind(
        422, "Invalid request", "`errors` names each part of the request that is wrong, and why."
    ),
    "idempotency-key-reused": Kind(
        422, "Idempotency key reused", "The same key came with another request before. Use a new one."
    ),
    "too-many-requests": Kind(429, "Too many requests", "Wait for as many seconds as Retry-After says."),
    "no-room": Kind(
        429,
        "No room for another job",
        "Your tier's jobs at once, or in 24 hours, are taken. Try again after Retry-After.",
    ),
    "internal": Kind(500, "Internal error", "A fault of the service. It is logged; try again later."),
    "unavailable": Kind(
        503, "Unavailable for now", "Storage or another part can't be reached. Try again later."
    ),
}
# What stands for a status that something below the API answered with.
_KIND_OF_STATUS = {
    400: "malformed",
    401: "not-authenticated",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "too-large",
    415: "unsupported",
    422: "invalid",
    429: "too-many-requests",
    503: "unavailable",
}


class Problem(Exception):
    """Ends a request with problem details. `more` are members beside those of the RFC."""

    def __init__(
        self, kind: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers, self.more = kind, detail, dict(headers or {}), more

    def response(self) -> JsonResponse:
        kind = KINDS[self.kind]
        members = {
            "type": TYPES_AT + self.kind,
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail,
            **{name: value for name, value in self.more.items() if value is not None},
        }
        return JsonResponse(members, status=kind.status, headers=self.headers, content_type=MEDIA_TYPE)


def problem_of_status(status: int) -> JsonResponse:
    """Problem details for an answer that says no more than its status."""
    kind = _KIND_OF_STATUS.get(status)
    if kind is not None:
        return Problem(kind, KINDS[kind].meaning).response()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        response = Problem("internal", KINDS["internal"].meaning).response()
    else:
        response = Problem("malformed", HTTPStatus(status).phrase).response()
    response.status_code = status
    return response

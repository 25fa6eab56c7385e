"""Requests that may be sent twice and must be done once: the header Idempotency-Key.

As draft-ietf-httpapi-idempotency-key-header has it: the same key with the same request gets the answer of the
first time, with another request it is refused (422), and while the first is still being answered too (409).
What failed is forgotten, so that it can be tried again with its key.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Schema
from ninja.params.functions import Header
from ninja.responses import NinjaJSONEncoder

from annotations.api.models import IdempotentRequest
from annotations.api.problems import Problem

KEPT = timedelta(hours=24)
# Longer than a web process works at a request; its answer is not coming any more then.
LONGEST_ANSWER = timedelta(seconds=120)
REPLAYED = {"Idempotency-Replayed": "true"}

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Made up by the caller: a repetition with the same key changes nothing. Kept a day.",
    ),
]


@dataclass(frozen=True)
class Answer:
    """What a request gets when it has been done."""

    status: int
    body: Schema
    headers: dict[str, str] = field(default_factory=dict)


def done_once(request: HttpRequest, user: Any, key: str | None, do: Callable[[], Answer]) -> HttpResponse:
    """The answer of `do`, which is not called again for a key that has an answer. Raises Problem."""
    if key is None:
        answer = do()
        return JsonResponse(_dumped(answer), status=answer.status, headers=answer.headers)
    record = _taken(user, key, _fingerprint(request))
    if record.status is not None and record.answer is not None:
        return JsonResponse(
            record.answer["body"], status=record.status, headers=record.answer["headers"] | REPLAYED
        )
    try:
        answer = do()
    except BaseException:
        record.delete()
        raise
    record.status = answer.status
    record.answer = {"body": _dumped(answer), "headers": answer.headers}
    record.save(update_fields=["status", "answer"])
    return JsonResponse(record.answer["body"], status=answer.status, headers=answer.headers)


def forget_old() -> None:
    """Remove the keys whose time is over."""
    IdempotentRequest.objects.filter(created_at__lt=timezone.now() - KEPT).delete()


def _taken(user: Any, key: str, fingerprint: str) -> IdempotentRequest:
    """This request's record: with the answer of the first time, or to be answered by this caller alone."""
    now = timezone.now()
    mine = {"fingerprint": fingerprint, "locked_until": now + LONGEST_ANSWER}
    try:
        with transaction.atomic():
            return IdempotentRequest.objects.create(user=user, key=key, **mine)
    except IntegrityError:
        record = IdempotentRequest.objects.get(user=user, key=key)
    if record.created_at < now - KEPT:
        record.delete()
        return _taken(user, key, fingerprint)
    if record.fingerprint != fingerprint:
        raise Problem(
            "idempotency-key-reused", "This Idempotency-Key came with another request before. Use a new one."
        )
    if record.status is None:
        # Whoever had it is gone, if its time is over: the first to move the lock takes its place.
        moved = IdempotentRequest.objects.filter(
            pk=record.pk, status__isnull=True, locked_until=record.locked_until, locked_until__lt=now
        ).update(locked_until=mine["locked_until"])
        if not moved:
            raise Problem(
                "conflict",
                "The first request with this Idempotency-Key is still being answered. Ask again in a moment.",
                headers={"Retry-After": "2"},
            )
    return record


def _fingerprint(request: HttpRequest) -> str:
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + request.body).hexdigest()


def _dumped(answer: Answer) -> Any:
    """As ninja writes every other answer."""
    return json.loads(json.dumps(answer.body.model_dump(), cls=NinjaJSONEncoder))

"""/webhooks: where to be told of one's jobs, and what became of the messages."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from annotations.api.authentication import caller_of, scoped
from annotations.api.models import Scope
from annotations.api.problems import Problem
from annotations.api.repeating import Answer, IdempotencyKey, done_once
from annotations.api.schemas import Request
from annotations.outbound import AddressRefused
from annotations.webhooks import announcing, owning
from annotations.webhooks.models import Delivery, DeliveryState, Event, Webhook

router = Router(tags=["webhooks"])
SCOPE = scoped(Scope.WEBHOOKS)
DELIVERIES_SHOWN = 100


class WebhookRequest(Request):
    url: str = Field(min_length=1, max_length=2000, description="https, and publicly reachable.")


class WebhookChange(Request):
    """What is left out stays."""

    url: str | None = Field(None, min_length=1, max_length=2000)
    is_active: bool | None = None


class WebhookOut(Schema):
    """A webhook. It is switched off by itself after three days of failures; `disabled_reason` says so."""

    id: UUID
    url: str
    is_active: bool
    created_at: datetime
    failing_since: datetime | None
    disabled_reason: str | None


class NewWebhook(WebhookOut):
    secret: str = Field(description="Signs each message. Shown this once.")


class WebhookList(Schema):
    items: list[WebhookOut]


class DeliveryOut(Schema):
    """A message, and what became of it."""

    id: UUID
    event: Event
    job_id: UUID | None
    state: DeliveryState
    created_at: datetime
    attempts: int
    tried_at: datetime | None
    next_at: datetime | None
    status: int | None = Field(description="HTTP status of the last answer.")
    outcome: str


class DeliveryList(Schema):
    items: list[DeliveryOut]


@router.post("", response={201: NewWebhook}, auth=SCOPE, url_name="webhooks")
def make_webhook(
    request: HttpRequest, body: WebhookRequest, idempotency_key: IdempotencyKey = None
) -> HttpResponse:
    """Be told of each job that is completed or failed. Messages are signed as Standard Webhooks has it."""
    user = caller_of(request)

    def make() -> Answer:
        try:
            webhook = owning.make(user, body.url)
        except AddressRefused as refusal:
            raise _refused(refusal) from refusal
        except owning.TooManyWebhooks as refusal:
            raise Problem("conflict", str(refusal)) from refusal
        out = NewWebhook(**_out(webhook).model_dump(), secret=webhook.secret)
        return Answer(201, out, {"Location": f"/api/v1/webhooks/{out.id}"})

    return done_once(request, user, idempotency_key, make)


@router.get("", response=WebhookList, auth=SCOPE, url_name="webhooks")
def list_webhooks(request: HttpRequest) -> WebhookList:
    """Your webhooks, the oldest first."""
    return WebhookList(items=[_out(webhook) for webhook in Webhook.objects.of(caller_of(request))])


@router.get("/{uuid:webhook_id}", response=WebhookOut, auth=SCOPE, url_name="webhook")
def get_webhook(request: HttpRequest, webhook_id: UUID) -> WebhookOut:
    """One webhook."""
    return _out(_own(request, webhook_id))


@router.patch("/{uuid:webhook_id}", response=WebhookOut, auth=SCOPE, url_name="webhook")
def change_webhook(request: HttpRequest, webhook_id: UUID, body: WebhookChange) -> WebhookOut:
    """Give it another address, or switch it on or off."""
    try:
        return _out(owning.change(_own(request, webhook_id), url=body.url, is_active=body.is_active))
    except AddressRefused as refusal:
        raise _refused(refusal) from refusal


@router.delete("/{uuid:webhook_id}", response={204: None}, auth=SCOPE, url_name="webhook")
def delete_webhook(request: HttpRequest, webhook_id: UUID) -> Status:
    """Delete it, with its messages."""
    _own(request, webhook_id).delete()
    return Status(204, None)


@router.post("/{uuid:webhook_id}/test", response={202: DeliveryOut}, auth=SCOPE, url_name="webhook_test")
def try_webhook(request: HttpRequest, webhook_id: UUID) -> Status:
    """Send a message to try it with."""
    return Status(202, _delivery_out(announcing.announce_test(_own(request, webhook_id))))


@router.get("/{uuid:webhook_id}/deliveries", response=DeliveryList, auth=SCOPE, url_name="webhook_deliveries")
def list_deliveries(request: HttpRequest, webhook_id: UUID) -> DeliveryList:
    """The latest messages to it, the newest first; they are kept for 30 days."""
    found = _own(request, webhook_id).deliveries.all()[:DELIVERIES_SHOWN]
    return DeliveryList(items=[_delivery_out(delivery) for delivery in found])


def _own(request: HttpRequest, webhook_id: UUID) -> Webhook:
    """Raises Problem: not-found for another's, too."""
    webhook = Webhook.objects.of(caller_of(request)).filter(pk=webhook_id).first()
    if webhook is None:
        raise Problem("not-found", f"You have no webhook {webhook_id}.")
    return webhook


def _refused(refusal: AddressRefused) -> Problem:
    return Problem("invalid", str(refusal), errors=[{"where": "body.url", "message": str(refusal)}])


def _out(webhook: Webhook) -> WebhookOut:
    return WebhookOut(
        id=webhook.pk,
        url=webhook.url,
        is_active=webhook.is_active,
        created_at=webhook.created_at,
        failing_since=webhook.failing_since,
        disabled_reason=webhook.disabled_reason or None,
    )


def _delivery_out(delivery: Delivery) -> DeliveryOut:
    return DeliveryOut(
        id=delivery.pk,
        event=Event(delivery.event),
        job_id=UUID(delivery.job_id) if delivery.job_id else None,
        state=DeliveryState(delivery.state),
        created_at=delivery.created_at,
        attempts=delivery.attempts,
        tried_at=delivery.tried_at,
        next_at=delivery.next_at if delivery.state == DeliveryState.PENDING else None,
        status=delivery.status,
        outcome=delivery.outcome,
    )

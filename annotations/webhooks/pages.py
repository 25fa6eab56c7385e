"""The pages of one's webhooks: what became of their messages, and what can be done with them."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.webhooks import announcing, owning
from annotations.webhooks.forms import WebhookForm
from annotations.webhooks.models import Webhook

DELIVERIES_SHOWN = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """One's webhooks. POST makes one, and shows its secret this once."""
    form, made = WebhookForm(request.POST or None), None
    if form.is_bound and form.is_valid():
        try:
            made = owning.make(request.user, form.cleaned_data["url"])
            form = WebhookForm()
        except owning.TooManyWebhooks as refusal:
            form.add_error(None, str(refusal))
    own = Webhook.objects.of(request.user).annotate(told_at=Max("deliveries__tried_at"))
    return render(request, "webhooks/webhooks.html", {"form": form, "made": made, "webhooks": own})


@login_required
@require_safe
def webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """One webhook with its latest messages."""
    found = _own(request, webhook_id)
    context = {"webhook": found, "deliveries": found.deliveries.all()[:DELIVERIES_SHOWN]}
    return render(request, "webhooks/webhook.html", context)


@login_required
@require_POST
def try_webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send a message to try it with."""
    found = _own(request, webhook_id)
    if found.is_active:
        announcing.announce_test(found)
        messages.success(request, "A message to try it with is on its way. Load this page again to see it.")
    else:
        messages.error(request, "The webhook is switched off. Switch it on first.")
    return redirect("webhook", webhook_id)


@login_required
@require_POST
def switch_webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """On, where it is off; off, where it is on."""
    changed = owning.change(found := _own(request, webhook_id), url=None, is_active=not found.is_active)
    messages.success(request, f"The webhook is switched {'on' if changed.is_active else 'off'}.")
    return redirect("webhook", webhook_id)


@login_required
@require_POST
def delete_webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """It is told nothing any more, and what it was told is forgotten."""
    _own(request, webhook_id).delete()
    messages.success(request, "The webhook is deleted.")
    return redirect("webhooks")


def _own(request: HttpRequest, webhook_id: UUID) -> Webhook:
    return get_object_or_404(Webhook.objects.of(request.user), pk=webhook_id)

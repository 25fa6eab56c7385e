"""What a user sees of billing, and the address that Stripe sends events to."""

import uuid
from collections.abc import Callable

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from billing import events, subscribing
from billing.gateway import SUBSCRIBED, StripeError
from billing.models import Customer
from billing.tiers import PREMIUM, benefits, tier_of, tiers

LARGEST_EVENT_BYTES = 256 * 1024

log = structlog.get_logger(__name__)


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The tiers side by side, mine, and the way to the other."""
    customer = Customer.objects.filter(user_id=str(request.user.pk)).first()
    subscription = customer and customer.subscriptions.filter(status__in=SUBSCRIBED).first()
    is_open = subscribing.is_configured()
    columns = tiers()
    context = {
        "customer": customer,
        "subscription": subscription,
        "tier": tier_of(request.user),
        "tiers": columns,
        "benefits": benefits(columns),
        "is_open": is_open,
        "price": subscribing.current_price() if is_open and not subscription else None,
        "form_token": uuid.uuid4(),
    }
    return render(request, "billing/overview.html", context)


@login_required
@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    """Off to Stripe's Checkout page."""
    try:
        token = uuid.UUID(request.POST.get("form_token", ""))
    except ValueError:
        return redirect("billing:overview")
    return _to_stripe(request, lambda: subscribing.begin(request.user, token))


@login_required
@require_POST
def portal(request: HttpRequest) -> HttpResponse:
    """Off to Stripe's Billing Portal."""
    return _to_stripe(request, lambda: subscribing.manage(request.user))


@login_required
@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    """Where Checkout sends who has paid. It gives nothing: it waits until Stripe itself has been asked."""
    if tier_of(request.user).name == PREMIUM:
        messages.success(request, "You are on the premium tier. Archived results are on their way back.")
        return redirect("billing:overview")
    return render(request, "billing/welcome.html")


@csrf_exempt  # the signature is the permission
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """An event of Stripe's: 200 once it is stored; 400 or 413 for what is none, of which nothing is kept."""
    # Of a body no more is read than its declared length.
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_EVENT_BYTES:
        return HttpResponse(status=413)
    try:
        events.receive(request.body, request.headers.get("Stripe-Signature", ""))
    except events.EventRefused as refusal:
        log.warning("event_refused", reason=str(refusal))
        return HttpResponse(status=400)
    return HttpResponse(status=200)


def _to_stripe(request: HttpRequest, address: Callable[[], str]) -> HttpResponse:
    try:
        return HttpResponseRedirect(address())
    except subscribing.AlreadySubscribed:
        messages.info(request, "You have a subscription already. Here you can change it.")
    except subscribing.NotConfigured:
        messages.error(request, "This service takes no payments at present.")
    except StripeError as error:
        log.warning("stripe_failed", user=str(request.user.pk), error=str(error))
        messages.error(request, "The payment service does not answer as it should. Please try again later.")
    return redirect("billing:overview")

"""Stripe's objects as JSON, in the shape of the API version that the SDK pins; new ones, just born.

Which fields an object must have, of what type and with which values, is the SDK's knowledge: its classes are
generated from Stripe's OpenAPI description, and a test holds these objects against them.
"""

import calendar
import secrets
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

CURRENCY = "eur"


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def add_months(at: int, months: int, anchor: int) -> int:
    """The time that many months on, on the anchor's day of the month, or the last one of a shorter month."""
    start, wanted = datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(anchor, UTC)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(wanted.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def list_of(url: str, data: list[Json], has_more: bool = False) -> Json:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def customer(now: int, email: str, metadata: Json) -> Json:
    return {
        "id": new_id("cus"),
        "object": "customer",
        "created": now,
        "livemode": False,
        "email": email or None,
        "metadata": metadata,
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None},
    }


def product(now: int, name: str, product_id: str = "") -> Json:
    return {
        "id": product_id or new_id("prod"),
        "object": "product",
        "active": True,
        "created": now,
        "updated": now,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "type": "service",
    }


def price(now: int, product_id: str, unit_amount: int, currency: str = CURRENCY, price_id: str = "") -> Json:
    """A monthly price."""
    return {
        "id": price_id or new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "product": product_id,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "type": "recurring",
        "unit_amount": unit_amount,
    }


def plan(price: Json) -> Json:
    """The older form of a price, which subscription items still carry."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": "month",
        "interval_count": 1,
        "livemode": False,
        "metadata": {},
        "product": price["product"],
        "usage_type": "licensed",
    }


def checkout_session(now: int, base: str, given: Json) -> Json:
    session_id = new_id("cs_test")
    return {
        "id": session_id,
        "object": "checkout.session",
        "automatic_tax": {"enabled": False},
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "created": now,
        "currency": CURRENCY,
        "custom_fields": [],
        "custom_text": {},
        "customer": given["customer"],
        "expires_at": now + 24 * 3600,
        "invoice": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "mode": given["mode"],
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "subscription": None,
        "success_url": given.get("success_url"),
        "url": f"{base}/checkout/{session_id}",
    }


def portal_session(now: int, base: str, customer_id: str, return_url: str) -> Json:
    session_id = new_id("bps")
    return {
        "id": session_id,
        "object": "billing_portal.session",
        "configuration": "bpc_standin",
        "created": now,
        "customer": customer_id,
        "livemode": False,
        "return_url": return_url or None,
        "url": f"{base}/portal/{session_id}",
    }


def subscription(now: int, customer_id: str, price: Json, metadata: Json) -> Json:
    subscription_id = new_id("sub")
    item = {
        "id": new_id("si"),
        "object": "subscription_item",
        "created": now,
        "current_period_start": now,
        "current_period_end": add_months(now, 1, now),
        "discounts": [],
        "metadata": {},
        "plan": plan(price),
        "price": price,
        "quantity": 1,
        "subscription": subscription_id,
    }
    return {
        "id": subscription_id,
        "object": "subscription",
        "automatic_tax": {"enabled": False},
        "billing_cycle_anchor": now,
        "billing_mode": {"type": "flexible"},
        "billing_schedules": [],
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": price["currency"],
        "customer": customer_id,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"issuer": {"type": "self"}},
        "items": list_of(f"/v1/subscription_items?subscription={subscription_id}", [item]),
        "latest_invoice": None,
        "livemode": False,
        "metadata": metadata,
        "start_date": now,
        "status": "active",
    }


def invoice(now: int, subscription: Json, reason: str) -> Json:
    invoice_id = new_id("in")
    item = subscription["items"]["data"][0]
    amount = item["price"]["unit_amount"]
    return {
        "id": invoice_id,
        "object": "invoice",
        "amount_due": amount,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": amount,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {"enabled": False},
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": subscription["currency"],
        "customer": subscription["customer"],
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "lines": list_of(f"/v1/invoices/{invoice_id}/lines", []),
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"metadata": {}, "subscription": subscription["id"]},
        },
        "payment_settings": {},
        "payments": list_of("/v1/invoice_payments", []),
        "period_start": item["current_period_start"],
        "period_end": item["current_period_end"],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "open",
        "status_transitions": {"finalized_at": now},
        "subtotal": amount,
        "total": amount,
    }


def payment_intent(now: int, invoice: Json) -> Json:
    return {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": invoice["amount_due"],
        "amount_capturable": 0,
        "amount_received": 0,
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "livemode": False,
        "metadata": {},
        "payment_method_types": ["card"],
        "allowed_payment_method_types": None,
        "status": "requires_payment_method",
    }


def invoice_payment(now: int, invoice: Json, intent: Json) -> Json:
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }


def dispute(now: int, intent: Json) -> Json:
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": intent["amount"],
        "balance_transactions": [],
        "charge": new_id("ch"),
        "created": now,
        "currency": intent["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": None,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": intent["id"],
        "reason": "fraudulent",
        "status": "needs_response",
    }


def event(now: int, kind: str, thing: Json, api_version: str) -> Json:
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": api_version,
        "created": now,
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }

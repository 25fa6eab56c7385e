"""A subscription's life: first payment, renewals, failed payments and their retries, its end.

As at Stripe, a failed renewal leaves the subscription past due in its new period while the payment is tried
again; after the last try it is cancelled or, as the account is set, left unpaid.
"""

from billing.standin import cards, objects
from billing.standin.account import Account
from billing.standin.cards import Card, Declined
from billing.standin.errors import invalid
from billing.standin.objects import Json

DAY = 24 * 3600
RETRY_AFTER_DAYS = (3, 5, 7)  # after each failure, as Stripe's "smart retries" may


def begin(account: Account, session: Json, card: Card, *, confirmed: bool = False) -> Json:
    """Pay for a Checkout session. Raises Declined; the session stays open then, and nothing was made."""
    if session["status"] != "open":
        raise invalid("This Checkout Session is no longer open.")
    cards.charge(card, confirmed=confirmed)
    account.cards[session["customer"]] = card
    cart = account.carts[session["id"]]
    price = account.get("price", cart["price"])
    subscription = account.add(
        objects.subscription(account.now(), session["customer"], price, cart["metadata"])
    )
    invoice = _invoice(account, subscription, "subscription_create")
    _paid(account, invoice)
    session |= {
        "status": "complete",
        "payment_status": "paid",
        "subscription": subscription["id"],
        "invoice": invoice["id"],
        "url": None,
    }
    account.emit("customer.subscription.created", subscription)
    account.emit("invoice.paid", invoice)
    account.emit("checkout.session.completed", session)
    return subscription


def renew(account: Account, subscription: Json) -> None:
    """The period is over: end it as asked, or begin and bill the next one."""
    item = subscription["items"]["data"][0]
    if subscription["cancel_at_period_end"]:
        end(account, subscription)
        return
    item["current_period_start"] = item["current_period_end"]
    item["current_period_end"] = objects.add_months(
        item["current_period_start"], 1, subscription["billing_cycle_anchor"]
    )
    if subscription["status"] == "unpaid":  # then Stripe bills no further
        account.emit("customer.subscription.updated", subscription)
        return
    invoice = _invoice(account, subscription, "subscription_cycle")
    account.emit("invoice.created", invoice)
    attempt(account, subscription, invoice)


def attempt(account: Account, subscription: Json, invoice: Json) -> None:
    """Charge the card that is kept for an open invoice; where that fails, see to the next try or the end."""
    invoice |= {
        "attempted": True,
        "attempt_count": invoice["attempt_count"] + 1,
        "next_payment_attempt": None,
    }
    try:
        pay(account, subscription, invoice)
    except Declined:
        _after_a_failed_try(account, subscription, invoice)


def pay(account: Account, subscription: Json, invoice: Json, *, confirmed: bool = True) -> None:
    """Charge the card that is kept. Raises Declined; that leaves the schedule of tries as it is."""
    try:
        cards.charge(account.card_of(subscription["customer"]), confirmed=confirmed)
    except Declined:
        account.emit("invoice.payment_failed", invoice)
        raise
    _paid(account, invoice)
    account.emit("invoice.paid", invoice)
    if subscription["status"] == "canceled":
        return  # what has ended stays so
    subscription["status"] = "active"
    account.emit("customer.subscription.updated", subscription)


def _after_a_failed_try(account: Account, subscription: Json, invoice: Json) -> None:
    tries = invoice["attempt_count"]
    if subscription["status"] == "unpaid":
        return
    if tries <= len(RETRY_AFTER_DAYS):
        subscription["status"] = "past_due"
        invoice["next_payment_attempt"] = account.now() + RETRY_AFTER_DAYS[tries - 1] * DAY
    elif account.leaves_unpaid:
        subscription["status"] = "unpaid"
    else:
        end(account, subscription)
        return
    account.emit("customer.subscription.updated", subscription)


def end(account: Account, subscription: Json) -> None:
    """Now, whatever the reason."""
    now = account.now()
    subscription |= {
        "status": "canceled",
        "ended_at": now,
        "canceled_at": subscription["canceled_at"] or now,
    }
    account.emit("customer.subscription.deleted", subscription)


def cancel_at_period_end(account: Account, subscription: Json, wanted: bool) -> None:
    """Asked for in the Portal, and taken back there."""
    _refuse_ended(subscription)
    period_end = subscription["items"]["data"][0]["current_period_end"]
    subscription |= {
        "cancel_at_period_end": wanted,
        "cancel_at": period_end if wanted else None,
        "canceled_at": account.now() if wanted else None,
    }
    account.emit("customer.subscription.updated", subscription)


def cancel_now(account: Account, subscription: Json) -> None:
    _refuse_ended(subscription)
    end(account, subscription)


def forget(account: Account, customer: Json) -> Json:
    """Remove a customer: nothing is charged to them any more. What they paid stays on the books."""
    for subscription in account.all("subscription", customer=customer["id"]):
        if subscription["status"] != "canceled":
            end(account, subscription)
    for session in account.all("checkout.session", customer=customer["id"], status="open"):
        session |= {"status": "expired", "url": None}
    del account.objects[customer["id"]]
    account.emit("customer.deleted", customer)
    return {"id": customer["id"], "object": "customer", "deleted": True}


def dispute(account: Account, intent: Json) -> Json:
    """The cardholder's bank wants its money back."""
    dispute = account.add(objects.dispute(account.now(), intent))
    account.emit("charge.dispute.created", dispute)
    return dispute


def close_dispute(account: Account, dispute: Json, status: str) -> None:
    """`status`: won or lost."""
    dispute["status"] = status
    account.emit("charge.dispute.closed", dispute)


def advance(account: Account, seconds: int) -> None:
    """Move the clock on; all that is due on the way happens, in order and at its own time."""
    target = account.now() + seconds
    try:
        while (due := _next_due(account)) and due[0] <= target:
            account.set_moment(due[0])
            _happen(account, due[1])
    finally:
        account.set_moment(None)
    account.clock_ahead_seconds += seconds


def _next_due(account: Account) -> tuple[int, Json] | None:
    """What happens next by time alone: when, and to which subscription, invoice or Checkout session."""
    due = [
        (subscription["items"]["data"][0]["current_period_end"], subscription)
        for subscription in account.all("subscription")
        if subscription["status"] != "canceled"
    ]
    due += [
        (invoice["next_payment_attempt"], invoice)
        for invoice in account.all("invoice", status="open")
        if invoice["next_payment_attempt"]
    ]
    due += [(session["expires_at"], session) for session in account.all("checkout.session", status="open")]
    return min(due, key=lambda pair: pair[0], default=None)


def _happen(account: Account, thing: Json) -> None:
    if thing["object"] == "checkout.session":
        thing |= {"status": "expired", "url": None}
        account.emit("checkout.session.expired", thing)
    elif thing["object"] == "invoice":
        subscription = account.get("subscription", thing["parent"]["subscription_details"]["subscription"])
        if subscription["status"] == "canceled":
            thing["next_payment_attempt"] = None
        else:
            attempt(account, subscription, thing)
    else:
        renew(account, thing)


def _invoice(account: Account, subscription: Json, reason: str) -> Json:
    invoice = account.add(objects.invoice(account.now(), subscription, reason))
    intent = account.add(objects.payment_intent(account.now(), invoice))
    payment = objects.invoice_payment(account.now(), invoice, intent)
    invoice["payments"]["data"].append(payment)
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def _paid(account: Account, invoice: Json) -> None:
    now = account.now()
    invoice |= {
        "status": "paid",
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "attempted": True,
        "attempt_count": max(1, invoice["attempt_count"]),
        "next_payment_attempt": None,
    }
    invoice["status_transitions"]["paid_at"] = now
    payment = invoice["payments"]["data"][0]
    payment |= {"status": "paid", "amount_paid": invoice["amount_due"]}
    payment["status_transitions"]["paid_at"] = now
    intent = account.objects[payment["payment"]["payment_intent"]]
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}


def _refuse_ended(subscription: Json) -> None:
    if subscription["status"] == "canceled":
        raise invalid(f"No such subscription: '{subscription['id']}'", code="resource_missing", param="id")

"""The pages that a person sees: Checkout, the Portal, and the desk from which time is moved.

They are plain forms. A card's number is looked at and forgotten; what the card does is kept.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.template.loader import render_to_string

from billing.standin import cards, life
from billing.standin.account import Account
from billing.standin.cards import Card
from billing.standin.errors import ApiError
from billing.standin.objects import Json

DAY = 24 * 3600
STEPS = {"a day": DAY, "a week": 7 * DAY, "a month": 31 * DAY}
EVENTS_SHOWN = 30
CARD_HELP = "No such test card. Try 4242 4242 4242 4242."


@dataclass(frozen=True)
class Page:
    """An answer: a page, or the address of another one."""

    html: str = ""
    status: int = 200
    location: str = ""


Form = dict[str, Any]


def show(account: Account, path: str, form: Form | None) -> Page:
    """The page at a path; `form` is what was sent by POST, None for GET."""
    kind, _, object_id = path.strip("/").partition("/")
    page: Callable[[Account, str, Form | None], Page] | None = {
        "": desk,
        "checkout": checkout,
        "portal": portal,
    }.get(kind)
    if page is None:
        return _render("gone", status=404)
    with account.lock:
        life.advance(account, 0)
        try:
            answer = page(account, object_id, form)
        except ApiError as error:
            return _render("gone", status=error.status, message=str(error))
        if form is not None:
            account.save()
    return answer


def checkout(account: Account, session_id: str, form: Form | None) -> Page:
    session = account.get("checkout.session", session_id)
    if session["status"] != "open":
        return _render("gone", message="This payment page is no longer open.", back=session["cancel_url"])
    price = account.get("price", account.carts[session_id]["price"])
    context = {
        "session": session,
        "price": price,
        "amount": price["unit_amount"] / 100,
        "cards": cards.EXPLAINED,
    }
    if form is None:
        return _render("checkout", **context)
    card = cards.card_of(form.get("card", ""))
    if card is None:
        return _render("checkout", **context, problem=CARD_HELP)
    if card == Card.ASKS_FOR_3DS and "bank" not in form:
        return _bank(form)
    try:
        life.begin(account, session, card, confirmed=form.get("bank") == "yes")
    except cards.Declined as refusal:
        return _render("checkout", **context, problem=str(refusal))
    success_url = str(session["success_url"])
    return Page(status=303, location=success_url.replace("{CHECKOUT_SESSION_ID}", session["id"]))


def portal(account: Account, session_id: str, form: Form | None) -> Page:
    session = account.get("billing_portal.session", session_id)
    customer = session["customer"]
    problem = ""
    if form is not None:
        if _bank_is_to_ask(account, customer, form):
            return _bank(form)
        problem = _portal_action(account, customer, form)
        if not problem:
            return Page(status=303, location=session["url"])
    return _render(
        "portal",
        session=session,
        subscriptions=[_readable(thing) for thing in account.all("subscription", customer=customer)],
        invoices=[_readable(thing) for thing in account.all("invoice", customer=customer)],
        cards=cards.EXPLAINED,
        problem=problem,
    )


def _bank_is_to_ask(account: Account, customer: str, form: Form) -> bool:
    if "bank" in form:
        return False
    card = {"card": cards.card_of(form.get("card", "")), "pay": account.card_of(customer)}
    return card.get(form.get("action", "")) == Card.ASKS_FOR_3DS


def _bank(form: Form) -> Page:
    """The bank's own question; its answer sends the same form again, with it."""
    return _render("bank", form=form.items())


def _portal_action(account: Account, customer: str, form: Form) -> str:
    """Do what was asked for; what is wrong with it, if anything."""
    action, confirmed = form.get("action"), form.get("bank") == "yes"
    try:
        if action == "card":
            card = cards.card_of(form.get("card", ""))
            if card is None:
                return CARD_HELP
            cards.keep(card, confirmed=confirmed)
            account.cards[customer] = str(card)
        elif action == "pay":
            _pay(account, customer, form.get("id", ""), confirmed=confirmed)
        elif action in ("cancel", "resume"):
            subscription = account.get("subscription", form.get("id", ""))
            if subscription["customer"] == customer:
                life.cancel_at_period_end(account, subscription, action == "cancel")
    except cards.Declined as refusal:
        return str(refusal)
    return ""


def _pay(account: Account, customer: str, invoice_id: str, *, confirmed: bool) -> None:
    invoice = account.get("invoice", invoice_id)
    if invoice["customer"] == customer and invoice["status"] == "open":
        subscription = account.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
        life.pay(account, subscription, invoice, confirmed=confirmed)


def desk(account: Account, _: str, form: Form | None) -> Page:
    if form is not None:
        action = form.get("action")
        if action == "advance":
            life.advance(account, int(form["seconds"]))
        elif action == "dispute":
            life.dispute(account, account.get("payment_intent", form["id"]))
        elif action in ("won", "lost"):
            life.close_dispute(account, account.get("dispute", form["id"]), action)
        elif action == "repeat":
            for event in random.sample(shown := account.all("event")[:EVENTS_SHOWN], len(shown)):
                account.webhooks.add(event)
        elif action == "after_retries":
            account.leaves_unpaid = form.get("leaves_unpaid") == "yes"
        return Page(status=303, location="/")
    return _render(
        "desk",
        now=datetime.fromtimestamp(account.now(), UTC),
        steps=list(STEPS.items()),
        leaves_unpaid=account.leaves_unpaid,
        subscriptions=[_readable(thing) for thing in account.all("subscription")],
        payments=account.all("payment_intent", status="succeeded")[:20],
        disputes=account.all("dispute"),
        events=[_readable(thing) for thing in account.all("event")[:EVENTS_SHOWN]],
        unsent=set(account.webhooks.unsent()),
    )


def _readable(thing: Json) -> Json:
    """With its times as times, for the template."""
    shown = dict(thing)
    if thing["object"] == "subscription":
        shown["period_end"] = thing["items"]["data"][0]["current_period_end"]
    for name in ("created", "period_end", "next_payment_attempt"):
        if shown.get(name):
            shown[name] = datetime.fromtimestamp(shown[name], UTC)
    return shown


def _render(name: str, *, status: int = 200, **context: Any) -> Page:
    return Page(render_to_string(f"billing/standin/{name}.html", context), status)

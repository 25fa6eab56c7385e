"""Test cards, by Stripe's published numbers (https://docs.stripe.com/testing), and what each does there.

A card is used in two ways. It is *kept* for a customer, to be charged while nobody is at the page; and it is
*charged*. Checkout does both, the Portal keeps, a renewal charges.
"""

from enum import StrEnum


class Card(StrEnum):
    SUCCEEDS = "succeeds"
    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    DECLINED_WHEN_CHARGED = "declined_when_charged"  # it can be kept, and no charge of it succeeds
    # Whoever is at the page has to confirm; once it is kept, charges without anybody need no confirmation.
    ASKS_FOR_3DS = "asks_for_3ds"


NUMBERS = {
    "4242424242424242": Card.SUCCEEDS,
    "4000000000000002": Card.DECLINED,
    "4000000000009995": Card.INSUFFICIENT_FUNDS,
    "4000002500003155": Card.ASKS_FOR_3DS,
    "4000000000000341": Card.DECLINED_WHEN_CHARGED,
}
EXPLAINED = [
    ("4242 4242 4242 4242", "works"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "is declined for want of funds"),
    ("4000 0025 0000 3155", "asks the bank (3-D Secure)"),
    ("4000 0000 0000 0341", "can be kept in the Portal, and is declined whenever it is charged"),
]
WORDS = {
    Card.DECLINED: "Your card was declined. Please try another one.",
    Card.INSUFFICIENT_FUNDS: "Your card has insufficient funds. Please try another one.",
    Card.DECLINED_WHEN_CHARGED: "Your card was declined. Please try another one.",
}
NOT_CONFIRMED = "Your bank could not confirm that it is you. Please try again, or another card."


class Declined(Exception):
    """The card was refused; the text is for the person at the page."""


def card_of(number: str) -> Card | None:
    """The behaviour behind a number as people type it; None for one that is no test card."""
    return NUMBERS.get("".join(character for character in number if character.isdigit()))


def keep(card: Card, *, confirmed: bool) -> None:
    """Keep a card for later charges, its owner being at the page. Raises Declined."""
    if card in (Card.DECLINED, Card.INSUFFICIENT_FUNDS):
        raise Declined(WORDS[card])
    _confirm(card, confirmed)


def charge(card: Card, *, confirmed: bool = True) -> None:
    """Charge a card. Of one that is kept, with nobody at the page, `confirmed` is true. Raises Declined."""
    if card in WORDS:
        raise Declined(WORDS[card])
    _confirm(card, confirmed)


def _confirm(card: Card, confirmed: bool) -> None:
    if card == Card.ASKS_FOR_3DS and not confirmed:
        raise Declined(NOT_CONFIRMED)

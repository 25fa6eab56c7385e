"""Test cards, by Stripe's published numbers (https://docs.stripe.com/testing), and what each does."""

from enum import StrEnum


class Card(StrEnum):
    SUCCEEDS = "succeeds"
    DECLINED = "declined"
    ASKS_FOR_3DS = "asks_for_3ds"
    FAILS_LATER = "fails_later"  # the first payment works, renewals do not


NUMBERS = {
    "4242424242424242": Card.SUCCEEDS,
    "4000000000000002": Card.DECLINED,
    "4000002500003155": Card.ASKS_FOR_3DS,
    "4000000000000341": Card.FAILS_LATER,
}


def card_of(number: str) -> Card | None:
    """The behaviour behind a number as people type it; None for one that is no test card."""
    return NUMBERS.get("".join(character for character in number if character.isdigit()))

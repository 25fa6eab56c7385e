"""Requests to addresses that users name, from inside our network."""

from annotations.outbound.addresses import AddressRefused, checked_url
from annotations.outbound.client import Answer, AnswerTooLarge, Unreachable, open_url

__all__ = ["AddressRefused", "Answer", "AnswerTooLarge", "Unreachable", "checked_url", "open_url"]

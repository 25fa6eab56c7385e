"""How what a tier gives reads on a page."""

from datetime import timedelta
from typing import Any

from django import template
from django.template.defaultfilters import filesizeformat

register = template.Library()

UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


@register.filter
def span(time: timedelta) -> str:
    """A span of time in the largest unit that gives a whole number.

    >>> span(timedelta(days=7)), span(timedelta(minutes=1)), span(timedelta(hours=36))
    ('7 days', '1 minute', '36 hours')
    """
    seconds = round(time.total_seconds())
    name, size = next((name, size) for name, size in UNITS if seconds % size == 0)
    count = seconds // size
    return f"{count} {name}" + ("" if count == 1 else "s")


@register.filter
def kept(retention: timedelta | None) -> str:
    """How long results stay: "7 days, then archived", or "for ever"."""
    return f"{span(retention)}, then archived" if retention else "for ever"


@register.filter
def benefit(value: Any, kind: str) -> str:
    """One cell of the table of tiers."""
    if kind == "bytes":
        return str(filesizeformat(value))
    if kind == "retention":
        return kept(value)
    if kind == "flag":
        return "yes" if value else "no"
    return f"{value:,}"

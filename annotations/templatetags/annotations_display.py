"""How times, durations, stages and references read on a page."""

from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotations.references import label

register = template.Library()

# What the engine and its task call a stage → what it does. Another stage shows under its own name.
STAGES = {
    "starting": "Starting",
    "fetch": "Fetching the file",
    "check": "Checking the file",
    "divide": "Dividing the file among the workers",
    "annotate": "Predicting consequences and looking up known variants",
    "gather": "Collecting the parts",
    "publish": "Writing the results",
    "store": "Storing the results",
}


@register.simple_tag
def moment(at: datetime | None) -> SafeString | str:
    """A point in time: UTC here, in the reader's own zone once the page's script has run."""
    if at is None:
        return "—"
    exact = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, f"{at:%Y-%m-%d %H:%M} UTC"
    )


@register.filter
def duration(span: timedelta | None) -> str:
    """A span of time in its two largest units.

    >>> duration(timedelta(hours=2, minutes=5, seconds=9))
    '2 h 5 min'
    >>> duration(timedelta(milliseconds=400))
    'under 1 s'
    """
    if span is None:
        return "—"
    seconds = round(span.total_seconds())
    if seconds < 1:
        return "under 1 s"
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        parts.append(f"{count} {name}" if count else "")
    first = next(index for index, part in enumerate(parts) if part)
    return " ".join(part for part in parts[first : first + 2] if part)


@register.filter
def until(at: datetime) -> str:
    """How long it is until then: "in 3 d 2 h"; "any moment" for what is due."""
    left = at - timezone.now()
    return f"in {duration(left)}" if left >= timedelta(seconds=1) else "any moment"


@register.filter
def stage_name(stage: str) -> str:
    return STAGES.get(stage) or stage.replace("_", " ").capitalize()


@register.filter
def thousands(number: int | float | None) -> str:
    """A count with a comma between thousands; a fraction with two digits."""
    if number is None:
        return "—"
    return f"{number:,}" if isinstance(number, int) else f"{number:,.2f}"


register.filter("reference_label", label)


@register.filter
def underscores_to_spaces(text: str | None) -> str:
    return (text or "").replace("_", " ")


@register.filter
def filter_words(query: str) -> str:
    """The parameters of a filter as a person reads them.

    >>> filter_words("impact=HIGH&region=1%3A5-9")
    'impact HIGH, region 1:5-9'
    """
    return ", ".join(f"{name} {value}" for name, value in parse_qsl(query)) or query


@register.filter
def after_colon(hgvs: str) -> str:
    """The change alone, without the transcript or protein that it is told of.

    >>> after_colon("ENST00000346798.8:c.2149G>T")
    'c.2149G>T'
    """
    return hgvs.partition(":")[2] or hgvs


@register.filter
def frequency(value: float | None) -> str:
    """Three significant digits, never as a power of ten.

    >>> frequency(0.0123456), frequency(0.00000312), frequency(0.0), frequency(None)
    ('0.0123', '0.00000312', '0', '')
    """
    if value is None:
        return ""
    return format(Decimal(f"{value:.3g}"), "f")


@register.filter
def cell(value: object) -> str:
    """A number with commas between thousands; a text as it is."""
    return f"{value:,}" if isinstance(value, int | float) else str(value)

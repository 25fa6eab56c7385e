"""How times, durations, stages and references read on a page."""

from datetime import datetime, timedelta

from django import template
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
def stage_name(stage: str) -> str:
    return STAGES.get(stage) or stage.replace("_", " ").capitalize()


@register.filter
def thousands(number: int | float | None) -> str:
    """A count with a comma between thousands; a fraction with two digits."""
    if number is None:
        return "—"
    return f"{number:,}" if isinstance(number, int) else f"{number:,.2f}"


register.filter("reference_label", label)

"""What a user may do, as the app that knows the tiers answers it."""

from datetime import timedelta
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Limits(Protocol):
    """`label` names the tier; `retention` is how long a result stays at hand, None for ever."""

    @property
    def label(self) -> str: ...
    @property
    def upload_max_bytes(self) -> int: ...
    @property
    def retention(self) -> timedelta | None: ...


def limits_of(user: Any) -> Limits:
    """The limits of a user, from the function that the setting JOB_LIMITS names."""
    limits: Limits = import_string(settings.JOB_LIMITS)(user)
    return limits

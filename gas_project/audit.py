"""The audit log: Django's record of what people have done in the admin, with what it does not see itself."""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest


def note(request: HttpRequest, what: str, message: str) -> None:
    """Write down what somebody has done to something that is no record of a database."""
    user: Any = request.user
    LogEntry.objects.create(
        user_id=user.pk, object_repr=what[:200], action_flag=CHANGE, change_message=message
    )

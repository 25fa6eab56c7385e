"""Tasks that a change calls for: recorded in its transaction, sent after it, and again by the sweep."""

from typing import Any

from django.db import transaction

from billing.enqueue import enqueue
from billing.models import Outgoing


def add(key: str, task: str, *args: Any) -> None:
    """Record a task in the running transaction, and send it once that is in the database.

    The key is the task's cause: a second record for the same cause is the first one.
    """
    record, created = Outgoing.objects.get_or_create(key=key, defaults={"task": task, "args": list(args)})
    if created:
        transaction.on_commit(lambda: send(record.pk))


def send(pk: int) -> bool:
    """Send the task unless it is sent. False: the broker can't be reached."""
    if not Outgoing.objects.claim(pk):
        return True
    record = Outgoing.objects.get(pk=pk)
    if not enqueue(record.task, *record.args):
        Outgoing.objects.release(pk)
        return False
    Outgoing.objects.sent(pk)
    return True

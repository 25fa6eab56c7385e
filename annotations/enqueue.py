"""Send tasks by name: the apps know what they want done, not who does it."""

from typing import Any

import structlog
from botocore.exceptions import ClientError
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

LONGEST_DELAY_SECONDS = 900  # SQS delays no message for longer


def enqueue(task: str, *args: Any, delay_seconds: int = 0) -> bool:
    """Send a task, to arrive in `delay_seconds` (900 at most).

    False when the broker can't be reached or refuses: the sweep will send it later.
    """
    # An option of kombu's SQS transport. A `countdown` would hold the message in a worker, where SQS takes it
    # for lost after the visibility timeout and delivers it again.
    options: dict[str, Any] = {"delay_seconds": delay_seconds} if delay_seconds else {}
    try:
        current_app.send_task(f"tasks.{task}", args=args, **options)
    except (OperationalError, ClientError) as error:
        log.warning("task_not_sent", task=task, args=args, error=str(error))
        return False
    return True


def enqueue_on_commit(task: str, *args: Any) -> None:
    """Send a task once the surrounding transaction is in the database, where its worker will look."""
    transaction.on_commit(lambda: enqueue(task, *args))

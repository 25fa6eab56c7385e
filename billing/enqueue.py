"""Send tasks by name: billing knows what it wants done, not who does it."""

from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def enqueue(task: str, *args: Any) -> bool:
    """Send a task now. False when the broker can't be reached or refuses: the sweep will send it later."""
    try:
        current_app.send_task(f"tasks.{task}", args=args)
    except (OperationalError, BotoCoreError, ClientError) as error:
        log.warning("task_not_sent", task=task, args=args, error=str(error))
        return False
    return True


def enqueue_on_commit(task: str, *args: Any) -> None:
    """Send a task once the surrounding transaction is in the database, where its worker will look."""
    transaction.on_commit(lambda: enqueue(task, *args))

"""How long a task waits before it tries again.

The waiting is SQS's: `delay_seconds` keeps a message invisible. Celery's own `countdown` and `eta` hold it in
a worker instead, where SQS takes it for lost after its visibility timeout and delivers it again and again.
"""

from typing import Any, NoReturn

from celery import Task

from annotations.enqueue import LONGEST_DELAY_SECONDS

FIRST_SECONDS = 10


def backoff_seconds(retries: int) -> int:
    """10, 20, 40, … up to 15 minutes.

    >>> [backoff_seconds(n) for n in (0, 1, 6, 7, 5000)]
    [10, 20, 640, 900, 900]
    """
    return min(LONGEST_DELAY_SECONDS, FIRST_SECONDS << min(retries, 10))


def retry_after(wait_seconds: int, task: Task, reason: Exception) -> NoReturn:
    """End this run of the task and send it again, to arrive in `wait_seconds`."""
    message: dict[str, Any] = {"delay_seconds": wait_seconds}  # an option of kombu's SQS transport
    raise task.retry(exc=reason, countdown=0, **message) from reason

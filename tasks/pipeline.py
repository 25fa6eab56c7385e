"""A job's way through the service: annotate it, then tell its user.

Delivery is at least once: each task may run twice, late, or beside its twin, and the end is the same.
"""

from celery import Task, shared_task

from annotations import notifying, running
from tasks.delay import backoff_seconds, retry_after


@shared_task(name="tasks.annotate", bind=True, max_retries=None)
def annotate(self: Task, job_id: str) -> None:
    """Annotate the job's input. Next: notify."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        running.run(job_id, str(self.request.id), retry_seconds=wait_seconds)
    except running.TryLater as reason:
        retry_after(wait_seconds, self, reason)


@shared_task(name="tasks.notify", bind=True, max_retries=None)
def notify(self: Task, job_id: str) -> None:
    """Mail the job's user how it ended."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        notifying.notify(job_id, str(self.request.id), retry_seconds=wait_seconds)
    except notifying.MailNotSent as reason:
        retry_after(wait_seconds, self, reason)

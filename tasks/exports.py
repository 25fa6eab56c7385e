"""Exports of results that are too large to wait for."""

from celery import Task, shared_task

from annotations.results.exports import background
from annotations.storage import StorageError
from tasks.delay import backoff_seconds, retry_after


@shared_task(name="tasks.export", bind=True, max_retries=None)
def export(self: Task, job_id: str, export_id: str) -> None:
    """Make the file of an export."""
    try:
        background.run(job_id, export_id)
    except StorageError as reason:
        retry_after(backoff_seconds(self.request.retries), self, reason)

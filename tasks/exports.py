"""Exports of results that are too large to wait for."""

from celery import Task, shared_task

from annotations.storage import StorageError
from tasks.delay import backoff_seconds, retry_after


@shared_task(name="tasks.export", bind=True, max_retries=None)
def export(self: Task, job_id: str, export_id: str) -> None:
    """Make the file of an export."""
    # It brings duckdb, polars and numpy, 50 MB that a worker without exports has no need of.
    from annotations.results.exports import background

    try:
        background.run(job_id, export_id)
    except StorageError as reason:
        retry_after(backoff_seconds(self.request.retries), self, reason)

"""Uploads that the service fetches itself."""

from celery import Task, shared_task

from annotations.incoming import fetching
from tasks.delay import backoff_seconds, retry_after


@shared_task(name="tasks.fetch_upload", bind=True, max_retries=None)
def fetch_upload(self: Task, upload_id: str) -> None:
    """Fetch a file from the address that its user gave. Next: nothing, until they submit it."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        fetching.fetch(upload_id, str(self.request.id), retry_seconds=wait_seconds)
    except fetching.TryLater as reason:
        retry_after(wait_seconds, self, reason)

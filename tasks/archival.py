"""A result's way into the archive and back.

Delivery is at least once: each task may run twice, late, or beside its twin, and the end is the same.
"""

from typing import Any

from celery import Task, shared_task

from archival import archiving, discarding, planning, restoring, returning, thawing
from archival.in_hand import TryLater
from tasks.delay import backoff_seconds, retry_after


@shared_task(name="tasks.schedule_archive")
def schedule_archive(job_id: str) -> None:
    """Plan when the result is archived. Next, when its time comes: archive."""
    planning.schedule(job_id)


@shared_task(name="tasks.restart_retention")
def restart_retention(user_id: str) -> None:
    """A user's tier no longer keeps results: plan when each is archived."""
    planning.restart_retention(user_id)


@shared_task(name="tasks.archive", bind=True, max_retries=None)
def archive(self: Task, job_id: str) -> None:
    """Move the result to cold storage, if it is due."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        archiving.archive(job_id, str(self.request.id), retry_seconds=wait_seconds)
    except TryLater as reason:
        retry_after(wait_seconds, self, reason)


@shared_task(name="tasks.thaw")
def thaw(user_id: str) -> None:
    """A user's tier keeps results: keep what is about to be archived. Next, for each archived: thaw_job."""
    thawing.thaw(user_id)


@shared_task(name="tasks.thaw_job", bind=True, max_retries=None)
def thaw_job(self: Task, job_id: str) -> None:
    """Ask cold storage for the result. Next, when it is ready: restore."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        thawing.request(job_id, str(self.request.id), retry_seconds=wait_seconds)
    except TryLater as reason:
        retry_after(wait_seconds, self, reason)


@shared_task(name="tasks.restore", bind=True, max_retries=None)
def restore(self: Task, job_id: str) -> None:
    """Copy the result back, if cold storage is ready. Next: notify_returned."""
    retries = self.request.retries
    wait_seconds = backoff_seconds(retries)
    try:
        restoring.restore(job_id, str(self.request.id), attempt=retries, retry_seconds=wait_seconds)
    except TryLater as reason:
        retry_after(wait_seconds, self, reason)


@shared_task(name="tasks.notify_returned", bind=True, max_retries=None)
def notify_returned(self: Task, job_id: str) -> None:
    """Mail the user that results are back."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        returning.notify(job_id, str(self.request.id), retry_seconds=wait_seconds)
    except TryLater as reason:
        retry_after(wait_seconds, self, reason)


@shared_task(name="tasks.discard", bind=True, max_retries=None)
def discard(self: Task, job_id: str, keys: list[str], archive_id: Any) -> None:
    """Delete the files and the archive of a deleted job."""
    try:
        discarding.discard(job_id, keys, archive_id)
    except TryLater as reason:
        retry_after(backoff_seconds(self.request.retries), self, reason)

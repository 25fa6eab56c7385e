"""A job's way through the service: annotate it, then tell its user.

    annotate ---------------------------------------------> notify
        `-- of a large file --> annotate_shard … --> gather --^

Delivery is at least once: each task may run twice, late, or beside its twin, and the end is the same.
"""

from celery import Task, shared_task

from annotations import notifying, running, scattering
from annotations.attempts import TryLater
from tasks.delay import backoff_seconds, retry_after


@shared_task(name="tasks.annotate", bind=True, max_retries=None)
def annotate(self: Task, job_id: str) -> None:
    """Annotate the job's input, or divide a large one. Next: notify, or annotate_shard for each shard."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        running.run(job_id, str(self.request.id), retry_seconds=wait_seconds)
    except TryLater as reason:
        retry_after(wait_seconds, self, reason)


@shared_task(name="tasks.annotate_shard", bind=True, max_retries=None)
def annotate_shard(self: Task, job_id: str, number: int) -> None:
    """Annotate one shard of a divided job. Next, after the last one: gather."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        scattering.run_shard(job_id, number, str(self.request.id), retry_seconds=wait_seconds)
    except TryLater as reason:
        retry_after(wait_seconds, self, reason)


@shared_task(name="tasks.gather", bind=True, max_retries=None)
def gather(self: Task, job_id: str) -> None:
    """Join the shards of a job into its result. Next: notify."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        scattering.gather(job_id, str(self.request.id), retry_seconds=wait_seconds)
    except TryLater as reason:
        retry_after(wait_seconds, self, reason)


@shared_task(name="tasks.notify", bind=True, max_retries=None)
def notify(self: Task, job_id: str) -> None:
    """Mail the job's user how it ended."""
    wait_seconds = backoff_seconds(self.request.retries)
    try:
        notifying.notify(job_id, str(self.request.id), retry_seconds=wait_seconds)
    except notifying.MailNotSent as reason:
        retry_after(wait_seconds, self, reason)

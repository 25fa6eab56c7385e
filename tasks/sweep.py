"""What is done every minute, and safe to be done anywhere, any number of times."""

from celery import shared_task

from annotations.scratch import remove_abandoned
from annotations.sweeping import sweep_jobs


@shared_task(name="tasks.sweep")
def sweep() -> None:
    """Send what is due and send anew what is stale."""
    sweep_jobs()
    remove_abandoned()

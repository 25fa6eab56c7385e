"""Messages to addresses of users."""

from celery import shared_task

from annotations.webhooks import delivering


@shared_task(name="tasks.deliver_webhook")
def deliver_webhook(delivery_id: str) -> None:
    """Tell a user's server of a job. Next, when it was not taken: itself, later."""
    delivering.deliver(delivery_id)

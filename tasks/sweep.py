"""What is done every minute, and safe to be done anywhere, any number of times."""

from celery import current_app, shared_task

from annotations.api.repeating import forget_old as forget_old_requests
from annotations.incoming.fetching import resend_lost
from annotations.incoming.parts import forget_old as forget_old_uploads
from annotations.scratch import remove_abandoned
from annotations.sweeping import sweep_jobs
from archival.sweeping import sweep_keepers, sweep_results
from billing.sweeping import sweep_billing
from tasks.queues import ANNOTATE, SHARDS, SHARDS_FIRST
from tasks.sqs import messages_waiting


@shared_task(name="tasks.sweep")
def sweep() -> None:
    """Send what is due and send anew what is stale."""
    with current_app.connection_for_write() as connection:
        jobs_in_queue = messages_waiting(connection, ANNOTATE)
        shards_in_queue = sum(messages_waiting(connection, queue) for queue in (SHARDS, SHARDS_FIRST))
    sweep_jobs(jobs_in_queue=jobs_in_queue, shards_in_queue=shards_in_queue)
    sweep_billing()
    sweep_results()
    sweep_keepers()
    resend_lost()
    forget_old_uploads()
    forget_old_requests()
    remove_abandoned()

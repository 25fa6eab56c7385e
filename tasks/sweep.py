"""What is done every minute, and safe to be done anywhere, any number of times."""

from celery import shared_task

from annotations.api.repeating import forget_old as forget_old_requests
from annotations.incoming.fetching import resend_lost
from annotations.incoming.parts import forget_old as forget_old_uploads
from annotations.scratch import remove_abandoned
from annotations.sweeping import sweep_jobs
from annotations.uploads import remove_unused
from annotations.webhooks.delivering import forget_old as forget_old_deliveries
from annotations.webhooks.delivering import sweep_deliveries
from archival.sweeping import sweep_keepers, sweep_results
from billing.sweeping import sweep_billing
from tasks import deadletters, fanout
from tasks.queues import ANNOTATE, SHARDS, SHARDS_FIRST
from tasks.sqs import Broker


@shared_task(name="tasks.sweep")
def sweep() -> None:
    """Send what is due and send anew what is stale; give up what can't be done."""
    broker = Broker()
    sweep_jobs(
        jobs_in_queue=broker.depth(ANNOTATE).waiting,
        shards_in_queue=sum(broker.depth(queue).waiting for queue in (SHARDS, SHARDS_FIRST)),
    )
    sweep_billing()
    sweep_results()
    sweep_keepers()
    resend_lost()
    sweep_deliveries()
    deadletters.fail_their_jobs(broker)
    remove_abandoned()


@shared_task(name="tasks.tidy")
def tidy() -> None:
    """Remove what somebody has left behind: each hour."""
    broker = Broker()
    fanout.remove_abandoned(broker.client, broker.prefix)
    remove_unused()
    forget_old_uploads()
    forget_old_requests()
    forget_old_deliveries()

"""Take cold storage's events from their queue.

They are not Celery's messages: a worker that met one on a queue of its own could not read it. So this step of
the worker's consumer receives them from a queue of theirs and sends a task for each. Without the queue, or
when an event is lost, the sweep asks after every retrieval.
"""

import threading
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from celery import bootsteps
from celery.worker.consumer import Consumer
from django.conf import settings
from kombu import Connection

from annotations.enqueue import enqueue
from archival.events import NotAnEvent, jobs_ready
from tasks.sqs import sqs_client

log = structlog.get_logger(__name__)

WAIT_SECONDS = 3  # below the client's own time limit
PAUSE_SECONDS = 10  # when the queue can't be reached


class StorageEvents(bootsteps.StartStopStep):
    """Starts with the consumer; goes on in a thread until the process ends."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._thread: threading.Thread | None = None

    def include_if(self, consumer: Consumer) -> bool:
        return bool(settings.STORAGE_EVENTS_QUEUE)

    def start(self, consumer: Consumer) -> None:
        # The consumer starts anew after each lost connection; the thread goes on meanwhile.
        if self._thread is None:
            self._thread = threading.Thread(
                target=receive_forever,
                args=(consumer.app.connection_for_read(), threading.Event()),
                daemon=True,
            )
            self._thread.start()


def receive_forever(connection: Connection, stopped: threading.Event) -> None:
    """Until `stopped` is set."""
    client = sqs_client(connection)
    queue_url = None
    while not stopped.is_set():
        try:
            queue_url = queue_url or client.get_queue_url(QueueName=settings.STORAGE_EVENTS_QUEUE)["QueueUrl"]
            receive(client, queue_url)
        except (BotoCoreError, ClientError) as error:
            log.warning("storage_events_not_received", error=str(error))
            stopped.wait(PAUSE_SECONDS)


def receive(client: Any, queue_url: str) -> None:
    """One round: take what is there, send a task for each result that is ready, delete the messages."""
    answer = client.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=WAIT_SECONDS)
    for message in answer.get("Messages", ()):
        if handle(message["Body"]):
            client.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def handle(body: str) -> bool:
    """Whether the message is done with. One that can't be read is, too: it will not get better by waiting."""
    try:
        job_ids = jobs_ready(body)
    except NotAnEvent as error:
        log.warning("storage_event_not_understood", reason=str(error))
        return True
    for job_id in job_ids:
        log.info("storage_event", job_id=job_id)
        if not enqueue("restore", job_id):
            return False  # the broker is away; the event comes again
    return True

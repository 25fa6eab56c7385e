"""Keep a message invisible for as long as its task runs.

SQS shows a message to others again when its visibility timeout is over, and kombu (5.7) never extends it: a
long annotation would be started a second time beside the first. This step of the worker's consumer extends
every message that the worker holds, each third of the timeout. It does so from a thread of the parent
process, so that it goes on while a stopping worker waits for its last tasks. Should it fail for long, the
claim in the database still sees to it that only one run counts.
"""

import threading
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from celery import bootsteps
from celery.worker import state
from celery.worker.consumer import Consumer
from kombu import Connection

from tasks.sqs import sqs_client

log = structlog.get_logger(__name__)


class VisibilityExtender(bootsteps.StartStopStep):
    """Starts with the consumer; ends with the process, after the last task."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._thread: threading.Thread | None = None

    def include_if(self, consumer: Consumer) -> bool:
        return bool(consumer.app.connection_for_read().transport.driver_type == "sqs")

    def start(self, consumer: Consumer) -> None:
        # The consumer starts anew after each lost connection; the thread goes on meanwhile.
        if self._thread is None:
            self._thread = threading.Thread(
                target=extend_forever, args=(consumer.app.connection_for_read(),), daemon=True
            )
            self._thread.start()


def extend_forever(connection: Connection) -> None:
    timeout_seconds = (connection.transport_options or {})["visibility_timeout"]
    client = sqs_client(connection)
    pause = threading.Event()
    while not pause.wait(timeout_seconds / 3):
        for request in list(state.reserved_requests):
            extend(client, request.message.delivery_info, timeout_seconds)


def extend(client: Any, delivery: dict[str, Any], timeout_seconds: int) -> None:
    """Hide one message for another `timeout_seconds`; SQS ends it at 12 hours from its delivery."""
    try:
        client.change_message_visibility(
            QueueUrl=delivery["sqs_queue"],
            ReceiptHandle=delivery["sqs_message"]["ReceiptHandle"],
            VisibilityTimeout=timeout_seconds,
        )
    except KeyError:
        return  # done meanwhile: kombu takes these away from a message that it gives back
    except (BotoCoreError, ClientError) as error:
        log.warning("visibility_not_extended", error=str(error))

"""Messages that were delivered in vain: what becomes of their jobs, and the way back.

A task that raises is delivered `queues.TRIES` times, then SQS moves its message to the dead-letter queue of
its queue. The sweep fails the job of such a message, with a reason, and leaves the message for an operator,
who reads the log, mends what was wrong, and sends it back (`manage.py requeue`, or the admin's page Queues).
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog

from annotations import sweeping
from annotations.models import Job
from tasks.queues import QUEUE_NAMES, dead_letters
from tasks.sqs import Broker

log = structlog.get_logger(__name__)

# Their letters tell something only while the job that they name is not over, or failed by them. What else is
# delivered in vain waits for an operator.
FOR_UNFINISHED_JOBS = frozenset(
    {"tasks.annotate", "tasks.annotate_shard", "tasks.annotate_shard_first", "tasks.gather"}
)
LOOKED_AT_SECONDS = 30  # for which a message that is looked at is hidden from others who look
MOST_AT_ONCE = 1000


@dataclass(frozen=True)
class DeadLetter:
    """One message. `task` and `args` are empty where it is none of Celery's."""

    queue: str
    body: str
    receipt: str
    task: str
    args: tuple[Any, ...]

    @property
    def unfinished_job_id(self) -> str:
        """The job that the task was to bring on, or nothing: such tasks take its id first."""
        return str(self.args[0]) if self.args and self.task in FOR_UNFINISHED_JOBS else ""


def fail_their_jobs(broker: Broker) -> None:
    """Fail the jobs whose task broke down each time. Safe to run anywhere, any number of times."""
    for queue in QUEUE_NAMES:
        if not broker.depth(dead_letters(queue)).waiting:
            continue
        for letter in looked_at(broker, queue):
            if (job_id := letter.unfinished_job_id) and not sweeping.is_undelivered(job_id):
                _delete(broker, letter)  # its job has come to another end without it


def requeue(broker: Broker, queue: str) -> int:
    """Send the dead letters of a queue back to it, their failed jobs waiting again; how many."""
    sent = 0
    target = broker.url(queue)
    for letter in _received(broker, queue):
        if job_id := letter.unfinished_job_id:
            Job.objects.retry(job_id)
        broker.client.send_message(QueueUrl=target, MessageBody=letter.body)
        _delete(broker, letter)
        log.info("message_requeued", queue=queue, task=letter.task, args=letter.args)
        sent += 1
    return sent


def looked_at(broker: Broker, queue: str) -> list[DeadLetter]:
    """The dead letters of a queue; they stay, and can be received again at once."""
    letters = list(_received(broker, queue))
    for letter in letters:
        broker.client.change_message_visibility(
            QueueUrl=broker.url(dead_letters(queue)), ReceiptHandle=letter.receipt, VisibilityTimeout=0
        )
    return letters


def _received(broker: Broker, queue: str) -> Iterator[DeadLetter]:
    url, count = broker.url(dead_letters(queue)), 0
    while count < MOST_AT_ONCE:
        messages = broker.client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=LOOKED_AT_SECONDS, WaitTimeSeconds=1
        ).get("Messages", [])
        if not messages:
            return
        count += len(messages)
        for message in messages:
            yield _read(queue, message["Body"], message["ReceiptHandle"])


def _read(queue: str, body: str, receipt: str) -> DeadLetter:
    """As kombu writes it: an envelope, whose body is [args, kwargs, more], each in JSON and Base64."""
    try:
        envelope = json.loads(base64.b64decode(body, validate=True))
        args = json.loads(base64.b64decode(envelope["body"], validate=True))[0]
        return DeadLetter(queue, body, receipt, str(envelope["headers"]["task"]), tuple(args))
    except (binascii.Error, ValueError, KeyError, TypeError, IndexError):
        return DeadLetter(queue, body, receipt, "", ())


def _delete(broker: Broker, letter: DeadLetter) -> None:
    broker.client.delete_message(
        QueueUrl=broker.url(dead_letters(letter.queue)), ReceiptHandle=letter.receipt
    )

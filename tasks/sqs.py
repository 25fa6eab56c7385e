"""Plain SQS calls, where kombu offers none. All of them raise botocore's errors."""

import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

from celery import current_app
from kombu import Connection

from tasks.queues import QUEUE_NAMES, TRIES, dead_letters

CALL_TIMEOUT_SECONDS = 5
DEAD_LETTERS_KEPT_SECONDS = 14 * 24 * 3600  # the longest that SQS allows


def sqs_client(connection: Connection) -> Any:
    """A boto3 client of the broker that `connection` names, which gives up within seconds."""
    options = connection.transport_options or {}
    endpoint = None
    if connection.hostname:
        scheme = "https" if options.get("is_secure") else "http"
        endpoint = f"{scheme}://{connection.hostname}" + (f":{connection.port}" if connection.port else "")
    return _client(os.getpid(), endpoint, options.get("region"), connection.userid, connection.password)


@cache
def _client(
    process_id: int, endpoint: str | None, region: str | None, key_id: str | None, key: str | None
) -> Any:
    """Making one costs as much as a hundred calls. Threads may share it; a forked process needs its own."""
    from botocore.config import Config

    return session(region_name=region, aws_access_key_id=key_id, aws_secret_access_key=key).client(
        "sqs",
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=CALL_TIMEOUT_SECONDS,
            read_timeout=CALL_TIMEOUT_SECONDS,
            retries={"total_max_attempts": 2},
        ),
    )


def session(**credentials: str | None) -> Any:
    """A boto3 session that shares with all others what botocore reads of AWS's endpoints and services.

    Each would read it for itself, 8 MB, and a worker has a session for every channel of its connections.
    """
    import boto3  # loaded by who needs it: it makes every start slower
    from botocore.session import Session

    core = Session()
    core.register_component("data_loader", _loader())
    return boto3.Session(botocore_session=core, **credentials)


@cache
def _loader() -> Any:
    from botocore.session import Session

    return Session().get_component("data_loader")


class Broker:
    """The service's queues, on the broker that the Celery application names unless another is given."""

    def __init__(self, connection: Connection | None = None) -> None:
        connection = connection or current_app.connection_for_write()
        options = connection.transport_options or {}
        self.client = sqs_client(connection)
        self.prefix: str = options["queue_name_prefix"]
        self.visibility_timeout_seconds: int = options["visibility_timeout"]

    def url(self, queue: str) -> str:
        """Of a queue or dead-letter queue; a broker that has lost them gets all of them again."""
        name = self.prefix + queue
        try:
            return str(self.client.get_queue_url(QueueName=name)["QueueUrl"])
        except self.client.exceptions.QueueDoesNotExist:
            self.make_queues()
            return str(self.client.get_queue_url(QueueName=name)["QueueUrl"])

    def make_queues(self) -> None:
        """Each with its dead-letter queue; those that are there are brought to the same attributes."""
        for queue in QUEUE_NAMES:
            make_queue(self.client, self.prefix, queue, self.visibility_timeout_seconds)

    def depth(self, queue: str) -> "Depth":
        answer = self.client.get_queue_attributes(
            QueueUrl=self.url(queue),
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        return Depth(
            waiting=int(answer["ApproximateNumberOfMessages"]),
            in_hand=int(answer["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(answer["ApproximateNumberOfMessagesDelayed"]),
        )


@dataclass(frozen=True)
class Depth:
    """About how many messages can be received now, are being worked on, and wait for their time."""

    waiting: int
    in_hand: int
    delayed: int


def make_queue(client: Any, prefix: str, queue: str, visibility_timeout_seconds: int) -> str:
    """Make a queue and its dead-letter queue, or bring them to these attributes. Returns the queue's URL."""
    dead_url = client.create_queue(QueueName=prefix + dead_letters(queue))["QueueUrl"]
    client.set_queue_attributes(
        QueueUrl=dead_url, Attributes={"MessageRetentionPeriod": str(DEAD_LETTERS_KEPT_SECONDS)}
    )
    dead_arn = client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]
    # Attributes go in a call of their own: CreateQueue refuses a queue that is there with others.
    url = str(client.create_queue(QueueName=prefix + queue)["QueueUrl"])
    client.set_queue_attributes(
        QueueUrl=url,
        Attributes={
            "VisibilityTimeout": str(visibility_timeout_seconds),
            "RedrivePolicy": json.dumps(
                {"deadLetterTargetArn": dead_arn["QueueArn"], "maxReceiveCount": TRIES}
            ),
        },
    )
    return url

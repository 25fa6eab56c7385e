"""Plain SQS calls, where kombu offers none."""

from typing import Any

from kombu import Connection

CALL_TIMEOUT_SECONDS = 5


def sqs_client(connection: Connection) -> Any:
    """A boto3 client of the broker that `connection` names, which gives up within seconds."""
    import boto3  # loaded by who needs it: it makes every start slower
    from botocore.config import Config

    options = connection.transport_options or {}
    endpoint = None
    if connection.hostname:
        scheme = "https" if options.get("is_secure") else "http"
        endpoint = f"{scheme}://{connection.hostname}" + (f":{connection.port}" if connection.port else "")
    return boto3.client(
        "sqs",
        endpoint_url=endpoint,
        region_name=options.get("region"),
        aws_access_key_id=connection.userid,
        aws_secret_access_key=connection.password,
        config=Config(
            connect_timeout=CALL_TIMEOUT_SECONDS,
            read_timeout=CALL_TIMEOUT_SECONDS,
            retries={"total_max_attempts": 2},
        ),
    )


def messages_waiting(connection: Connection, queue: str) -> int:
    """About how many messages of the queue could be received now; raises botocore's errors."""
    client = sqs_client(connection)
    name = (connection.transport_options or {})["queue_name_prefix"] + queue
    answer = client.get_queue_attributes(
        QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])

"""Requests to DynamoDB: each with timeouts, retried with jitter, its errors in Django's terms.

botocore's own retries are off: it would not tell whether a write that is refused in the end was applied by an
earlier attempt whose reply got lost. `Outcome.uncertain` does.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
)
from django.db import DatabaseError, DataError, OperationalError, ProgrammingError

# Refused before anything was done.
THROTTLED = frozenset(
    (
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
    )
)
# Perhaps done, perhaps not.
FAILED = frozenset(
    ("InternalServerError", "InternalFailure", "ServiceUnavailable", "ServiceUnavailableException")
)
FIRST_PAUSE_SECONDS = 0.025
LONGEST_PAUSE_SECONDS = 2.0


class ConditionFailed(Exception):
    """The write's condition was not met. `uncertain`: an earlier attempt may have been applied."""

    def __init__(self, *, uncertain: bool) -> None:
        super().__init__("The write's condition was not met.")
        self.uncertain = uncertain


@dataclass(frozen=True)
class Options:
    """OPTIONS of the database that concern requests; the rest is the AWS SDK's own configuration."""

    region_name: str | None = None
    endpoint_url: str | None = None
    aws_access_key_id: str | None = field(default=None, repr=False)
    aws_secret_access_key: str | None = field(default=None, repr=False)
    connect_timeout_seconds: float = 3
    read_timeout_seconds: float = 10
    attempts: int = 8
    most_connections: int = 50


@cache
def _client(options: Options, process_id: int) -> Any:
    """One for all threads of a process: clients are thread-safe, and slow to make. A fork needs its own."""
    return boto3.session.Session().client(
        "dynamodb",
        region_name=options.region_name,
        endpoint_url=options.endpoint_url,
        aws_access_key_id=options.aws_access_key_id,
        aws_secret_access_key=options.aws_secret_access_key,
        config=Config(
            connect_timeout=options.connect_timeout_seconds,
            read_timeout=options.read_timeout_seconds,
            max_pool_connections=options.most_connections,
            retries={"total_max_attempts": 1},
        ),
    )


class Requests:
    """What a connection sends. Recorded in `connection.queries` while Django records queries."""

    def __init__(self, connection: Any, options: Options) -> None:
        self.connection = connection
        self.options = options

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """`operation` is botocore's name, such as "get_item".

        Raises ConditionFailed or Django's database errors.
        """
        self.connection.ensure_connection()  # where Django's and pytest's guards against queries stand
        logged = self.connection.queries_logged
        if logged and operation in CAPACITY_IS_TOLD:
            parameters["ReturnConsumedCapacity"] = "TOTAL"

        def execute(operation: str, parameters: dict[str, Any], many: bool, context: Any) -> dict[str, Any]:
            return self._until_answered(operation, parameters)

        for wrapper in self.connection.execute_wrappers:
            execute = partial(wrapper, execute)
        started = time.monotonic()
        reply: dict[str, Any] = {}
        try:
            # Django's wrappers of `cursor.execute`; the operation stands in the place of the SQL.
            reply = execute(operation, parameters, False, {"connection": self.connection, "cursor": None})
        finally:
            if logged:
                self._log(operation, parameters, reply, time.monotonic() - started)
        if operation in WRITES:
            self.connection.writes += 1
        return reply

    def pages(self, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Replies of a Query or Scan until there are no more."""
        while True:
            reply = self(operation, **parameters)
            yield reply
            if not (last := reply.get("LastEvaluatedKey")):
                return
            parameters["ExclusiveStartKey"] = last

    def pause(self, attempt: int) -> None:
        """Full jitter: whoever was refused at the same time does not come back at the same time."""
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
        time.sleep(random.uniform(0, longest))  # noqa: S311  no secret

    def _until_answered(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        uncertain = False
        for attempt in range(self.options.attempts):
            if attempt:
                self.pause(attempt)
            try:
                client = _client(self.options, os.getpid())
                return getattr(client, operation)(**parameters)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "ConditionalCheckFailedException":
                    raise ConditionFailed(uncertain=uncertain) from error
                status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
                if code not in THROTTLED and code not in FAILED and status < 500:
                    raise _translated(operation, parameters, error) from error
                uncertain = uncertain or code not in THROTTLED
                last: Exception = error
            except (ConnectTimeoutError, EndpointConnectionError) as error:
                last = error
            except (HTTPClientError, ConnectionClosedError) as error:
                uncertain = True
                last = error
            except (NoCredentialsError, NoRegionError) as error:
                raise OperationalError(
                    f"{error} DynamoDB needs a region and credentials: set them in the database's OPTIONS, "
                    "or where the AWS SDK finds them."
                ) from error
            except BotoCoreError as error:
                raise DatabaseError(f"{operation}: {error}") from error
        raise OperationalError(
            f"DynamoDB did not carry out {operation} in {self.options.attempts} attempts: {last}"
            + (" Whether it was applied is not known." if uncertain and operation in WRITES else "")
        ) from last

    def _log(self, operation: str, parameters: dict[str, Any], reply: dict[str, Any], seconds: float) -> None:
        shown = {name: value for name, value in parameters.items() if name != "ReturnConsumedCapacity"}
        self.connection.queries_log.append(
            {
                "sql": f"{operation} {shown}",
                "time": f"{seconds:.3f}",
                "capacity": reply.get("ConsumedCapacity"),
            }
        )


WRITES = frozenset(("put_item", "update_item", "delete_item"))
CAPACITY_IS_TOLD = WRITES | {"get_item", "batch_get_item", "query", "scan"}


def _translated(operation: str, parameters: dict[str, Any], error: ClientError) -> DatabaseError:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    table = parameters.get("TableName") or ", ".join(parameters.get("RequestItems", ()))
    text = f"{operation} on {table}: {message} ({code})"
    if code == "ResourceNotFoundException":
        return ProgrammingError(f"{text} Has `migrate` been run for this database?")
    if code in {"ValidationException", "ItemCollectionSizeLimitExceededException", "SerializationException"}:
        return DataError(text)
    if code in {"ResourceInUseException", "LimitExceededException"}:
        return OperationalError(text)
    return DatabaseError(text)

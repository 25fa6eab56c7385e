"""What the two adapters for AWS share: clients, and the meaning of botocore's errors."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from archival.storage.port import Block, ColdStorageError, RetrievalOption

CONNECT_SECONDS = 5
READ_SECONDS = 60
READ_ATTEMPTS = 4
RETRIEVED_KEPT_DAYS = 3  # far longer than a service that is down for a weekend

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html: 1-5 minutes
# and 3-5 hours for Flexible Retrieval and vaults, within 12 hours for Deep Archive, which has no expedited
# retrievals.
TYPICAL = {
    "GLACIER": {
        RetrievalOption.EXPEDITED: timedelta(minutes=5),
        RetrievalOption.STANDARD: timedelta(hours=5),
    },
    "DEEP_ARCHIVE": {RetrievalOption.STANDARD: timedelta(hours=12)},
}


def client(service: str, *, attempts: int) -> Any:
    """A boto3 client that gives up in time. `attempts`: 1 for what must not be asked twice."""
    return boto3.client(
        service,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(what: str, meanings: Mapping[str, type[Exception]]) -> Iterator[None]:
    """botocore's errors as ours: by their code where `meanings` has it, else as ColdStorageError."""
    try:
        yield
    except ClientError as error:
        meaning = meanings.get(code_of(error), ColdStorageError)
        raise meaning(f"{what}: {error}") from error
    except (BotoCoreError, OSError) as error:
        raise ColdStorageError(f"{what}: {error}") from error


def in_ranges(size_bytes: int, part_bytes: int, read: Callable[[int, int], Block]) -> Iterator[Block]:
    """The parts of something that is read by ranges; `read` gets the first and the last byte of one.

    A body that breaks off is no fault that botocore would try again: so each part is.
    """
    for first in range(0, size_bytes, part_bytes):
        yield _persistently(read, first, min(first + part_bytes, size_bytes) - 1)


def _persistently(read: Callable[[int, int], Block], first: int, last: int) -> Block:
    for _ in range(READ_ATTEMPTS - 1):
        try:
            return read(first, last)
        except ColdStorageError:
            continue
    return read(first, last)


def whole_range(body: BinaryIO, first: int, last: int) -> bytearray:
    """The body of an answer that has to be these bytes; in memory once, where `body.read()` has it twice.

    Raises ColdStorageError when it is shorter or longer.
    """
    part = bytearray(last - first + 1)
    view, found_bytes = memoryview(part), 0
    while count := body.readinto(view[found_bytes:]):  # type: ignore[attr-defined]  # every raw stream has it
        found_bytes += count
    found_bytes += len(body.read(1))
    if found_bytes != len(part):
        raise ColdStorageError(f"Bytes {first} to {last} were asked for, {found_bytes} bytes came.")
    return part

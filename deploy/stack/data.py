"""Delete what stacks leave behind on purpose: only when the operator has said so twice."""

from collections.abc import Iterator
from typing import Any

KEYS_AT_ONCE = 1000  # of DeleteObjects


def empty_and_delete_bucket(s3: Any, bucket: str) -> int:
    """Every version of every object, then the bucket. How many there were."""
    count = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        for part in _parts([{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": part, "Quiet": True})
            count += len(part)
    s3.delete_bucket(Bucket=bucket)
    return count


def delete_table(dynamodb: Any, table: str) -> None:
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=table)


def _parts(keys: list[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start : start + KEYS_AT_ONCE]

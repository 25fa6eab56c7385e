"""Events of S3 and of vaults are understood in every form in which they come; all else is refused."""

import json
from typing import Any

import pytest

from archival.events import NotAnEvent, jobs_ready

JOB = "3f2c8a10-0f0e-4c43-9a5e-2f8f0d7f6c11"
USER = "00000000-0000-4000-8000-000000000001"


def s3_event(name: str = "ObjectRestore:Completed", key: str = f"{USER}/{JOB}/0a1b.tar") -> dict[str, Any]:
    return {"Records": [{"eventName": name, "s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]}


def vault_event(**fields: Any) -> dict[str, Any]:
    description = {"Action": "ArchiveRetrieval", "Completed": True, "StatusCode": "Succeeded"}
    return description | {"JobDescription": f"{USER}/{JOB}/", "ArchiveId": "x" * 138} | fields


def by_sns(message: Any) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "1", "TopicArn": "arn", "Message": json.dumps(message)}


@pytest.mark.parametrize(
    "event",
    [
        s3_event(),
        s3_event("s3:ObjectRestore:Completed"),
        vault_event(),
        by_sns(s3_event()),
        by_sns(vault_event()),
    ],
    ids=["s3", "s3 with its prefix", "vault", "s3 by SNS", "vault by SNS"],
)
def test_a_retrieval_that_is_ready_names_its_job(event: dict[str, Any]) -> None:
    assert jobs_ready(json.dumps(event)) == [JOB]


def test_a_failed_retrieval_is_worth_a_look_too() -> None:
    assert jobs_ready(json.dumps(vault_event(StatusCode="Failed"))) == [JOB]


@pytest.mark.parametrize(
    "event",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
        by_sns({"Service": "Amazon S3", "Event": "s3:TestEvent"}),
        s3_event("ObjectRestore:Post"),
        s3_event("ObjectCreated:Put"),
        s3_event(key="somebody/elses.tar"),
        vault_event(Completed=False),
        {"Action": "InventoryRetrieval", "Completed": True},
        {"Records": []},
    ],
)
def test_other_events_name_none(event: dict[str, Any]) -> None:
    assert jobs_ready(json.dumps(event)) == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "\x00\xff",
        "[]",
        "null",
        "{}",
        '{"Records": [1]}',
        '{"Records": [{"eventName": 3}]}',
        '{"Records": [{"eventName": "ObjectRestore:Completed", "s3": {}}]}',
        '{"Type": "Notification"}',
        '{"Type": "Notification", "Message": "no json"}',
        "[" * 5000,
    ],
)
def test_garbage_is_refused_with_what_was_expected_and_found(body: str) -> None:
    with pytest.raises(NotAnEvent, match="Expected"):
        jobs_ready(body)

"""The templates agree with the code that runs on them."""

from typing import Any

import pytest

from annotations.dynamodb.indexes import secondary_indexes, table_keys
from annotations.models import Job, Shard
from deploy.reading import every, plain, properties
from gas_project.environment import Environment
from tasks.queues import QUEUES


def _keys(schema: Any) -> dict[str, str]:
    kinds = ("HASH", "RANGE")
    return {kind: key.name for kind, key in zip(kinds, schema.keys, strict=False)}


def _described(key_schema: list[dict[str, str]]) -> dict[str, str]:
    return {part["KeyType"]: part["AttributeName"] for part in key_schema}


@pytest.mark.parametrize(("logical_id", "model"), [("Jobs", Job), ("Shards", Shard)])
def test_a_table_has_the_models_name_key_and_indexes(logical_id: str, model: Any) -> None:
    table = properties("data", logical_id)
    assert plain(table["TableName"]) == f"gas-{model._meta.db_table}"
    assert _described(table["KeySchema"]) == _keys(table_keys(model))
    described = {
        index["IndexName"]: _described(index["KeySchema"])
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    assert described == {str(index.name): _keys(index) for index in secondary_indexes(model)}
    assert all(
        index["Projection"] == {"ProjectionType": "ALL"} for index in table.get("GlobalSecondaryIndexes", [])
    )


@pytest.mark.parametrize(("logical_id", "model"), [("Jobs", Job), ("Shards", Shard)])
def test_a_tables_keys_have_the_kinds_that_the_backend_writes(logical_id: str, model: Any) -> None:
    declared = {
        part["AttributeName"]: part["AttributeType"]
        for part in properties("data", logical_id)["AttributeDefinitions"]
    }
    schemas = (table_keys(model), *secondary_indexes(model))
    assert declared == {key.name: key.kind.code for schema in schemas for key in schema.keys}


@pytest.mark.parametrize("logical_id", ["Jobs", "Shards"])
def test_a_table_can_be_brought_back_to_any_second_and_forgets_nothing(logical_id: str) -> None:
    table = properties("data", logical_id)
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert "TimeToLiveSpecification" not in table  # the settings name none either


def test_the_queues_are_those_that_the_tasks_are_sent_to() -> None:
    made = {plain(part["Properties"]["QueueName"]) for part in every("AWS::SQS::Queue").values()}
    assert {name for name in made if not name.endswith("-dead")} == {
        *(f"gas-{queue.name}" for queue in QUEUES),
        "gas-storage-events",
    }


def test_a_message_stays_invisible_for_as_long_as_the_worker_thinks() -> None:
    seconds = Environment.model_fields["visibility_timeout_seconds"].default
    for queue in QUEUES:
        name = "".join(part.capitalize() for part in queue.name.split("-"))
        assert properties("messages", f"{name}Queue")["VisibilityTimeout"] == seconds

"""Tables and indexes for migrations. `sqlmigrate` shows the requests in the place of SQL.

Items have no schema: fields come and go without a change of the table, unless they are keys.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import DatabaseError, NotSupportedError, OperationalError, ProgrammingError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import AutoField, Index

from annotations.dynamodb import sequences
from annotations.dynamodb.attributes import Attribute, Item, attribute_of, constant_default
from annotations.dynamodb.indexes import (
    KeySchema,
    field_index,
    has_own_index,
    index_keys,
    secondary_indexes,
    table_keys,
)

MOST_INDEXES = 20
MOST_DELETES_IN_BATCH = 25
FIRST_POLL_SECONDS = 0.02
LONGEST_POLL_SECONDS = 5.0


class DatabaseSchemaEditor(BaseDatabaseSchemaEditor):
    # Tables

    def create_model(self, model: Any) -> None:
        self.refuse_constraints(model)
        keys, indexes = table_keys(model), secondary_indexes(model)
        if len(indexes) > MOST_INDEXES:
            raise NotSupportedError(
                f"{model._meta.label} has {len(indexes)} indexes; a DynamoDB table has up to {MOST_INDEXES}. "
                "Foreign keys have one each unless db_index=False."
            )
        if isinstance(model._meta.pk, AutoField):
            self._create_sequences()
        self._create_table(model._meta.db_table, keys, indexes)

    def refuse_constraints(self, model: Any) -> None:
        """Nothing but the primary key is unique in DynamoDB, and a constraint that isn't kept is none."""
        for field in model._meta.local_concrete_fields:
            self.refuse_unique(field)
        if model._meta.unique_together or model._meta.constraints:
            raise NotSupportedError(
                f"{model._meta.label}: DynamoDB keeps no constraints (unique_together, constraints). "
                "Make what must be unique the primary key, for example a text of the joined values; check "
                "values in clean(), and relate many to many by a model of your own."
            )

    def delete_model(self, model: Any) -> None:
        name = self.connection.table_name(model._meta.db_table)
        self._send("delete_table", TableName=name)
        self._wait(lambda: not table_exists(self.connection, name), f"table {name} to be gone")
        if isinstance(model._meta.pk, AutoField) and not self.collect_sql:
            sequences.forget(self.connection, model._meta.db_table)

    def alter_db_table(self, model: Any, old_db_table: str, new_db_table: str) -> None:
        if old_db_table != new_db_table:
            raise NotSupportedError(
                f"DynamoDB can't rename the table {old_db_table}. "
                "Keep its name by Meta.db_table, or copy the items."
            )

    def _create_sequences(self) -> None:
        if not table_exists(self.connection, self.connection.table_name(sequences.TABLE)):
            self._create_table(sequences.TABLE, KeySchema(None, sequences.KEY), ())

    def _create_table(self, db_table: str, keys: KeySchema, indexes: tuple[KeySchema, ...]) -> None:
        options = self.connection.table_options
        name = self.connection.table_name(db_table)
        parameters: dict[str, Any] = {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": _definitions(keys, *indexes),
            "KeySchema": _key_schema(keys),
        }
        if indexes:
            parameters["GlobalSecondaryIndexes"] = [self._index(index) for index in indexes]
        if options.deletion_protection:
            parameters["DeletionProtectionEnabled"] = True
        self._send("create_table", **parameters)
        self._wait_until_active(name)
        if options.point_in_time_recovery:
            enabled = {"PointInTimeRecoveryEnabled": True}
            self._send("update_continuous_backups", TableName=name, PointInTimeRecoverySpecification=enabled)
        if attribute := options.ttl.get(db_table):
            enabled_by = {"Enabled": True, "AttributeName": attribute}
            self._send("update_time_to_live", TableName=name, TimeToLiveSpecification=enabled_by)

    # Indexes

    def add_index(self, model: Any, index: Index) -> None:
        self._add_index(model, index_keys(model, index))

    def remove_index(self, model: Any, index: Index) -> None:
        self._remove_index(model, index.name)

    def _add_index(self, model: Any, index: KeySchema) -> None:
        name = self.connection.table_name(model._meta.db_table)
        self._send(
            "update_table",
            TableName=name,
            AttributeDefinitions=_definitions(table_keys(model), index),
            GlobalSecondaryIndexUpdates=[{"Create": self._index(index)}],
        )
        self._wait_until_active(name)

    def _remove_index(self, model: Any, index_name: str) -> None:
        name, index_name = (
            self.connection.table_name(model._meta.db_table),
            self.connection.index_name(index_name),
        )
        self._send(
            "update_table",
            TableName=name,
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index_name}}],
        )
        self._wait_until_active(name)

    def _index(self, index: KeySchema) -> dict[str, Any]:
        return {
            "IndexName": self.connection.index_name(index.name or ""),
            "KeySchema": _key_schema(index),
            "Projection": {"ProjectionType": "ALL"},
        }

    # Fields

    def add_field(self, model: Any, field: Any) -> None:
        if field.many_to_many:
            self._refuse_many_to_many(field)
        self.refuse_unique(field)
        self._refuse_missing(model, field)
        if has_own_index(field):
            self._add_index(model, field_index(model, field))

    def remove_field(self, model: Any, field: Any) -> None:
        if field.many_to_many:
            self._refuse_many_to_many(field)
        if has_own_index(field):
            self._remove_index(model, field_index(model, field).name or "")
        self._rewrite(
            model, "attribute_exists(#a)", field.column, lambda key: {"UpdateExpression": "REMOVE #a"}
        )

    def alter_field(self, model: Any, old_field: Any, new_field: Any, strict: bool = False) -> None:
        if old_field.many_to_many or new_field.many_to_many:
            self._refuse_many_to_many(new_field)
        old, new = attribute_of(old_field), attribute_of(new_field)
        if old.name != new.name:
            raise NotSupportedError(
                f"{new_field}: DynamoDB can't rename the attribute {old.name} to {new.name}. "
                "Keep its name by db_column."
            )
        if old.kind is not new.kind:
            raise NotSupportedError(
                f"{new_field}: the values kept for the old type of field can't be read as the new one. "
                "Add a field of the new type, and fill it in a RunPython migration."
            )
        if old_field.primary_key != new_field.primary_key:
            raise NotSupportedError(f"{new_field}: DynamoDB can't change the primary key of a table.")
        if not old_field.unique:
            self.refuse_unique(new_field)
        if old.missing is not None and old.missing != new.missing:
            self._fill(model, old)
        elif old_field.null and not new_field.null:
            self._refuse_missing(model, new_field)
        if has_own_index(old_field) != has_own_index(new_field):
            index = field_index(model, new_field)
            if has_own_index(new_field):
                self._add_index(model, index)
            else:
                self._remove_index(model, index.name or "")

    def _refuse_missing(self, model: Any, field: Any) -> None:
        """Items that lack the attribute have the field's constant default; without one there must be none."""
        if field.null or constant_default(field) is not None or self.collect_sql:
            return
        if any(self._lacking(model, field.column)):
            raise NotSupportedError(
                f"{field}: {model._meta.db_table} has items without {field.column}, and the field has "
                "neither null=True nor a constant default. Add it with null=True, fill it in a RunPython "
                "migration, then alter it."
            )

    def _fill(self, model: Any, attribute: Attribute) -> None:
        """What items had by the old default they keep."""
        value = attribute.write(attribute.missing)
        update = {"UpdateExpression": "SET #a = :value", "ExpressionAttributeValues": {":value": value}}
        self._rewrite(model, "attribute_not_exists(#a)", attribute.name, lambda key: update)

    def _lacking(self, model: Any, column: str) -> Iterator[Item]:
        return _scan(self.connection, model._meta.db_table, "attribute_not_exists(#a)", column)

    def _rewrite(
        self, model: Any, condition: str, column: str, update: Callable[[Item], dict[str, Any]]
    ) -> None:
        if self.collect_sql:
            self.collected_sql.append(
                f"-- scan {model._meta.db_table}, and update_item where {condition}: {column}"
            )
            return
        key = table_keys(model).partition
        for item in _scan(self.connection, model._meta.db_table, condition, column):
            self.connection.requests(
                "update_item",
                TableName=self.connection.table_name(model._meta.db_table),
                Key={key.name: item[key.name]},
                ExpressionAttributeNames={"#a": column},
                **update(item),
            )

    def _refuse_many_to_many(self, field: Any) -> None:
        raise NotSupportedError(
            f"{field}: many-to-many fields take joins. Relate the models by one of your own."
        )

    # Constraints and SQL

    def alter_unique_together(self, model: Any, old_unique_together: Any, new_unique_together: Any) -> None:
        self.refuse_constraint(model, new_unique_together)

    def alter_index_together(self, model: Any, old_index_together: Any, new_index_together: Any) -> None:
        if new_index_together:
            raise NotSupportedError(f"{model._meta.label}: use Meta.indexes in the place of index_together.")

    def add_constraint(self, model: Any, constraint: Any) -> None:
        self.refuse_constraint(model, constraint)

    def remove_constraint(self, model: Any, constraint: Any) -> None:
        """There never was one."""

    def refuse_unique(self, field: Any) -> None:
        if field.unique and not field.primary_key:
            raise NotSupportedError(
                f"{field}: unique=True can't be kept by DynamoDB, where only the primary key is unique. "
                "Make the field the primary key, or drop unique=True."
            )

    def refuse_constraint(self, model: Any, constraint: Any) -> None:
        if constraint:
            raise NotSupportedError(
                f"{model._meta.label}: DynamoDB keeps no constraints; found {constraint}. "
                "Make what must be unique the primary key."
            )

    def execute(self, sql: Any, params: Any = ()) -> None:
        raise NotSupportedError("DynamoDB speaks no SQL. Write the migration with RunPython.")

    # Sending and waiting

    def _send(self, operation: str, **parameters: Any) -> None:
        if self.collect_sql:
            self.collected_sql.append(f"-- {operation}\n{json.dumps(parameters, indent=2, default=repr)}")
        else:
            self.connection.requests(operation, **parameters)

    def _wait_until_active(self, name: str) -> None:
        self._wait(lambda: _is_active(self.connection, name), f"{name} and its indexes to be ACTIVE")

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        if self.collect_sql:
            return
        limit_seconds = self.connection.table_options.wait_seconds
        until, pause_seconds = time.monotonic() + limit_seconds, FIRST_POLL_SECONDS
        while not done():
            if time.monotonic() > until:
                raise OperationalError(
                    f"Waited {limit_seconds:.0f} s for {what}. It may get there: "
                    "run the migration again later."
                )
            time.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, LONGEST_POLL_SECONDS)


def _definitions(*schemas: KeySchema) -> list[dict[str, str]]:
    codes = {key.name: key.kind.code for schema in schemas for key in schema.keys}
    return [{"AttributeName": name, "AttributeType": code} for name, code in codes.items()]


def _key_schema(schema: KeySchema) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [
        {"AttributeName": key.name, "KeyType": kind} for key, kind in zip(schema.keys, kinds, strict=False)
    ]


def table_exists(connection: Any, name: str) -> bool:
    try:
        connection.requests("describe_table", TableName=name)
    except ProgrammingError:
        return False
    return True


def _is_active(connection: Any, name: str) -> bool:
    table = connection.requests("describe_table", TableName=name)["Table"]
    statuses = [index.get("IndexStatus") for index in table.get("GlobalSecondaryIndexes", ())]
    return bool(table["TableStatus"] == "ACTIVE" and all(status == "ACTIVE" for status in statuses))


def _scan(connection: Any, db_table: str, condition: str, column: str) -> Iterator[Item]:
    pages = connection.requests.pages(
        "scan",
        TableName=connection.table_name(db_table),
        ConsistentRead=True,
        FilterExpression=condition,
        ExpressionAttributeNames={"#a": column},
    )
    for page in pages:
        yield from page["Items"]


def empty_table(connection: Any, db_table: str) -> None:
    """Delete every item."""
    name = connection.table_name(db_table)
    schema = connection.requests("describe_table", TableName=name)["Table"]["KeySchema"]
    names = {f"#k{position}": key["AttributeName"] for position, key in enumerate(schema)}
    pages = connection.requests.pages(
        "scan",
        TableName=name,
        ConsistentRead=True,
        ProjectionExpression=", ".join(names),
        ExpressionAttributeNames=names,
    )
    for page in pages:
        for start in range(0, len(page["Items"]), MOST_DELETES_IN_BATCH):
            keys = page["Items"][start : start + MOST_DELETES_IN_BATCH]
            _delete_batch(connection, {name: [{"DeleteRequest": {"Key": key}} for key in keys]})


def _delete_batch(connection: Any, wanted: dict[str, Any]) -> None:
    for attempt in range(connection.requests.options.attempts):
        if attempt:
            connection.requests.pause(attempt)
        wanted = connection.requests("batch_write_item", RequestItems=wanted).get("UnprocessedItems") or {}
        if not wanted:
            return
    raise DatabaseError("DynamoDB left items undeleted: it is throttling. Empty the table again.")

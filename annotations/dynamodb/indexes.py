"""Which of a model's indexes are global secondary indexes, and of what form.

The first field of an index is its partition key, the second its sort key. `condition=Q(field__isnull=False)`,
which makes a partial index in SQL, makes a sparse one here: only items that have all of its keys are in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import NotSupportedError
from django.db.models import Index, Q

from annotations.dynamodb.attributes import Attribute, attribute_of


@dataclass(frozen=True)
class KeySchema:
    """The keys of a table or an index. `name` is None for the table."""

    name: str | None
    partition: Attribute
    sort: Attribute | None = None
    sparse: bool = False  # declared to hold few items

    @property
    def keys(self) -> tuple[Attribute, ...]:
        return (self.partition,) if self.sort is None else (self.partition, self.sort)

    @property
    def key_names(self) -> frozenset[str]:
        return frozenset(key.name for key in self.keys)


@cache
def table_keys(model: Any) -> KeySchema:
    pk = model._meta.pk
    if getattr(pk, "columns", None) and len(pk.columns) > 1:
        raise NotSupportedError(f"{model._meta.label}: composite primary keys are not supported on DynamoDB.")
    return KeySchema(None, _key(pk))


@cache
def secondary_indexes(model: Any) -> tuple[KeySchema, ...]:
    """In the order of declaration. Raises NotSupportedError for an index that DynamoDB can't have."""
    declared = [index_keys(model, index) for index in model._meta.indexes]
    single = [field_index(model, field) for field in model._meta.local_fields if has_own_index(field)]
    return tuple(declared + single)


def has_own_index(field: Any) -> bool:
    return bool(field.db_index and not field.primary_key and not field.unique)


def field_index(model: Any, field: Any) -> KeySchema:
    """Of a field with db_index=True, as foreign keys have by default."""
    return KeySchema(f"{model._meta.db_table}_{field.column}", _key(field))


def index_keys(model: Any, index: Index) -> KeySchema:
    where = f"Index {index.name} of {model._meta.label}"
    if type(index) is not Index or index.expressions or index.include or index.opclasses:
        raise NotSupportedError(
            f"{where}: DynamoDB indexes fields, nothing else. "
            "Keep an expression's value in a field of its own; all fields are in every index."
        )
    if len(index.fields) > 2:
        raise NotSupportedError(
            f"{where} has {len(index.fields)} fields; in DynamoDB there are a partition key and a sort key. "
            "Join the first fields' values in a field of its own."
        )
    keys = [_key(model._meta.get_field(name)) for name, _ in index.fields_orders]
    _check_condition(
        where, index.condition, {model._meta.get_field(name).column for name, _ in index.fields_orders}, model
    )
    return KeySchema(index.name, keys[0], keys[1] if len(keys) == 2 else None, index.condition is not None)


def _check_condition(where: str, condition: Q | None, columns: set[str], model: Any) -> None:
    if condition is None:
        return
    for child in condition.children:
        lookup, value = child if isinstance(child, tuple) else ("", None)
        name, _, kind = lookup.rpartition("__")
        if (
            condition.negated
            or (condition.connector != Q.AND and len(condition.children) > 1)
            or kind != "isnull"
            or value is not False
            or model._meta.get_field(name).column not in columns
        ):
            raise NotSupportedError(
                f"{where}: on DynamoDB an index leaves out the items that lack one of its fields, so its "
                f"condition may only say Q(field__isnull=False) of these; found {condition}."
            )


def _key(field: Any) -> Attribute:
    attribute = attribute_of(field)
    if attribute.kind.code == "BOOL":
        raise NotSupportedError(
            f"{field}: booleans can't be keys of a DynamoDB index. "
            "Use a number or text that is null where the items shall not be in the index."
        )
    return attribute

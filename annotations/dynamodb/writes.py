"""Writes: one conditional request a row, whose outcome is known even if a reply gets lost.

The condition of an update or delete is the query's whole WHERE, so that two of them can't both win a row.
What DynamoDB can't say (a regular expression, arithmetic with other columns) is judged here on a consistent
read, and the condition then is that nothing it depends on has changed since: compare and set, repeated until
one holds.

Each write of a row leaves a token in it. When a reply is lost, the request is sent again, and the condition
fails, the row's token tells whether the first request had been applied.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, OperationalError

from annotations.dynamodb.attributes import Attribute, Item
from annotations.dynamodb.predicates import (
    ALWAYS,
    MOST_EXPRESSION_BYTES,
    Constant,
    Expression,
    Inexpressible,
    Predicate,
)
from annotations.dynamodb.reads import get
from annotations.dynamodb.requests import ConditionFailed, Requests

TOKEN = "django_write_token"  # noqa: S105  an attribute's name
COMPARE_AND_SET_ATTEMPTS = 30


@dataclass(frozen=True)
class Table:
    requests: Requests
    name: str
    key: Attribute


@dataclass(frozen=True)
class Change:
    """The new value of one attribute: a constant, an amount to add, or computed from the item as it was."""

    attribute: Attribute
    constant: Any = None
    amount: Any = None
    compute: Callable[[Item], Any] | None = None
    depends_on: frozenset[Attribute] = frozenset()

    def settled(self, item: Item) -> Change:
        return self if self.compute is None else Change(self.attribute, self.compute(item))


def insert(table: Table, values: Mapping[Attribute, Any]) -> None:
    """A new item. Raises IntegrityError when there is one with its key."""
    item = {
        attribute.name: attribute.write(value) for attribute, value in values.items() if value is not None
    }
    token = _token()
    item[TOKEN] = token
    expression = Expression()
    condition = f"attribute_not_exists({expression.name(table.key.name)})"
    try:
        table.requests(
            "put_item",
            TableName=table.name,
            Item=item,
            ConditionExpression=condition,
            **expression.parameters(),
        )
    except ConditionFailed as failure:
        key = {table.key.name: item[table.key.name]}
        if failure.uncertain and _was_applied(table, key, token):
            return
        raise IntegrityError(
            f"{table.name} has an item with {table.key.name} = {values[table.key]!r} already."
        ) from failure


def update(table: Table, keys: Iterable[Any], predicate: Predicate, changes: list[Change]) -> int:
    """How many of the items with these keys satisfied the predicate and were changed."""
    return sum(_write(table, key, predicate, changes) for key in keys)


def delete(table: Table, keys: Iterable[Any], predicate: Predicate) -> int:
    """How many of the items with these keys satisfied the predicate and are gone."""
    return sum(_write(table, key, predicate, None) for key in keys)


def _write(table: Table, key_value: Any, predicate: Predicate, changes: list[Change] | None) -> bool:
    key = {table.key.name: table.key.write(key_value)}
    if "S" in key[table.key.name] and not key[table.key.name]["S"]:
        return False  # no item has an empty key
    remaining = predicate.given(table.key, key)
    if isinstance(remaining, Constant) and not remaining.value:
        return False
    if all(change.compute is None for change in changes or ()):
        try:
            return _write_if(table, key, lambda expression: _whole(remaining, expression), changes)
        except Inexpressible:
            pass  # judged here instead
    return _compare_and_set(table, key, remaining, changes)


def _whole(predicate: Predicate, expression: Expression) -> str | None:
    if predicate == ALWAYS:
        return None
    said = predicate.condition(expression)
    if len(said.encode()) > MOST_EXPRESSION_BYTES:
        raise Inexpressible("too long for DynamoDB")
    return said


def _compare_and_set(table: Table, key: Item, predicate: Predicate, changes: list[Change] | None) -> bool:
    for attempt in range(COMPARE_AND_SET_ATTEMPTS):
        if attempt:
            table.requests.pause(min(attempt, 4))
        item = get(table.requests, table.name, key)
        if item is None or predicate.holds(item) is not True:
            return False
        seen = predicate.attributes().union(*(change.depends_on for change in changes or ()))
        settled = None if changes is None else [change.settled(item) for change in changes]
        if _write_if(table, key, lambda e, item=item, seen=seen: _unchanged(item, seen, e), settled):  # type: ignore[misc]
            return True
    raise OperationalError(
        f"{table.name}: others changed the item {key} each time between reading and writing it, "
        f"{COMPARE_AND_SET_ATTEMPTS} times. Try again, or use conditions that DynamoDB can judge itself."
    )


def _unchanged(item: Item, attributes: Iterable[Attribute], expression: Expression) -> str | None:
    said = []
    for attribute in sorted(attributes, key=lambda attribute: attribute.name):
        path = expression.name(attribute.name)
        stored = item.get(attribute.name)
        said.append(
            f"attribute_not_exists({path})" if stored is None else f"{path} = {expression.value(stored)}"
        )
    return " AND ".join(said) or None


def _write_if(
    table: Table, key: Item, condition: Callable[[Expression], str | None], changes: list[Change] | None
) -> bool:
    """Whether the item exists, met the condition and was written. Raises Inexpressible from `condition`."""
    expression = Expression()
    # Without this an update of an item that is gone would make a new one.
    said = f"attribute_exists({expression.name(table.key.name)})"
    if wanted := condition(expression):
        said += f" AND ({wanted})"
    token = _token()
    try:
        if changes is None:
            table.requests(
                "delete_item",
                TableName=table.name,
                Key=key,
                ConditionExpression=said,
                **expression.parameters(),
            )
        else:
            said += f" AND NOT {expression.name(TOKEN)} = {expression.value(token)}"
            assignments = _assignments(changes, token, expression)
            table.requests(
                "update_item",
                TableName=table.name,
                Key=key,
                ConditionExpression=said,
                UpdateExpression=assignments,
                **expression.parameters(),
            )
    except ConditionFailed as failure:
        return failure.uncertain and _was_applied(table, key, None if changes is None else token)
    return True


def _assignments(changes: list[Change], token: Any, expression: Expression) -> str:
    sets = [f"{expression.name(TOKEN)} = {expression.value(token)}"]
    removals = []
    for change in changes:
        attribute = change.attribute
        path = expression.name(attribute.name)
        if change.amount is not None:
            start = expression.value(attribute.write(attribute.missing))
            amount = expression.value(attribute.write(change.amount))
            sets.append(f"{path} = if_not_exists({path}, {start}) + {amount}")
        elif change.constant is None:
            removals.append(path)
        else:
            sets.append(f"{path} = {expression.value(attribute.write(change.constant))}")
    return f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removals)}" if removals else "")


def _was_applied(table: Table, key: Item, token: Any) -> bool:
    """Whether the attempt whose reply was lost was applied. `token` is None for a delete.

    Raises OperationalError where it can't be told: another write came in between and has left its own token.
    """
    item = get(table.requests, table.name, key)
    if token is None:
        return item is None
    if item is not None and item.get(TOKEN) == token:
        return True
    raise OperationalError(
        f"The reply to a write of {table.name} {key} got lost, and the item was written by others since: "
        "whether this write was applied is not known. Read the item and decide."
    )


def _token() -> dict[str, bytes]:
    return {"B": secrets.token_bytes(9)}

"""Plans carried out: items as they come, lazily, in the plan's order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from django.db import OperationalError

from annotations.dynamodb.attributes import Item
from annotations.dynamodb.planner import IndexQuery, IndexScan, Lookup, Nothing, Plan, Scan
from annotations.dynamodb.predicates import Bounds, Expression, Predicate
from annotations.dynamodb.requests import Requests

MOST_KEYS_IN_BATCH = 100
FIRST_PAGE_ITEMS = 100
BATCH_ATTEMPTS = 10


def items(  # noqa: PLR0913, PLR0917  what a request is made of
    requests: Requests,
    table: str,
    plan: Plan,
    predicate: Predicate,
    limit: int | None,
    attributes: frozenset[str] = frozenset(),
) -> Iterator[Item]:
    """Every item for which the predicate may hold, and some more.

    `limit`: how many matching items the caller wants at most, as a hint for the size of pages. `attributes`:
    where they are named, a query of an index sends these and no others.
    """
    match plan:
        case Nothing():
            return iter(())
        case Lookup():
            return _looked_up(requests, table, plan)
        case IndexScan():
            name = requests.connection.index_name(plan.index.name or "")
            return _scanned(requests, predicate, TableName=table, IndexName=name)
        case Scan():
            return _scanned(requests, predicate, TableName=table, ConsistentRead=True)
        case IndexQuery():
            return _queried(requests, table, plan, predicate, limit, attributes)


def get(requests: Requests, table: str, key: Item) -> Item | None:
    """One item by its key, read consistently."""
    item: Item | None = requests("get_item", TableName=table, Key=key, ConsistentRead=True).get("Item")
    return item


def _looked_up(requests: Requests, table: str, plan: Lookup) -> Iterator[Item]:
    keys = [{plan.key.name: plan.key.write(value)} for value in plan.values]
    if plan.key.kind.code == "S":
        keys = [key for key in keys if key[plan.key.name]["S"]]  # DynamoDB has no empty keys
    if len(keys) == 1:
        item = get(requests, table, keys[0])
        if item is not None:
            yield item
        return
    for start in range(0, len(keys), MOST_KEYS_IN_BATCH):
        yield from _batch(requests, table, keys[start : start + MOST_KEYS_IN_BATCH])


def _batch(requests: Requests, table: str, keys: list[Any]) -> Iterator[Item]:
    wanted = {table: {"Keys": keys, "ConsistentRead": True}}
    for attempt in range(BATCH_ATTEMPTS):
        if attempt:
            requests.pause(attempt)
        reply = requests("batch_get_item", RequestItems=wanted)
        yield from reply["Responses"].get(table, ())
        wanted = reply.get("UnprocessedKeys") or {}
        if not wanted:
            return
    raise OperationalError(
        f"DynamoDB left keys of {table} unread in {BATCH_ATTEMPTS} attempts: it is throttling."
    )


def _scanned(requests: Requests, predicate: Predicate, **parameters: Any) -> Iterator[Item]:
    expression = Expression()
    filtered = predicate.narrowing(expression)
    parameters |= expression.parameters()
    if filtered:
        parameters["FilterExpression"] = filtered
    for page in requests.pages("scan", **parameters):
        yield from page["Items"]


def _queried(  # noqa: PLR0913, PLR0917  what a request is made of
    requests: Requests,
    table: str,
    plan: IndexQuery,
    predicate: Predicate,
    limit: int | None,
    attributes: frozenset[str],
) -> Iterator[Item]:
    partitions = [
        _partition(requests, _parameters(requests, table, plan, value, predicate, limit, attributes))
        for value in plan.partitions
        if value != ""  # DynamoDB has no empty keys
    ]
    if plan.order is None or len(partitions) < 2:
        for partition in partitions:
            yield from partition
        return
    key = plan.order.attribute
    yield from heapq.merge(*partitions, key=key.read, reverse=plan.order.descending)


def _partition(requests: Requests, parameters: dict[str, Any] | None) -> Iterator[Item]:
    if parameters is not None:
        for page in requests.pages("query", **parameters):
            yield from page["Items"]


def _parameters(  # noqa: PLR0913, PLR0917  what a request is made of
    requests: Requests,
    table: str,
    plan: IndexQuery,
    value: Any,
    predicate: Predicate,
    limit: int | None,
    attributes: frozenset[str],
) -> dict[str, Any] | None:
    """Of a query of one partition; None where the bounds leave nothing."""
    expression = Expression()
    condition = _key_condition(plan, value, expression)
    if condition is None:
        return None
    projection = ", ".join(map(expression.name, sorted(attributes)))
    # The keys' names are known to the expression already, and must not be used in the filter.
    expression.forbidden = plan.index.key_names
    filtered = predicate.narrowing(expression)
    parameters: dict[str, Any] = {
        "TableName": table,
        "IndexName": requests.connection.index_name(plan.index.name or ""),
        "KeyConditionExpression": condition,
        "ScanIndexForward": not (plan.order is not None and plan.order.descending),
        **expression.parameters(),
    }
    if filtered:
        parameters["FilterExpression"] = filtered
    if projection:
        parameters["ProjectionExpression"] = projection
    if limit is not None:
        # Items that the filter leaves out count, so a page for a filtered query has some to spare; and one
        # that stands at an open end of the bounds is found and left out here.
        parameters["Limit"] = max(limit, FIRST_PAGE_ITEMS) if filtered else limit + (plan.bounds != Bounds())
    return parameters


def _key_condition(plan: IndexQuery, value: Any, expression: Expression) -> str | None:
    """None where the bounds leave nothing."""
    partition = plan.index.partition
    said = f"{expression.name(partition.name)} = {expression.value(partition.write(value))}"
    sort, low, high = plan.index.sort, plan.bounds.low, plan.bounds.high
    if low == "":
        low = None  # every text is greater
    if sort is None or (low is None and high is None):
        return said
    if high == "" or (low is not None and high is not None and low > high):
        return None  # no key is empty, nor both greater and less
    name = expression.name(sort.name)
    ends = [expression.value(sort.write(end)) for end in (low, high) if end is not None]
    if len(ends) == 2:
        return f"{said} AND {name} BETWEEN {' AND '.join(ends)}"
    return f"{said} AND {name} {'<=' if low is None else '>='} {ends[0]}"

"""Which requests answer a query: look-ups by primary key, queries of an index, or, where allowed, a scan.

A plan only narrows. What it finds is judged by the query's predicate, so that a plan that finds too much is
slow, and never wrong; one that finds too little would be wrong, so each choice here must be implied by the
predicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import NotSupportedError

from annotations.dynamodb.attributes import Attribute
from annotations.dynamodb.indexes import KeySchema, secondary_indexes, table_keys
from annotations.dynamodb.predicates import Bounds, Predicate

MOST_PARTITIONS = 100


@dataclass(frozen=True)
class Order:
    """The first column of ORDER BY, as far as an index may serve it."""

    attribute: Attribute
    descending: bool


@dataclass(frozen=True)
class Nothing:
    """No item can satisfy the predicate."""

    def __str__(self) -> str:
        return "Nothing: no item can match"


@dataclass(frozen=True)
class Lookup:
    """Consistent reads by primary key."""

    key: Attribute
    values: tuple[Any, ...]

    def __str__(self) -> str:
        request = "GetItem" if len(self.values) == 1 else "BatchGetItem"
        return f"{request} by {self.key.name} ({len(self.values)})"


@dataclass(frozen=True)
class IndexQuery:
    """Eventually consistent queries, one a partition, merged where `order` is served."""

    index: KeySchema
    partitions: tuple[Any, ...]
    bounds: Bounds
    order: Order | None

    def __str__(self) -> str:
        text = f"Query index {self.index.name} by {self.index.partition.name} ({len(self.partitions)})"
        if self.index.sort is not None and self.bounds != Bounds():
            text += f", {self.index.sort.name} bounded"
        if self.order is not None:
            text += ", in descending order" if self.order.descending else ", in order"
        return text


@dataclass(frozen=True)
class IndexScan:
    """A sparse index as a whole: all that is in it is asked for, and it is declared to be little."""

    index: KeySchema

    def __str__(self) -> str:
        return f"Scan of the sparse index {self.index.name}"


@dataclass(frozen=True)
class Scan:
    """The whole table, by consistent reads."""

    def __str__(self) -> str:
        return "Scan of the whole table"


Plan = Nothing | Lookup | IndexQuery | IndexScan | Scan


def plan(model: Any, predicate: Predicate, order: Order | None, *, may_scan: bool) -> Plan:
    """Raises NotSupportedError where only a forbidden scan would do."""
    key = table_keys(model).partition
    found = predicate.candidates(key.name)
    if found is not None:
        return Lookup(key, tuple(sorted(found))) if found else Nothing()
    queries = []
    for index in secondary_indexes(model):
        partitions = predicate.candidates(index.partition.name)
        if partitions is not None and not partitions:
            return Nothing()
        if (
            partitions is not None
            and len(partitions) <= MOST_PARTITIONS
            and _has_all(model, index, predicate)
        ):
            queries.append(_query(index, tuple(sorted(partitions)), predicate, order))
    if queries:
        return max(queries, key=_merit)
    for index in secondary_indexes(model):
        if index.sparse and all(predicate.demands(name) for name in index.key_names):
            return IndexScan(index)
    if may_scan:
        return Scan()
    raise NotSupportedError(_forbidden_scan(model, predicate, key))


def _has_all(model: Any, index: KeySchema, predicate: Predicate) -> bool:
    """Whether the index has every item for which the predicate may hold."""
    columns = {field.column: field for field in model._meta.local_concrete_fields}
    return all(not columns[name].null or predicate.demands(name) for name in index.key_names)


def _query(
    index: KeySchema, partitions: tuple[Any, ...], predicate: Predicate, order: Order | None
) -> IndexQuery:
    bounds = predicate.bounds(index.sort.name) if index.sort is not None else Bounds()
    served = order if order is not None and order.attribute == index.sort else None
    return IndexQuery(index, partitions, bounds, served)


def _merit(query: IndexQuery) -> tuple[int, ...]:
    """A bounded range reads least; then order saves reading the rest; then a sparse index holds least."""
    bounded = (query.bounds.low is not None) + (query.bounds.high is not None)
    both_ends = query.bounds.low is not None and query.bounds.low == query.bounds.high
    return (
        both_ends,
        query.order is not None,
        bounded,
        query.index.sparse,
        -len(query.partitions),
        query.index.sort is not None,
    )


def _forbidden_scan(model: Any, predicate: Predicate, key: Attribute) -> str:
    ways = [f"{key.name} =" if index is None else _way(index) for index in (None, *secondary_indexes(model))]
    named: Sequence[str] = sorted(attribute.name for attribute in predicate.attributes()) or ["nothing"]
    return (
        f"This query of {model._meta.label} names {', '.join(named)} and would read the whole table. "
        f"Filter by one of: {'; '.join(ways)}. Or declare an index whose first field the query fixes. "
        f"Or allow scans of {model._meta.db_table} with the option scan of the database."
    )


def _way(index: KeySchema) -> str:
    if index.sort is None:
        return f"{index.partition.name} ="
    return f"{index.partition.name} = and perhaps a range of {index.sort.name}"

"""A query of Django's, executed: the predicate of its WHERE, a plan, items, and rows made of them.

Django's own compiler prepares the SELECT list and the ordering; no SQL is sent anywhere. Every construct that
isn't carried out here is refused by name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cmp_to_key
from itertools import groupby, islice
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import IntegrityError, NotSupportedError
from django.db.models import AutoField, Count
from django.db.models.constants import OnConflict
from django.db.models.expressions import CombinedExpression, OrderBy, Star, Value
from django.db.models.functions import Random
from django.db.models.sql import compiler as django_compiler
from django.db.models.sql.constants import (
    CURSOR,
    GET_ITERATOR_CHUNK_SIZE,
    MULTI,
    NO_RESULTS,
    ROW_COUNT,
    SINGLE,
)

from annotations.dynamodb import reads, writes
from annotations.dynamodb.aggregates import Summary
from annotations.dynamodb.attributes import Attribute, Item, attribute_of
from annotations.dynamodb.expressions import Operand, operand
from annotations.dynamodb.indexes import table_keys
from annotations.dynamodb.lookups import predicate
from annotations.dynamodb.planner import Lookup, Order, Plan, plan
from annotations.dynamodb.predicates import ALWAYS, NEVER, Predicate
from annotations.dynamodb.sequences import next_values

Row = tuple[Any, ...]


class _Compiler(django_compiler.SQLCompiler):
    """What reading and writing have in common."""

    @property
    def model(self) -> Any:
        return self.query.model

    @property
    def table(self) -> writes.Table:
        requests = self.connection.requests
        name = self.connection.table_name(self.model._meta.db_table)
        return writes.Table(requests, name, table_keys(self.model).partition)

    def predicate(self) -> Predicate:
        try:
            return predicate(self.query.where, self.connection) if self.query.where else ALWAYS
        except EmptyResultSet:
            return NEVER
        except FullResultSet:
            return ALWAYS

    def plan(self, wanted: Predicate, order: Order | None = None) -> Plan:
        table = self.model._meta.db_table
        return plan(self.model, wanted, order, may_scan=self.connection.scan_is_allowed(table))

    def matching(
        self, wanted: Predicate, chosen: Plan, limit: int | None = None, *, counted: bool = False
    ) -> Iterator[Item]:
        """The items for which the predicate holds; of those that are `counted`, only what that takes."""
        table = self.table
        needed = {attribute.name for attribute in wanted.attributes()} | {table.key.name} if counted else ()
        found = reads.items(table.requests, table.name, chosen, wanted, limit, frozenset(needed))
        return (item for item in found if wanted.holds(item) is True)

    def refuse_joins(self) -> None:
        aliases = [alias for alias, count in self.query.alias_refcount.items() if count]
        if len(aliases) > 1:
            others = sorted({self.query.alias_map[alias].table_name for alias in aliases[1:]})
            raise NotSupportedError(
                f"Joins are not supported on DynamoDB: {self.model._meta.label} with {', '.join(others)}. "
                "Use prefetch_related() in the place of select_related(), and query the other model first: "
                "filter(author__in=list(Author.objects.filter(...)))."
            )
        if self.model._meta.concrete_model._meta.parents:
            raise NotSupportedError(
                f"{self.model._meta.label} inherits from a model with a table of its own, which takes joins. "
                "Inherit from an abstract model."
            )

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        raise NotSupportedError("Queries over DynamoDB have no SQL; explain() says how one is answered.")


class SQLCompiler(_Compiler):
    def execute_sql(
        self,
        result_type: str = MULTI,
        chunked_fetch: bool = False,
        chunk_size: int = GET_ITERATOR_CHUNK_SIZE,
    ) -> Any:
        """MULTI: chunks of rows; SINGLE: a row or None; ROW_COUNT: a number."""
        try:
            rows = self.rows()
        except EmptyResultSet:
            rows = iter(())
        if result_type == SINGLE:
            return next(rows, None)
        if result_type == ROW_COUNT:
            return sum(1 for _ in rows)
        if result_type in {NO_RESULTS, None}:
            return None
        if result_type == CURSOR:
            raise NotSupportedError("There are no cursors on DynamoDB.")
        chunks = iter(lambda: list(islice(rows, chunk_size)), [])
        return chunks if chunked_fetch else list(chunks)

    def explain_query(self) -> Iterator[str]:
        """The plan, and what of the query is done after it."""
        asked: Any = self.query.explain_info
        if asked.format or asked.options:
            raise NotSupportedError("explain() over DynamoDB takes no format and no options.")
        self._prepare()
        wanted = self.predicate()
        chosen = self.plan(wanted, self._order())
        yield str(chosen)
        if self._ordering and not self._is_served(chosen):
            yield "Sort in Python, after reading everything that matches"

    def rows(self) -> Iterator[Row]:
        """Rows of the SELECT list, ordered and sliced."""
        self._prepare()
        if self._aggregates():
            return iter([self._summary_row()])
        wanted = self.predicate()
        selected = [*self.select, *self._extra_select]
        columns = [operand(expression, self.connection) for expression, *_ in selected]
        low, high = self.query.low_mark, self.query.high_mark
        ordered = self._ordered(wanted, high)
        rows: Iterator[Row] = (tuple(column.value(item) for column in columns) for item in ordered)
        if self.query.distinct:
            rows = iter(dict.fromkeys(rows))
        return (row[: self.col_count] for row in islice(rows, low, high))

    # Preparing

    def _prepare(self) -> None:
        self._refuse()
        # What a distinct query is ordered by counts for what is distinct, as in SQL.
        self._extra_select, order_by, _ = self.pre_sql_setup()
        self.refuse_joins()
        self._ordering: list[Any] = [expression for expression, _ in order_by]
        if self.query.where.contains_aggregate:
            raise NotSupportedError(
                f"Filters by aggregates are not supported on DynamoDB: {self.query.where!r}."
            )

    def _refuse(self) -> None:
        query = self.query
        refused = {
            "select_for_update(), nor update_or_create() which uses it: use get_or_create() and a "
            "conditional update()": query.select_for_update,
            "extra(): use annotate() and filter()": query.extra or query.extra_tables,
            f"{query.combinator}(): evaluate both querysets and join them in Python": query.combinator,
            "distinct() on fields: remove duplicates in Python": query.distinct_fields,
            "GROUP BY (values().annotate()): count each value by filter().count()": query.group_by
            is not None,
        }
        for construct, is_used in refused.items():
            if is_used:
                raise NotSupportedError(f"DynamoDB does not support {construct}.")

    def _aggregates(self) -> bool:
        return any(expression.contains_aggregate for expression, *_ in self.select)

    # Ordering

    def _order(self) -> Order | None:
        if not self._ordering or self.query.distinct:
            return None
        first = self._ordering[0]
        column = operand(first, self.connection).column if not isinstance(first.expression, Random) else None
        return None if column is None else Order(column, first.descending)

    def _is_served(self, chosen: Plan) -> bool:
        return getattr(chosen, "order", None) is not None

    def _ordered(self, wanted: Predicate, high: int | None) -> Iterator[Item]:
        order = self._order()
        chosen = self.plan(wanted, order)
        if not self._ordering:
            return self.matching(wanted, chosen, None if self.query.distinct else high)
        if order is None or not self._is_served(chosen):
            return iter(self._sorted(list(self.matching(wanted, chosen)), self._ordering))
        # Where a tie ends is seen from the item after it.
        limit = high + 1 if high is not None and len(self._ordering) > 1 else high
        return self._ties_sorted(order, self.matching(wanted, chosen, limit))

    def _ties_sorted(self, order: Order, items: Iterator[Item]) -> Iterator[Item]:
        """The index orders by one column; the others matter only among items that are equal in it."""
        if len(self._ordering) == 1:
            yield from items
            return
        for _, tied in groupby(items, key=order.attribute.read):
            yield from self._sorted(list(tied), self._ordering[1:])

    def _sorted(self, items: list[Item], ordering: list[OrderBy]) -> list[Item]:
        if any(isinstance(one.expression, Random) for one in ordering):
            return random.sample(items, len(items))
        for one in reversed(ordering):
            items = sorted(items, key=cmp_to_key(_comparing(one, operand(one, self.connection))))
        return items

    # Aggregating

    def _summary_row(self) -> Row:
        counted = all(_counts_rows(expression) for expression, *_ in self.select)
        wanted = self.predicate()
        items = list(self.matching(wanted, self.plan(wanted), counted=counted))
        return tuple(Summary(expression, self.connection).over(items) for expression, *_ in self.select)


def _counts_rows(expression: Any) -> bool:
    """Whether it is COUNT(*), which asks nothing of the rows but that they are there."""
    return (
        isinstance(expression, Count)
        and expression.filter is None
        and isinstance(expression.get_source_expressions()[0], Star)
    )


def _comparing(ordering: OrderBy, column: Operand) -> Callable[[Item, Item], int]:
    """NULLs come first, as on SQLite, unless the ordering says otherwise."""
    sign = -1 if ordering.descending else 1
    null_sign = -1 if ordering.nulls_first else 1 if ordering.nulls_last else -sign

    def compare(one: Item, other: Item) -> int:
        left, right = column.value(one), column.value(other)
        if left is None or right is None:
            return null_sign * ((left is None) - (right is None))
        return sign * ((left > right) - (left < right))

    return compare


class SQLAggregateCompiler(SQLCompiler):
    """Aggregates over a query that is sliced, distinct or annotated."""

    def rows(self) -> Iterator[Row]:
        inner_query = self.query.inner_query
        inner = inner_query.get_compiler(self.using, elide_empty=self.elide_empty)
        try:
            rows = list(inner.rows())
        except EmptyResultSet:
            rows = []
        self.col_count = len(self.query.annotation_select)
        positions = {alias: position for position, (*_, alias) in enumerate(inner.select) if alias}
        positions |= inner.annotation_col_map or {}
        return iter(
            [
                tuple(
                    Summary(expression, self.connection, positions).over(rows)
                    for expression in self.query.annotation_select.values()
                )
            ]
        )


class SQLInsertCompiler(_Compiler, django_compiler.SQLInsertCompiler):
    def execute_sql(self, returning_fields: Any = None) -> list[Row]:
        """One conditional put an object: what is there is never overwritten."""
        if self.query.on_conflict is OnConflict.UPDATE:
            raise NotSupportedError(
                "bulk_create(update_conflicts=True) is not supported on DynamoDB. "
                "Use get_or_create() and update()."
            )
        self.refuse_joins()
        ids = self._ids()
        returned = []
        for position, obj in enumerate(self.query.objs):
            values = self._values(obj, ids)
            try:
                writes.insert(self.table, values)
            except IntegrityError as error:
                if self.query.on_conflict is not None:
                    continue
                if position:
                    error.add_note(f"The {position} objects before it are written.")
                raise
            returned.append(tuple(values.get(attribute_of(field)) for field in returning_fields or ()))
        columns = [field.get_col(self.model._meta.db_table) for field in returning_fields or ()]
        converters = self.get_converters(columns)
        rows: Any = self.apply_converters(returned, converters) if converters else returned
        return list(rows)

    def _ids(self) -> Iterator[int]:
        """Ids for a key that counts up, where the objects bring none."""
        pk = self.model._meta.pk
        if not isinstance(pk, AutoField) or pk in self.query.fields:
            return iter(())
        return iter(next_values(self.connection, self.model._meta.db_table, len(self.query.objs)))

    def _values(self, obj: Any, ids: Iterator[int]) -> dict[Attribute, Any]:
        values = {
            attribute_of(field): self._constant(
                field, self.prepare_value(field, self.pre_save_val(field, obj))
            )
            for field in self.query.fields
        }
        key = self.table.key
        if key not in values:
            values[key] = next(ids, None)
        if values[key] is None:
            raise IntegrityError(f"{self.table.name}: {key.name}, the primary key, may not be null.")
        for field in self.model._meta.local_concrete_fields:
            if not field.null and values.get(attribute_of(field)) is None:
                raise IntegrityError(f"{self.table.name}: {field.column} may not be null.")
        return values

    def _constant(self, field: Any, value: Any) -> Any:
        if not hasattr(value, "resolve_expression"):
            return value
        return operand(value, self.connection).value({})


class SQLDeleteCompiler(_Compiler, django_compiler.SQLDeleteCompiler):
    def execute_sql(self, result_type: str, **_: Any) -> int:
        self.query.get_initial_alias()
        self.refuse_joins()
        wanted = self.predicate()
        return writes.delete(self.table, _keys(self, wanted), wanted)


class SQLUpdateCompiler(_Compiler, django_compiler.SQLUpdateCompiler):
    def execute_sql(self, result_type: str) -> int:
        self.query.get_initial_alias()
        self.refuse_joins()
        if self.query.related_updates:
            raise NotSupportedError(
                "An update of a parent model's fields takes a join. Update that model itself."
            )
        wanted = self.predicate()
        changes = [self._change(*value) for value in self.query.values]
        return writes.update(self.table, _keys(self, wanted), wanted, changes) if changes else 0

    def _change(self, field: Any, model: Any, value: Any) -> writes.Change:
        if field.primary_key:
            raise NotSupportedError(
                "DynamoDB can't change a primary key. Create a new object, delete the old."
            )
        attribute = attribute_of(field)
        if not hasattr(value, "resolve_expression"):
            if hasattr(value, "prepare_database_save"):
                value = value.prepare_database_save(field)
            return writes.Change(
                attribute, self._checked(field, field.get_db_prep_save(value, self.connection))
            )
        value = value.resolve_expression(self.query, allow_joins=False, for_save=True)
        if value.contains_aggregate or value.contains_over_clause:
            raise NotSupportedError(f"An update can't compute {value!r}: it is about several rows.")
        if (amount := _amount(field, attribute, value)) is not None:
            return writes.Change(attribute, amount=amount)
        computed = operand(value, self.connection)
        if not computed.depends_on:
            return writes.Change(attribute, self._checked(field, computed.value({})))
        return writes.Change(
            attribute,
            compute=lambda item: self._checked(field, computed.value(item)),
            depends_on=computed.depends_on,
        )

    def _checked(self, field: Any, value: Any) -> Any:
        """The constraints that a table in SQL would hold an update to."""
        if value is None and not field.null:
            raise IntegrityError(f"{self.table.name}: {field.column} may not be null.")
        if value is not None and field.get_internal_type().startswith("Positive") and value < 0:
            raise IntegrityError(f"{self.table.name}: {field.column} may not be negative; found {value}.")
        return value


def _keys(compiler: _Compiler, wanted: Predicate) -> Iterator[Any]:
    """Keys of the rows to write; those that the query names itself need not be read first."""
    chosen = compiler.plan(wanted)
    if isinstance(chosen, Lookup):
        return iter(chosen.values)
    key = compiler.table.key
    # All of them before the first write, which might move an item within the index that is being read.
    return iter([key.read(item) for item in compiler.matching(wanted, chosen)])


def _amount(field: Any, attribute: Attribute, value: Any) -> int | None:
    """Of `F(field) + 3` the 3, where DynamoDB's own addition does just that."""
    if not isinstance(value, CombinedExpression) or value.connector != "+" or attribute.missing is None:
        return None
    added = value.rhs.value if isinstance(value.rhs, Value) else None
    left = getattr(value.lhs, "target", None)
    is_integer = field.get_internal_type().endswith("IntegerField")
    return added if left is field and is_integer and type(added) is int and added >= 0 else None

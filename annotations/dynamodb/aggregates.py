"""Count, Min, Max, Sum and Avg, computed over the rows that a query finds."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterable
from typing import Any, cast

from django.db.models import Avg, Count, Max, Min, Sum
from django.db.models.aggregates import Aggregate
from django.db.models.expressions import Expression, Ref, Star, Value

from annotations.dynamodb.expressions import Operand, not_computable, operand


def _average(values: list[Any]) -> Any:
    total = sum(values, start=values[0] - values[0])
    exact = isinstance(total, decimal.Decimal | datetime.timedelta)
    return total / len(values) if exact else float(total) / len(values)


def _sum(values: list[Any]) -> Any:
    return sum(values[1:], start=values[0])


SUMMARIES: dict[type[Aggregate], Callable[[list[Any]], Any]] = {
    Count: len,
    Min: min,
    Max: max,
    Sum: _sum,
    Avg: _average,
}


class _Known(Value):
    """A value in the form in which it is kept."""


@operand.register
def _known(expression: _Known, connection: Any) -> Operand:
    return Operand(lambda item: expression.value)


class Summary:
    """One annotation of an aggregation: an aggregate, or an expression of aggregates."""

    def __init__(self, expression: Any, connection: Any, references: dict[str, int] | None = None) -> None:
        """`references`: positions of the columns when rows are those of an inner query."""
        self.connection = connection
        self.references = references
        self.expression = expression

    def over(self, rows: list[Any]) -> Any:
        return self._value(self.expression, rows)

    def _value(self, expression: Any, rows: list[Any]) -> Any:
        if isinstance(expression, Aggregate):
            return self._aggregate(expression, rows)
        if isinstance(expression, Ref):
            return self._value(expression.source, rows)
        if isinstance(expression, Expression) and expression.contains_aggregate:
            inner = expression.copy()
            sources: list[Any] = expression.get_source_expressions()
            inner.set_source_expressions([_Known(self._value(source, rows)) for source in sources])
            return operand(inner, self.connection).value({})
        return operand(expression, self.connection).value({})

    def _aggregate(self, aggregate: Any, rows: list[Any]) -> Any:
        summarize = next((SUMMARIES[base] for base in type(aggregate).__mro__ if base in SUMMARIES), None)
        if summarize is None:
            raise not_computable(aggregate)
        if aggregate.filter is not None:
            chosen = self._operand(aggregate.filter)
            rows = [row for row in rows if chosen.value(row)]
        source = aggregate.get_source_expressions()[0]
        if isinstance(source, Star):
            return len(rows)
        one = self._operand(source)
        values: Iterable[Any] = [value for row in rows if (value := one.value(row)) is not None]
        if aggregate.distinct:
            values = list(dict.fromkeys(values))
        return summarize(list(values)) if values or summarize is len else None

    def _operand(self, expression: Any) -> Operand:
        if self.references is None:
            return operand(expression, self.connection)
        if isinstance(expression, Ref):
            position = self.references[expression.refs]
            return Operand(lambda row: cast(Any, row)[position])
        if not expression.get_source_expressions():
            return operand(expression, self.connection)
        raise not_computable(expression)

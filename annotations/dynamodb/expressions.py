"""Expressions of a query (F, Value, arithmetic, functions, Case), computed in Python from an item."""

from __future__ import annotations

import datetime
import decimal
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any
from zoneinfo import ZoneInfo

from django.db import NotSupportedError
from django.db.models import expressions as django_expressions
from django.db.models import functions
from django.db.models.aggregates import Aggregate
from django.db.models.lookups import Lookup, Transform
from django.db.models.sql.where import WhereNode
from django.utils import timezone

from annotations.dynamodb.attributes import Attribute, Item, attribute_of


@dataclass(frozen=True)
class Operand:
    """A value that depends on an item. `column` is set where it is just a column's."""

    value: Callable[[Item], Any]
    depends_on: frozenset[Attribute] = frozenset()
    column: Attribute | None = None


@singledispatch
def operand(expression: Any, connection: Any) -> Operand:
    """Raises NotSupportedError for what can't be computed from one item."""
    raise not_computable(expression)


def not_computable(expression: Any) -> NotSupportedError:
    name = expression.__class__.__name__
    return NotSupportedError(
        f"{name} can't be computed over DynamoDB: {expression!r}. "
        "Fetch the rows and compute it in Python, or keep the value in a field of its own."
    )


@operand.register
def _column(expression: django_expressions.Col, connection: Any) -> Operand:
    attribute = attribute_of(expression.target)
    return Operand(attribute.read, frozenset((attribute,)), attribute)


@operand.register
def _reference(expression: django_expressions.Ref, connection: Any) -> Operand:
    return operand(expression.source, connection)


@operand.register
def _value(expression: django_expressions.Value, connection: Any) -> Operand:
    value = expression.value
    field = expression._output_field_or_none
    if field is not None and value is not None:
        prepare = field.get_db_prep_save if expression.for_save else field.get_db_prep_value
        value = prepare(value, connection=connection)
    return Operand(lambda item: value)


@operand.register(django_expressions.ExpressionWrapper)
def _wrapped(expression: django_expressions.ExpressionWrapper, connection: Any) -> Operand:
    return operand(expression.expression, connection)


@operand.register
def _ordered(expression: django_expressions.OrderBy, connection: Any) -> Operand:
    return operand(expression.expression, connection)


@operand.register
def _condition(expression: WhereNode, connection: Any) -> Operand:
    from annotations.dynamodb.lookups import predicate

    outcome = predicate(expression, connection)
    return Operand(outcome.holds, outcome.attributes())


@operand.register
def _lookup(expression: Lookup, connection: Any) -> Operand:
    from annotations.dynamodb.lookups import predicate

    outcome = predicate(expression, connection)
    return Operand(outcome.holds, outcome.attributes())


def computed(function: Callable[..., Any], operands: list[Operand], *, takes_null: bool = False) -> Operand:
    """`function` of the operands' values; NULL if one of them is, unless the function takes NULL."""

    def value(item: Item) -> Any:
        values = [one.value(item) for one in operands]
        return None if None in values and not takes_null else function(*values)

    return Operand(value, frozenset().union(*(one.depends_on for one in operands)))


# Arithmetic


def _divided(left: Any, right: Any) -> Any:
    """As in SQL: of integers an integer, cut towards zero; by zero NULL, as on SQLite."""
    if not right:
        return None
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    if not right:
        return None
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%%": _remainder,
    "^": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "#": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
}


@operand.register
def _combined(expression: django_expressions.CombinedExpression, connection: Any) -> Operand:
    calculate = ARITHMETIC.get(expression.connector)
    if calculate is None:
        raise not_computable(expression)

    def calculated(left: Any, right: Any) -> Any:
        if isinstance(left, float) and isinstance(right, decimal.Decimal):
            right = float(right)
        elif isinstance(left, decimal.Decimal) and isinstance(right, float):
            left = float(left)
        elif isinstance(right, datetime.timedelta) and type(left) is datetime.date:
            left = datetime.datetime.combine(left, datetime.time())
        try:
            return calculate(left, right)
        except TypeError as error:
            raise NotSupportedError(f"{expression!r} can't be computed over DynamoDB: {error}.") from error

    return computed(calculated, [operand(side, connection) for side in (expression.lhs, expression.rhs)])


@operand.register
def _negated(expression: django_expressions.NegatedExpression, connection: Any) -> Operand:
    return computed(operator.not_, [operand(expression.expression, connection)])


@operand.register
def _case(expression: django_expressions.Case, connection: Any) -> Operand:
    cases = [
        (operand(case.condition, connection), operand(case.result, connection)) for case in expression.cases
    ]
    default = operand(expression.default, connection)

    def value(item: Item) -> Any:
        for condition, result in cases:
            if condition.value(item):
                return result.value(item)
        return default.value(item)

    operands = [one for case in cases for one in case] + [default]
    return Operand(value, frozenset().union(*(one.depends_on for one in operands)))


# Functions


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


FUNCTIONS: dict[type[Any], Callable[..., Any]] = {
    functions.Lower: lambda value: _text(value).lower(),
    functions.Upper: lambda value: _text(value).upper(),
    functions.Length: lambda value: len(_text(value)),
    functions.Trim: lambda value: _text(value).strip(" "),
    functions.LTrim: lambda value: _text(value).lstrip(" "),
    functions.RTrim: lambda value: _text(value).rstrip(" "),
    functions.Replace: lambda value, old, new: value.replace(old, new) if old else value,
    functions.Reverse: lambda value: value[::-1],
    functions.Abs: abs,
}


@operand.register
def _function(expression: django_expressions.Func, connection: Any) -> Operand:
    function = next((FUNCTIONS[base] for base in type(expression).__mro__ if base in FUNCTIONS), None)
    if function is None or isinstance(expression, Aggregate):
        raise not_computable(expression)
    return computed(function, [operand(source, connection) for source in expression.get_source_expressions()])


@operand.register
def _coalesce(expression: functions.Coalesce, connection: Any) -> Operand:
    operands = [operand(source, connection) for source in expression.get_source_expressions()]
    return computed(
        lambda *values: next((value for value in values if value is not None), None),
        operands,
        takes_null=True,
    )


@operand.register
def _joined(expression: functions.ConcatPair, connection: Any) -> Operand:
    operands = [operand(source, connection) for source in expression.get_source_expressions()]
    # As Django has it on every database: NULL joins as nothing.
    return computed(
        lambda *values: "".join(_text(value) for value in values if value is not None),
        operands,
        takes_null=True,
    )


@operand.register
def _concat(expression: functions.Concat, connection: Any) -> Operand:
    return operand(expression.get_source_expressions()[0], connection)


@operand.register
def _now(expression: functions.Now, connection: Any) -> Operand:
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    return Operand(lambda item: now)


PARTS: dict[str, Callable[[Any], Any]] = {
    "year": lambda moment: moment.year,
    "iso_year": lambda moment: moment.isocalendar().year,
    "month": lambda moment: moment.month,
    "day": lambda moment: moment.day,
    "quarter": lambda moment: (moment.month + 2) // 3,
    "week": lambda moment: moment.isocalendar().week,
    "week_day": lambda moment: moment.isoweekday() % 7 + 1,
    "iso_week_day": lambda moment: moment.isoweekday(),
    "hour": lambda moment: moment.hour,
    "minute": lambda moment: moment.minute,
    "second": lambda moment: moment.second,
}


@operand.register
def _extract(expression: functions.Extract, connection: Any) -> Operand:
    part = PARTS.get(expression.lookup_name or "")
    if part is None:
        raise not_computable(expression)
    local = _local(expression, connection)
    return computed(lambda value: part(local(value)), [operand(expression.lhs, connection)])


LENGTHS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")


@operand.register
def _truncated(expression: functions.datetime.TruncBase, connection: Any) -> Operand:
    kind = expression.kind
    if kind not in LENGTHS:
        raise not_computable(expression)
    local = _local(expression, connection)
    return computed(lambda value: _truncate(local(value), kind), [operand(expression.lhs, connection)])


def _truncate(value: Any, kind: str) -> Any:
    smaller = LENGTHS[LENGTHS.index(kind) + 1 :]
    if kind == "week":
        value -= datetime.timedelta(days=value.weekday())
    zeros = {"hour": 0, "minute": 0, "second": 0, "month": 1, "day": 1}
    changes = {name: zeros[name] for name in smaller if name in zeros and hasattr(value, name)}
    if kind == "quarter":
        changes["month"] = (value.month - 1) // 3 * 3 + 1
    if kind == "week":
        changes.pop("day", None)
    if hasattr(value, "microsecond"):
        changes["microsecond"] = 0
    return value.replace(**changes)


@operand.register
def _date(expression: functions.TruncDate, connection: Any) -> Operand:
    local = _local(expression, connection)
    return computed(lambda value: local(value).date(), [operand(expression.lhs, connection)])


@operand.register
def _time(expression: functions.TruncTime, connection: Any) -> Operand:
    local = _local(expression, connection)
    return computed(lambda value: local(value).time(), [operand(expression.lhs, connection)])


def _local(expression: Any, connection: Any) -> Callable[[Any], Any]:
    """Moments are kept in UTC; their days and hours are those of the current time zone."""
    name = expression.get_tzname()
    if name is None:
        return lambda value: value
    zone = ZoneInfo(name) if isinstance(name, str) else timezone.get_current_timezone()
    return lambda value: (
        value.replace(tzinfo=datetime.UTC).astimezone(zone).replace(tzinfo=None)
        if isinstance(value, datetime.datetime)
        else value
    )


@operand.register
def _transform(expression: Transform, connection: Any) -> Operand:
    return _function(expression, connection)

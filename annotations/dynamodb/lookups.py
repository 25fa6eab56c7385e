"""A query's WHERE as a predicate: each lookup (`field__lt=3`), joined by AND, OR and NOT."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from functools import partial, singledispatch
from typing import Any

from django.db import NotSupportedError
from django.db.models import lookups as django_lookups
from django.db.models.expressions import BaseExpression, ExpressionList
from django.db.models.fields.json import HasKeyLookup, JSONExact, KeyTransform
from django.db.models.fields.tuple_lookups import TupleIn
from django.db.models.sql.query import Query
from django.db.models.sql.where import AND, OR, ExtraWhere, NothingNode, WhereNode

from annotations.dynamodb.attributes import TEXT, Item
from annotations.dynamodb.expressions import Operand, operand
from annotations.dynamodb.predicates import (
    NEVER,
    OPERATORS,
    UNKNOWN,
    Comparison,
    Computed,
    Membership,
    Part,
    Predicate,
    all_of,
    any_of,
    presence,
)


@singledispatch
def predicate(node: Any, connection: Any) -> Predicate:
    """Raises NotSupportedError for what can't be judged from one item."""
    is_lookup = isinstance(node, django_lookups.Lookup)
    if isinstance(node, BaseExpression) and not is_lookup and getattr(node, "conditional", False):
        return _truth(operand(node, connection))
    raise NotSupportedError(
        f"{node.__class__.__name__} can't be a condition over DynamoDB: {node!r}. "
        "Filter by the model's own fields, and do the rest in Python."
    )


@predicate.register
def _where(node: WhereNode, connection: Any) -> Predicate:
    children = [predicate(child, connection) for child in node.children]
    if node.connector == AND:
        joined = all_of(children)
    elif node.connector == OR:
        joined = any_of(children) if children else all_of([])
    else:
        joined = _odd(children)
    return joined.negated() if node.negated else joined


@predicate.register
def _nothing(node: NothingNode, connection: Any) -> Predicate:
    return NEVER


@predicate.register
def _extra(node: ExtraWhere, connection: Any) -> Predicate:
    raise NotSupportedError("DynamoDB does not support extra(): use annotate() and filter().")


def _truth(value: Operand) -> Predicate:
    def judge(item: Item) -> bool | None:
        found = value.value(item)
        return None if found is None else bool(found)

    return Computed(judge, value.depends_on)


def _odd(children: list[Predicate]) -> Predicate:
    """Q ^ Q: an odd number of them is true. Django counts the unknown as not true, on every database."""

    def judge(item: Item) -> bool:
        return sum(child.holds(item) is True for child in children) % 2 == 1

    return Computed(judge, frozenset().union(*(child.attributes() for child in children)))


def _left(lookup: Any, connection: Any) -> Operand:
    if lookup.bilateral_transforms:
        raise NotSupportedError(
            f"Transforms of both sides are not supported on DynamoDB: {lookup!r}. Compare in Python."
        )
    return operand(lookup.lhs, connection)


def _refuse_subquery(value: Any) -> None:
    if isinstance(value, Query) or hasattr(value, "query"):
        raise NotSupportedError(
            "Subqueries are not supported on DynamoDB. Evaluate the inner queryset first, pass its values: "
            "filter(pk__in=list(queryset.values_list('pk', flat=True)))."
        )


def _given(lookup: Any) -> Any:
    """The values of an `in` or `range`, among which may be expressions."""
    _refuse_subquery(lookup.rhs)
    is_list = isinstance(lookup.rhs, ExpressionList)
    return lookup.rhs.get_source_expressions() if is_list else lookup.rhs


def _is_expression(value: Any) -> bool:
    _refuse_subquery(value)
    return hasattr(value, "resolve_expression")


def _prepared(lookup: Any, value: Any, connection: Any) -> Any:
    """A single value as the field keeps it."""
    prepared = lookup.get_db_prep_lookup(value, connection)[1]
    return prepared[0] if len(prepared) == 1 else prepared


def _right(lookup: Any, value: Any, connection: Any) -> Operand:
    if _is_expression(value):
        return operand(value, connection)
    prepared = _prepared(lookup, value, connection)
    return Operand(lambda item: prepared)


def _compared(left: Operand, symbol: str, right: Operand) -> Predicate:
    compare = OPERATORS[symbol]

    def judge(item: Item) -> bool | None:
        one, other = left.value(item), right.value(item)
        return None if one is None or other is None else compare(*_alike(one, other))

    return Computed(judge, left.depends_on | right.depends_on)


def _alike(one: Any, other: Any) -> tuple[Any, Any]:
    """A date and a moment can be compared in SQL, and not in Python."""
    if isinstance(one, datetime.date) and isinstance(other, datetime.date) and type(one) is not type(other):
        one, other = (
            side if isinstance(side, datetime.datetime) else datetime.datetime.combine(side, datetime.time())
            for side in (one, other)
        )
    return one, other


def _comparison(lookup: Any, connection: Any, symbol: str) -> Predicate:
    left = _left(lookup, connection)
    if _is_expression(lookup.rhs):
        return _compared(left, symbol, operand(lookup.rhs, connection))
    value = _prepared(lookup, lookup.rhs, connection)
    if value is None:
        return UNKNOWN
    if left.column is not None:
        return Comparison(left.column, symbol, value)
    return _compared(left, symbol, Operand(lambda item: value))


COMPARISONS: dict[type[Any], str] = {
    django_lookups.Exact: "=",
    django_lookups.LessThan: "<",
    django_lookups.LessThanOrEqual: "<=",
    django_lookups.GreaterThan: ">",
    django_lookups.GreaterThanOrEqual: ">=",
}
for _lookup, _symbol in COMPARISONS.items():
    predicate.register(_lookup, partial(_comparison, symbol=_symbol))


@predicate.register(django_lookups.In)
def _in(lookup: Any, connection: Any) -> Predicate:
    left = _left(lookup, connection)
    given = _given(lookup)
    constants = [value for value in given if not _is_expression(value) and value is not None]
    expressions = [value for value in given if _is_expression(value)]
    parts = [_compared(left, "=", operand(value, connection)) for value in expressions]
    if constants:
        values = frozenset(lookup.get_db_prep_lookup(constants, connection)[1])
        if left.column is not None:
            parts.append(Membership(left.column, values))
        else:
            parts.append(_of_value(left, lambda value: value in values))
    return any_of(parts)


@predicate.register
def _tuple_in(lookup: TupleIn, connection: Any) -> Predicate:
    """How Django asks for related objects. A foreign key has one column, so each tuple has one value."""
    _refuse_subquery(lookup.rhs)
    columns = [operand(column, connection).column for column in lookup.lhs]
    if len(columns) > 1 or columns[0] is None:
        raise NotSupportedError(
            "Lookups of several columns at once are not supported on DynamoDB. Join them by Q."
        )
    (source,) = lookup.lhs.sources
    values = [source.get_db_prep_value(value, connection) for (value,) in lookup.rhs if value is not None]
    return Membership(columns[0], frozenset(values)) if values else NEVER


@predicate.register(django_lookups.Range)
def _range(lookup: Any, connection: Any) -> Predicate:
    left = _left(lookup, connection)
    given = _given(lookup)
    if any(_is_expression(value) for value in given):
        low, high = (_end(lookup, value, connection) for value in given)
        return all_of([_compared(left, ">=", low), _compared(left, "<=", high)])
    values = lookup.get_db_prep_lookup(lookup.rhs, connection)[1]
    if None in values:
        return UNKNOWN
    if left.column is not None:
        return all_of([Comparison(left.column, ">=", values[0]), Comparison(left.column, "<=", values[1])])
    return _of_value(left, lambda value: values[0] <= value <= values[1])


def _end(lookup: Any, value: Any, connection: Any) -> Operand:
    if _is_expression(value):
        return operand(value, connection)
    (prepared,) = lookup.get_db_prep_lookup([value], connection)[1]
    return Operand(lambda item: prepared)


@predicate.register
def _is_null(lookup: django_lookups.IsNull, connection: Any) -> Predicate:
    if not isinstance(lookup.rhs, bool):
        raise ValueError("The QuerySet value for an isnull lookup must be True or False.")  # noqa: TRY004  as Django
    left = _left(lookup, connection)
    if left.column is not None:
        return presence(left.column, is_null=lookup.rhs)
    return Computed(lambda item: (left.value(item) is None) == lookup.rhs, left.depends_on)


@predicate.register
def _year(lookup: django_lookups.YearLookup, connection: Any) -> Predicate:
    symbol = next(COMPARISONS[base] for base in type(lookup).__mro__ if base in COMPARISONS)
    return _compared(_left(lookup, connection), symbol, _right(lookup, lookup.rhs, connection))


def _of_value(left: Operand, judge: Callable[[Any], bool]) -> Predicate:
    def judged(item: Item) -> bool | None:
        value = left.value(item)
        return None if value is None else judge(value)

    return Computed(judged, left.depends_on)


def _pattern(lookup: Any, connection: Any, judge: Callable[[str, str], bool], function: str) -> Predicate:
    left = _left(lookup, connection)
    if _is_expression(lookup.rhs):
        right = operand(lookup.rhs, connection)

        def judged(item: Item) -> bool | None:
            value, wanted = left.value(item), right.value(item)
            return None if value is None or wanted is None else judge(str(value), str(wanted))

        return Computed(judged, left.depends_on | right.depends_on)
    if lookup.rhs is None:
        return UNKNOWN
    text = str(lookup.rhs)
    if left.column is not None and left.column.kind is TEXT:
        if not text and function:
            return any_of([presence(left.column, is_null=False), UNKNOWN])
        if function:
            return Part(left.column, function, text)
    return _of_value(left, lambda value: judge(str(value), text))


def _ignoring_case(judge: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    return lambda value, wanted: judge(value.lower(), wanted.lower())


PATTERNS: dict[type[Any], Callable[[str, str], bool]] = {
    django_lookups.Contains: str.__contains__,
    django_lookups.StartsWith: str.startswith,
    django_lookups.EndsWith: str.endswith,
    django_lookups.IContains: _ignoring_case(str.__contains__),
    django_lookups.IStartsWith: _ignoring_case(str.startswith),
    django_lookups.IEndsWith: _ignoring_case(str.endswith),
    django_lookups.IExact: _ignoring_case(str.__eq__),
    django_lookups.Regex: lambda value, wanted: re.search(wanted, value) is not None,
    django_lookups.IRegex: lambda value, wanted: re.search(wanted, value, re.IGNORECASE) is not None,
}
# Those that DynamoDB has too.
FUNCTIONS = {django_lookups.Contains: "contains", django_lookups.StartsWith: "begins_with"}
for _lookup, _judge in PATTERNS.items():
    predicate.register(_lookup, partial(_pattern, judge=_judge, function=FUNCTIONS.get(_lookup, "")))


@predicate.register(JSONExact)
@predicate.register(HasKeyLookup)
def _json(lookup: Any, connection: Any) -> Predicate:
    raise NotSupportedError(
        f"Lookups into JSON are not supported on DynamoDB: {lookup!r}. "
        "Keep what you filter by in a field of its own."
    )


@operand.register
def _json_key(expression: KeyTransform, connection: Any) -> Operand:
    raise NotSupportedError(
        f"Lookups into JSON are not supported on DynamoDB: {expression!r}. "
        "Keep what you filter by in a field of its own."
    )

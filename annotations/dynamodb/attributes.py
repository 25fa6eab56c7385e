"""Values of model fields as attributes of DynamoDB's items, and back.

NULL is an attribute that isn't there. DynamoDB has no columns to add a default to, so the reverse is defined
too: where a field can't be NULL and an item lacks its attribute, the item has the field's constant default
(`Attribute.missing`). That holds for reading, filters, conditions and arithmetic alike.
"""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import DataError, NotSupportedError
from django.db.models import Field
from django.db.models.fields import NOT_PROVIDED

AttributeValue = dict[str, Any]
Item = Mapping[str, AttributeValue]

EPOCH = datetime.datetime(1970, 1, 1)  # moments are kept as naive UTC, as on SQLite
MICROSECOND = datetime.timedelta(microseconds=1)
# "Numbers can have up to 38 digits of precision"; a value beyond is refused instead of rounded.
NUMBERS = decimal.Context(prec=38, traps=[decimal.Inexact, decimal.Overflow, decimal.InvalidOperation])


@dataclass(frozen=True)
class Kind:
    """How one kind of value is kept. `code` is DynamoDB's type: S, N, B or BOOL."""

    code: str
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def _number(value: Any) -> str:
    try:
        number = NUMBERS.create_decimal(repr(value) if isinstance(value, float) else value)
    except decimal.DecimalException:
        raise DataError(
            f"{value!r} can't be kept: DynamoDB's numbers are finite, of up to 38 digits."
        ) from None
    if not number:
        return "0"
    if not -130 <= number.adjusted() <= 125:
        raise DataError(f"{value!r} can't be kept: DynamoDB's numbers reach from 1E-130 to 9.99E+125.")
    return format(number, "f") if -40 < number.adjusted() < 40 else str(number)


def _integer(text: str) -> int:
    return int(decimal.Decimal(text))


def _epoch_seconds(moment: datetime.datetime) -> str:
    return _number(decimal.Decimal((moment - EPOCH) // MICROSECOND).scaleb(-6))


def _moment(text: str) -> datetime.datetime:
    return EPOCH + int(decimal.Decimal(text).scaleb(6)) * MICROSECOND


TEXT = Kind("S", str, str)
INTEGER = Kind("N", _number, _integer)
FLOAT = Kind("N", lambda value: _number(float(value)), float)
DECIMAL = Kind("N", _number, decimal.Decimal)
BOOLEAN = Kind("BOOL", bool, bool)
BINARY = Kind("B", bytes, bytes)
UUID = Kind("S", str, uuid.UUID)
# Epoch seconds, as the tables of existing deployments and DynamoDB's expiry have them.
MOMENT = Kind("N", _epoch_seconds, _moment)
DATE = Kind("S", lambda value: value.isoformat(), datetime.date.fromisoformat)
TIME = Kind("S", lambda value: value.isoformat("microseconds"), datetime.time.fromisoformat)
DURATION = Kind("N", lambda value: _number(value // MICROSECOND), lambda text: _integer(text) * MICROSECOND)

KINDS = {
    **dict.fromkeys(
        (
            "CharField", "TextField", "SlugField", "FileField", "FilePathField", "GenericIPAddressField",
            "IPAddressField", "JSONField",
        ),
        TEXT,
    ),
    **dict.fromkeys(
        (
            "AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField",
            "SmallIntegerField",
            "PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField",
        ),
        INTEGER,
    ),
    "FloatField": FLOAT,
    "DecimalField": DECIMAL,
    "BooleanField": BOOLEAN,
    "BinaryField": BINARY,
    "UUIDField": UUID,
    "DateTimeField": MOMENT,
    "DateField": DATE,
    "TimeField": TIME,
    "DurationField": DURATION,
}  # fmt: skip


@dataclass(frozen=True)
class Attribute:
    """One column. `missing` is the value of an item that has no such attribute."""

    name: str
    kind: Kind
    missing: Any = None

    def read(self, item: Item) -> Any:
        """The value as Django's field converters expect it. Raises DataError for another type of value."""
        stored = item.get(self.name)
        if stored is None or "NULL" in stored:
            return self.missing
        try:
            return self.kind.decode(stored[self.kind.code])
        except (KeyError, ValueError, ArithmeticError):
            raise DataError(
                f"Attribute {self.name} holds {stored}; expected a value of type {self.kind.code} "
                "that its field can read. Mend the item, or give the model's field another type."
            ) from None

    def write(self, value: Any) -> AttributeValue:
        """The value, which is not None, as DynamoDB takes it."""
        try:
            return {self.kind.code: self.kind.encode(value)}
        except (TypeError, ValueError, AttributeError) as error:
            raise DataError(f"Attribute {self.name} can't hold {value!r}: {error}") from error


@cache
def attribute_of(field: Field[Any, Any]) -> Attribute:
    """Raises NotSupportedError for a type of field that has no form in DynamoDB."""
    return Attribute(str(field.column), attribute_kind(field), constant_default(field))


def attribute_kind(field: Any) -> Kind:
    """A relation's is that of the field which it points to."""
    while field.is_relation:
        field = field.target_field
    kind = KINDS.get(field.get_internal_type())
    if kind is None or getattr(field, "generated", False):
        raise NotSupportedError(
            f"{field}: {field.__class__.__name__} can't be kept in DynamoDB. "
            "Use a text, number, boolean, binary, date or JSON field."
        )
    return kind


def constant_default(field: Any) -> Any:
    """What a field that can't be NULL has where nothing was written; None when that isn't a constant."""
    if field.null or field.primary_key or field.is_relation:
        return None
    default = field.default
    if default is NOT_PROVIDED:
        text = {"CharField", "TextField", "SlugField", "FileField", "FilePathField"}
        return "" if field.get_internal_type() in text else None
    if callable(default):
        if default not in (dict, list, str, int, float, bool):
            return None  # a time or an id made up anew at each reading would be no value
        default = default()
    if field.get_internal_type() == "JSONField":
        return json.dumps(default, cls=field.encoder)
    return None if attribute_kind(field) is MOMENT else field.get_prep_value(default)

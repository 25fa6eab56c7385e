"""How values are prepared for, and read from, this database; tables emptied; ids given out."""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, NotSupportedError
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils import timezone


class DatabaseOperations(BaseDatabaseOperations):
    compiler_module = "annotations.dynamodb.compiler"
    explain_prefix = "EXPLAIN"
    cast_char_field_without_max_length = "text"

    def quote_name(self, name: str) -> str:
        """Django writes SQL to compare expressions with each other; nothing sends it anywhere."""
        return name if name.startswith('"') else f'"{name}"'

    # As much SQL as makes two different expressions differ.

    def date_extract_sql(self, lookup_type: str, sql: str, params: Any) -> tuple[str, Any]:
        return f"extract({lookup_type} from {sql})", params

    def date_trunc_sql(
        self, lookup_type: str, sql: str, params: Any, tzname: str | None = None
    ) -> tuple[str, Any]:
        return f"trunc({lookup_type} of {sql} in {tzname})", params

    time_trunc_sql = datetime_trunc_sql = date_trunc_sql  # type: ignore[assignment]

    def time_extract_sql(self, lookup_type: str, sql: str, params: Any) -> tuple[str, Any]:
        return f"extract({lookup_type} from {sql})", params

    def datetime_extract_sql(
        self, lookup_type: str, sql: str, params: Any, tzname: str | None
    ) -> tuple[str, Any]:
        return f"extract({lookup_type} from {sql} in {tzname})", params

    def datetime_cast_date_sql(self, sql: str, params: Any, tzname: str | None) -> tuple[str, Any]:
        return f"date({sql} in {tzname})", params

    def datetime_cast_time_sql(self, sql: str, params: Any, tzname: str | None) -> tuple[str, Any]:
        return f"time({sql} in {tzname})", params

    def combine_expression(self, connector: str, sub_expressions: Any) -> str:
        return f" {connector} ".join(sub_expressions)

    # Values stay Python's until `attributes` encodes them. Moments are naive and in UTC.

    def adapt_datefield_value(self, value: Any) -> Any:
        return value

    def adapt_datetimefield_value(self, value: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        if timezone.is_aware(value):
            if not settings.USE_TZ:
                raise ValueError("DynamoDB keeps no time zones: make the datetime naive, or set USE_TZ.")
            return timezone.make_naive(value, self.connection.timezone)
        return value

    def adapt_timefield_value(self, value: Any) -> Any:
        if value is not None and not hasattr(value, "resolve_expression") and timezone.is_aware(value):
            raise ValueError("DynamoDB keeps no time zones: make the time naive.")
        return value

    def adapt_decimalfield_value(
        self, value: Any, max_digits: int | None = None, decimal_places: int | None = None
    ) -> Any:
        if value is None or decimal_places is None or hasattr(value, "resolve_expression"):
            return value
        return value.quantize(type(value)(1).scaleb(-decimal_places))

    def adapt_integerfield_value(self, value: Any, internal_type: str) -> Any:
        return value

    def adapt_ipaddressfield_value(self, value: Any) -> Any:
        return value or None

    def year_lookup_bounds_for_datetime_field(self, value: int, iso_year: bool = False) -> list[Any]:
        raise NotSupportedError("Years are compared one item at a time on DynamoDB.")

    def get_db_converters(self, expression: Any) -> list[Any]:
        converters = super().get_db_converters(expression)
        kind = expression.output_field.get_internal_type()
        if kind == "DateTimeField" and settings.USE_TZ:
            converters.append(self._aware)
        elif kind == "DecimalField":
            converters.append(self._with_places)
        return converters

    def _aware(self, value: Any, expression: Any, connection: Any) -> Any:
        if isinstance(value, datetime.datetime) and not timezone.is_aware(value):
            return timezone.make_aware(value, self.connection.timezone)
        return value

    @staticmethod
    def _with_places(value: Any, expression: Any, connection: Any) -> Any:
        """DynamoDB drops a number's trailing zeros."""
        places = getattr(expression.output_field, "decimal_places", None)
        if (
            value is None
            or places is None
            or not hasattr(value, "quantize")
            or not hasattr(expression, "target")
        ):
            return value
        return value.quantize(type(value)(1).scaleb(-places))

    def integer_field_range(self, internal_type: str) -> Any:
        return self.integer_field_ranges[internal_type]

    def bulk_batch_size(self, fields: Any, objs: Any) -> int:
        return len(objs)

    def no_limit_value(self) -> Any:
        return None

    def sql_flush(
        self, style: Any, tables: Any, *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> list[str]:
        """The tables' names: `execute_sql_flush` empties them."""
        return list(tables)

    def execute_sql_flush(self, sql_list: Any) -> None:
        from annotations.dynamodb.schema import empty_table

        for table in sql_list:
            empty_table(self.connection, table)

    def prepare_sql_script(self, sql: str) -> list[str]:
        raise NotSupportedError("DynamoDB speaks no SQL. Write the migration with RunPython.")

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        raise DatabaseError("There are no cursors on DynamoDB.")

"""System checks: `manage.py check --database ALIAS` names what a model has and DynamoDB can't keep."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.db import NotSupportedError
from django.db.backends.base.validation import BaseDatabaseValidation

from annotations.dynamodb.attributes import attribute_of


class DatabaseValidation(BaseDatabaseValidation):
    def check_field(self, field: Any, **kwargs: Any) -> list[checks.CheckMessage]:
        """dynamodb.E001: a type that has no form in DynamoDB. dynamodb.E002: unique=True."""
        if not field.concrete:
            return []
        errors: list[checks.CheckMessage] = []
        try:
            attribute_of(field)
        except NotSupportedError as error:
            errors.append(checks.Error(str(error), obj=field, id="dynamodb.E001"))
        if field.unique and not field.primary_key:
            errors.append(
                checks.Error(
                    "unique=True can't be kept by DynamoDB, where only the primary key is unique.",
                    hint="Make the field the primary key, or drop unique=True.",
                    obj=field,
                    id="dynamodb.E002",
                )
            )
        return errors

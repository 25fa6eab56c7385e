"""The backend as Django's tests need it: models with unique=True and the like get their tables all the same.

Such models are refused otherwise. What a test then finds out about uniqueness is no answer of the backend's.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.validation import BaseDatabaseValidation

from annotations.dynamodb.base import DatabaseWrapper as DynamoDB
from annotations.dynamodb.schema import DatabaseSchemaEditor as SchemaEditor


class DatabaseSchemaEditor(SchemaEditor):
    def refuse_constraints(self, model: Any) -> None:
        """Left out; a many-to-many field's own table is made too."""
        for field in model._meta.local_many_to_many:
            if field.remote_field.through._meta.auto_created:
                self.create_model(field.remote_field.through)

    def refuse_unique(self, field: Any) -> None:
        """Left out."""

    def refuse_constraint(self, model: Any, constraint: Any) -> None:
        """Left out."""


class DatabaseWrapper(DynamoDB):
    SchemaEditorClass = DatabaseSchemaEditor
    validation_class = BaseDatabaseValidation  # type: ignore[assignment]  # finds nothing wrong

"""Databases that come and go while the tests run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.color import no_style
from django.db import connections

from annotations.dynamodb.tests.models import Batch, Everything, Sample

ALIAS = "models_under_test"
MODELS: tuple[Any, ...] = (Batch, Everything, Sample)


class OnDatabaseUnderTest:
    """A database router: the tests' models live there, everything else elsewhere."""

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        return ALIAS if model in MODELS else None

    db_for_write = db_for_read


@contextmanager
def connected(settings: dict[str, Any], alias: str = ALIAS) -> Iterator[Any]:
    """A connection under the alias, for as long as it is used."""
    connections.settings[alias] = dict(settings)
    connections.configure_settings(connections.settings)
    try:
        yield connections[alias]
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


def make_tables(connection: Any) -> None:
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)


def drop_tables(connection: Any) -> None:
    with connection.schema_editor() as editor:
        for model in reversed(MODELS):
            editor.delete_model(model)


def empty_tables(connection: Any) -> None:
    tables = [model._meta.db_table for model in MODELS]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables))

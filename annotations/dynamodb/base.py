"""The connection to DynamoDB, as Django sees it."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db import NotSupportedError, utils
from django.db.backends.base.base import BaseDatabaseWrapper

from annotations.dynamodb.client import DatabaseClient
from annotations.dynamodb.creation import DatabaseCreation
from annotations.dynamodb.features import DatabaseFeatures
from annotations.dynamodb.introspection import DatabaseIntrospection
from annotations.dynamodb.operations import DatabaseOperations
from annotations.dynamodb.requests import Options, Requests
from annotations.dynamodb.schema import DatabaseSchemaEditor
from annotations.dynamodb.validation import DatabaseValidation

log = logging.getLogger("django.db.backends.dynamodb")


class Database:
    """What Django expects of a driver's module. Our own code raises Django's errors already."""

    DataError = utils.DataError
    OperationalError = utils.OperationalError
    IntegrityError = utils.IntegrityError
    InternalError = utils.InternalError
    ProgrammingError = utils.ProgrammingError
    NotSupportedError = utils.NotSupportedError
    DatabaseError = utils.DatabaseError
    InterfaceError = utils.InterfaceError
    Error = utils.Error
    Binary = bytes


@dataclass(frozen=True)
class TableOptions:
    """OPTIONS of the database that concern tables.

    scan: "forbid" or "allow" queries that would read a whole table; a list names the tables that may be.
    names: names of tables and indexes in AWS that differ from those in Django.
    ttl: the attribute, per table, by which DynamoDB deletes expired items.
    """

    scan: str | list[str] = "forbid"
    names: dict[str, str] = field(default_factory=dict)
    point_in_time_recovery: bool = False
    deletion_protection: bool = False
    ttl: dict[str, str] = field(default_factory=dict)
    wait_seconds: float = 900


class DatabaseWrapper(BaseDatabaseWrapper):
    """`NAME` is a prefix of all tables' names: two deployments may share an account."""

    vendor = "dynamodb"
    display_name = "DynamoDB"
    Database = Database
    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations
    validation_class = DatabaseValidation
    # Django writes SQL only to compare expressions with each other.
    operators = {  # noqa: RUF012
        "exact": "= %s", "iexact": "ILIKE %s", "contains": "LIKE %s", "icontains": "ILIKE %s", "gt": "> %s",
        "gte": ">= %s", "lt": "< %s", "lte": "<= %s", "startswith": "LIKE %s", "endswith": "LIKE %s",
        "istartswith": "ILIKE %s", "iendswith": "ILIKE %s", "regex": "REGEXP %s", "iregex": "IREGEXP %s",
    }  # fmt: skip
    pattern_ops = dict.fromkeys(
        ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"), "LIKE {}"
    )
    pattern_esc = "{}"

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        super().__init__(settings_dict, alias)
        self.writes = 0
        self._writes_at: dict[str, int] = {}
        request_options = _options(Options, settings_dict)
        self.table_options = _options(TableOptions, settings_dict)
        _refuse_unknown_options(settings_dict, alias)
        self.requests = Requests(self, request_options)

    def table_name(self, db_table: str) -> str:
        return self.table_options.names.get(db_table) or f"{self.settings_dict['NAME']}{db_table}"

    def index_name(self, name: str) -> str:
        return self.table_options.names.get(name, name)

    def scan_is_allowed(self, db_table: str) -> bool:
        allowed = self.table_options.scan
        # Django keeps its list of applied migrations so; it is short.
        return (
            db_table == "django_migrations"
            or allowed == "allow"
            or (allowed != "forbid" and db_table in allowed)
        )

    # Connecting: requests are made by a client that all connections of the process share.

    def get_connection_params(self) -> dict[str, Any]:
        return {}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Requests:
        return self.requests

    def init_connection_state(self) -> None:
        """DynamoDB has no versions to check, and no session to set up."""

    def create_cursor(self, name: str | None = None) -> Any:
        return NoCursor()

    def is_usable(self) -> bool:
        return True

    def _close(self) -> None:
        """The shared client's sockets serve other connections."""

    # Transactions: every write is on its own, so a block can be entered and left, and not be undone.

    def set_autocommit(
        self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False
    ) -> None:
        """As Django's, but for the BEGIN that it would record among the queries: none is sent."""
        self.validate_no_atomic_block()
        self.ensure_connection()
        self._writes_at["block"] = self.writes
        self.autocommit = autocommit
        if autocommit and self.run_commit_hooks_on_set_autocommit_on:
            self.run_and_clear_commit_hooks()
            self.run_commit_hooks_on_set_autocommit_on = False

    def _commit(self) -> None:
        """Everything is written already."""

    def _rollback(self) -> None:
        self._admit(self._writes_at.get("block", self.writes))

    def _savepoint(self, sid: str) -> None:
        self._writes_at[sid] = self.writes

    def _savepoint_rollback(self, sid: str) -> None:
        self._admit(self._writes_at.pop(sid, self.writes))

    def _savepoint_commit(self, sid: str) -> None:
        self._writes_at.pop(sid, None)

    def set_rollback(self, rollback: bool) -> None:
        if rollback and self.writes > self._writes_at.get("block", self.writes):
            raise NotSupportedError(
                "Writes to DynamoDB can't be rolled back. Undo them by writes of your own."
            )
        super().set_rollback(rollback)

    def _admit(self, writes_then: int) -> None:
        """Say so when writes should be undone and can't be: in the error that is on its way, and the log."""
        if not (count := self.writes - writes_then):
            return
        text = f"{count} writes to DynamoDB in this atomic block stay: they can't be rolled back."
        log.error(text)
        if (error := sys.exception()) is None:
            raise NotSupportedError(text)
        error.add_note(text)


OptionsT = TypeVar("OptionsT", Options, TableOptions)


class NoCursor:
    """For code that takes a cursor and doesn't use it, as Django's introspection does."""

    def __enter__(self) -> NoCursor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """There is nothing to close."""

    def execute(self, sql: str, params: Any = None) -> None:
        raise NotSupportedError("DynamoDB speaks no SQL. Use the ORM; in migrations, RunPython.")

    executemany = callproc = execute


def _options(cls: type[OptionsT], settings_dict: dict[str, Any]) -> OptionsT:
    names = {one.name for one in fields(cls)}
    return cls(**{name: value for name, value in settings_dict["OPTIONS"].items() if name in names})


def _refuse_unknown_options(settings_dict: dict[str, Any], alias: str) -> None:
    known = {one.name for cls in (Options, TableOptions) for one in fields(cls)}
    if unknown := sorted(set(settings_dict["OPTIONS"]) - known):
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['OPTIONS'] has {', '.join(unknown)}; "
            f"DynamoDB takes {', '.join(sorted(known))}."
        )

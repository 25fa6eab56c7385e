"""Databases for tests: tables with another prefix, made anew and removed in the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.backends.base.creation import BaseDatabaseCreation

from annotations.dynamodb.schema import table_exists


class DatabaseCreation(BaseDatabaseCreation):
    def _get_test_db_name(self) -> str:
        return (
            self.connection.settings_dict["TEST"]["NAME"] or f"test_{self.connection.settings_dict['NAME']}"
        )

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        name = self._get_test_db_name()
        if not keepdb:
            self._delete_tables(name)
        return name

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        self._delete_tables(test_database_name)

    def _delete_tables(self, prefix: str) -> None:
        requests = self.connection.requests
        pages = []
        parameters: dict[str, Any] = {}
        while True:
            reply = requests("list_tables", **parameters)
            pages += reply["TableNames"]
            if not (last := reply.get("LastEvaluatedTableName")):
                break
            parameters["ExclusiveStartTableName"] = last
        doomed = [name for name in pages if name.startswith(prefix)]
        for name in doomed:
            requests("delete_table", TableName=name)
        for name in doomed:
            attempt = 0
            while table_exists(self.connection, name):
                requests.pause(attempt := attempt + 1)

    def serialize_db_to_string(self) -> str:
        """Reads whole tables, which hold no more than migrations have put there."""
        options = self.connection.table_options
        self.connection.table_options = replace(options, scan="allow")
        try:
            return super().serialize_db_to_string()
        finally:
            self.connection.table_options = options

    def test_db_signature(self) -> tuple[Any, ...]:
        options = self.connection.settings_dict["OPTIONS"]
        return (*super().test_db_signature(), options.get("region_name"), options.get("endpoint_url"))

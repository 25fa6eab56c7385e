"""What tables there are, and their keys. Items have no columns to be described."""

from __future__ import annotations

from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.introspection import BaseDatabaseIntrospection, TableInfo


class DatabaseIntrospection(BaseDatabaseIntrospection):
    def get_table_list(self, cursor: Any) -> list[TableInfo]:
        """The tables with this deployment's prefix, without it, and those that an option names."""
        prefix = self.connection.settings_dict["NAME"]
        own_names = {name: db_table for db_table, name in self.connection.table_options.names.items()}
        found = []
        parameters: dict[str, Any] = {}
        while True:
            reply = self.connection.requests("list_tables", **parameters)
            for name in reply["TableNames"]:
                if name in own_names:
                    found.append(TableInfo(own_names[name], "t"))
                elif name.startswith(prefix):
                    found.append(TableInfo(name.removeprefix(prefix), "t"))
            if not (last := reply.get("LastEvaluatedTableName")):
                return found
            parameters["ExclusiveStartTableName"] = last

    def get_table_description(self, cursor: Any, table_name: str) -> Any:
        raise NotSupportedError(
            f"{table_name}: tables of DynamoDB have no columns, so no models can be made of them. "
            "Write the model by hand, with db_table and db_column."
        )

    def get_constraints(self, cursor: Any, table_name: str) -> dict[str, dict[str, Any]]:
        name = self.connection.table_name(table_name)
        table = self.connection.requests("describe_table", TableName=name)["Table"]
        constraints = {"primary key": _constraint(table["KeySchema"], primary_key=True)}
        for index in table.get("GlobalSecondaryIndexes", ()):
            constraints[index["IndexName"]] = _constraint(index["KeySchema"], primary_key=False)
        return constraints

    def get_primary_key_columns(self, cursor: Any, table_name: str) -> list[str]:
        columns: list[str] = self.get_constraints(cursor, table_name)["primary key"]["columns"]
        return columns

    def get_relations(self, cursor: Any, table_name: str) -> dict[str, tuple[str, str]]:
        return {}

    def get_sequences(self, cursor: Any, table_name: str, table_fields: Any = ()) -> list[dict[str, Any]]:
        return []


def _constraint(key_schema: list[dict[str, str]], *, primary_key: bool) -> dict[str, Any]:
    return {
        "columns": [key["AttributeName"] for key in key_schema],
        "primary_key": primary_key,
        "unique": primary_key,
        "foreign_key": None,
        "check": False,
        "index": not primary_key,
        "orders": ["ASC"] * len(key_schema),
        "type": "idx",
    }

"""Ids that count up, for models with an AutoField: one atomic counter a table.

Every new id is a write to that one item, which DynamoDB takes about a thousand times a second. Give a busy
model a UUID as its key instead.
"""

from __future__ import annotations

from typing import Any

from annotations.dynamodb.attributes import INTEGER, TEXT, Attribute

TABLE = "django_sequences"
KEY = Attribute("table_name", TEXT)
LAST = Attribute("last_id", INTEGER)


def next_values(connection: Any, db_table: str, count: int) -> range:
    """`count` ids that nobody else gets."""
    reply = connection.requests(
        "update_item",
        TableName=connection.table_name(TABLE),
        Key={KEY.name: KEY.write(db_table)},
        UpdateExpression="ADD #last :count",
        ExpressionAttributeNames={"#last": LAST.name},
        ExpressionAttributeValues={":count": LAST.write(count)},
        ReturnValues="UPDATED_NEW",
    )
    last = LAST.read(reply["Attributes"])
    return range(last - count + 1, last + 1)


def forget(connection: Any, db_table: str) -> None:
    """The table is gone, and its ids with it."""
    connection.requests(
        "delete_item", TableName=connection.table_name(TABLE), Key={KEY.name: KEY.write(db_table)}
    )

"""Bring the accounts' database up to date; of several hosts that start at once, one does it.

The jobs' table in DynamoDB belongs to the template `data`, so nothing is done there.
"""

import django
from django.core.management import call_command
from django.db import connection

LOCK = 0x6761735F6D  # any number, the same on every host


def main() -> None:
    django.setup()
    if connection.vendor != "postgresql":
        call_command("migrate", interactive=False)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            call_command("migrate", interactive=False)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


if __name__ == "__main__":
    main()

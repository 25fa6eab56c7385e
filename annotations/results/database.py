"""Ask a result's table by DuckDB.

SQL is made of constants and of names that the table itself has, quoted; whatever a user wrote goes in as a
bound parameter. The process has one DuckDB, in memory, which may read files in the store's and the cache's
folders and no others, and a cursor of it for each query.
"""

import atexit
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import duckdb

from annotations.results.caching import cache_folder
from annotations.storage import object_store

# Of all queries of a process together: the largest need is that of sorting a page's rows, a few megabytes.
MEMORY_LIMIT = "128MB"
TIMEOUT_SECONDS = 10.0
_opening = Lock()


class QueryTooCostly(Exception):
    """The query took longer than it may, or more memory, and was stopped."""


class TableUnreadable(Exception):
    """The table is not there any more, or no table of this service."""


def query(
    table: Path,
    sql: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> list[tuple[Any, ...]]:
    """The rows that `sql` gives; in it `$table` is the table, as `read_parquet($table)`.

    Raises QueryTooCostly, TableUnreadable.
    """
    with _database().cursor() as cursor:
        stop = Timer(timeout_seconds, cursor.interrupt)
        stop.daemon = True
        stop.start()
        try:
            return cursor.execute(sql, {"table": str(table), **(parameters or {})}).fetchall()
        except duckdb.InterruptException:
            raise QueryTooCostly(f"The query was stopped after {timeout_seconds:g} seconds.") from None
        except duckdb.OutOfMemoryException:
            raise QueryTooCostly("The query was stopped, for it needs too much memory.") from None
        except (duckdb.IOException, duckdb.PermissionException, duckdb.InvalidInputException) as error:
            raise TableUnreadable(str(error)) from error
        finally:
            stop.cancel()


def query_one(table: Path, sql: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """The only value of a query's only row."""
    ((value,),) = query(table, sql, parameters)
    return value


def quoted(name: str) -> str:
    """A column's name as it stands in SQL.

    >>> quoted('clinvar_CLNSIG'), quoted('a"b')
    ('"clinvar_CLNSIG"', '"a""b"')
    """
    return '"' + name.replace('"', '""') + '"'


def _readable_folders() -> list[Path]:
    root = object_store().local_root()
    return [cache_folder(), *([root] if root else [])]


def _database() -> duckdb.DuckDBPyConnection:
    with _opening:  # lru_cache would let two threads open one each
        return _opened(tuple(str(folder) for folder in _readable_folders()))


@lru_cache(maxsize=1)
def _opened(folders: Sequence[str]) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": min(4, os.cpu_count() or 1),
            "temp_directory": "",
            "enable_external_file_cache": False,  # the system's own cache does
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    database.execute("LOAD parquet")  # part of the library; before it is loaded, its settings are unknown
    database.execute("SET parquet_metadata_cache = true")
    database.execute("SET allowed_directories = $folders", {"folders": list(folders)})
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    # Else it is still there when the interpreter ends, of which DuckDB's binding complains on stderr.
    atexit.register(_opened.cache_clear)
    return database

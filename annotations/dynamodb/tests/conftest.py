"""Each test of models runs on every database; each server is started once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

from annotations.dynamodb.tests import servers
from annotations.dynamodb.tests.connecting import OnDatabaseUnderTest, connected, empty_tables, make_tables

STARTS: dict[str, Callable[[], AbstractContextManager[dict[str, Any]]]] = {
    "postgresql": servers.postgresql,
    "dynalite": servers.dynalite,
    "ministack": servers.ministack,
}
EMULATORS = ("dynalite", "ministack")
Server = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Settings of a running database by its name; skips the test where it isn't installed."""
    with ExitStack() as stack:
        started: dict[str, dict[str, Any]] = {}

        def settings_of(name: str) -> dict[str, Any]:
            if name not in started:
                try:
                    started[name] = stack.enter_context(STARTS[name]())
                except servers.NotInstalled as missing:
                    pytest.skip(str(missing))
            return started[name]

        yield settings_of


@pytest.fixture(scope="session")
def with_tables(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The tables are made once a database, and emptied after each test."""
    ready: dict[str, dict[str, Any]] = {}

    def settings_of(name: str) -> dict[str, Any]:
        if name not in ready:
            if name == "sqlite":
                path = tmp_path_factory.mktemp("sqlite") / "models.sqlite3"
                ready[name] = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
            else:
                ready[name] = server(name)
            with connected(ready[name]) as connection:
                make_tables(connection)
        return ready[name]

    return settings_of


@pytest.fixture(params=["sqlite", "postgresql", *EMULATORS])
def database(
    request: pytest.FixtureRequest, with_tables: Server, settings: Any, django_db_blocker: Any
) -> Any:
    """The connection of the database that the tests' models live in."""
    yield from _database(request.param, with_tables, settings, django_db_blocker)


@pytest.fixture(params=EMULATORS)
def dynamodb(
    request: pytest.FixtureRequest, with_tables: Server, settings: Any, django_db_blocker: Any
) -> Any:
    """As `database`, for what only DynamoDB does."""
    yield from _database(request.param, with_tables, settings, django_db_blocker)


def _database(name: str, with_tables: Server, settings: Any, blocker: Any) -> Iterator[Any]:
    settings.DATABASE_ROUTERS = [OnDatabaseUnderTest()]
    with blocker.unblock(), connected(with_tables(name)) as connection:
        yield connection
        empty_tables(connection)

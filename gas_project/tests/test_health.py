"""What the probes say."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from django.db import OperationalError
from django.test import Client

from annotations.storage import StorageError
from gas_project import health


def raising(error: Exception) -> Any:
    def check() -> None:
        raise error

    return check


@pytest.fixture
def all_well(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in health.NEEDED:
        monkeypatch.setitem(health.NEEDED, name, lambda: None)


def test_a_process_that_answers_is_alive_whatever_else_is_down(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(health.NEEDED, "database", raising(OperationalError()))
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("all_well")
def test_ready_when_all_that_is_needed_can_be_reached(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response["Cache-Control"].startswith("max-age=0")


@pytest.mark.usefixtures("all_well")
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("database", OperationalError("no such host db.internal")),
        ("jobs", OperationalError("dynamodb.internal does not answer")),
        ("broker", EndpointConnectionError(endpoint_url="http://broker.internal")),
        ("storage", StorageError("bucket secret-bucket")),
    ],
)
def test_what_cannot_be_reached_is_named_and_nothing_more_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception
) -> None:
    monkeypatch.setitem(health.NEEDED, name, raising(error))
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()[name] == "unreachable"
    assert "internal" not in response.content.decode()
    assert list(response.json().values()).count("ok") == len(health.NEEDED) - 1


@pytest.mark.django_db
def test_the_checks_reach_what_is_there(folders: Any) -> None:
    health.database()
    health.storage()

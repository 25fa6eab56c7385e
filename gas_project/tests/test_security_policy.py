"""Pages load from, and send to, the site itself and the places that the settings name."""

from typing import Any

import pytest
from django.test import Client

from annotations.storage import s3
from gas_project import middleware


def directives(client: Client) -> dict[str, list[str]]:
    policy = client.get("/healthz").headers["Content-Security-Policy"]
    return {name: sources for name, *sources in (part.split() for part in policy.split("; "))}


def test_on_one_machine_nothing_leads_elsewhere(client: Client, settings: Any) -> None:
    settings.FORM_TARGETS = []
    found = directives(client)
    assert found["script-src"] == found["style-src"] == found["connect-src"] == ["'self'"]
    assert found["form-action"] == ["'self'"]


def test_files_in_s3_and_static_files_on_a_cdn_may_be_reached(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "x",
        "DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    settings.INPUTS_BUCKET, settings.RESULTS_BUCKET = "gas-inputs", "gas-results"
    settings.STATIC_ORIGINS = ["https://cdn.example"]
    store = s3.S3ObjectStore()
    monkeypatch.setattr(middleware, "object_store", lambda: store)
    found = directives(client)
    uploads = "https://gas-inputs.s3.eu-west-1.amazonaws.com"
    assert uploads in found["connect-src"]
    assert uploads in found["form-action"]
    assert uploads not in found["script-src"]
    for kind in ("script-src", "style-src", "img-src"):
        assert "https://cdn.example" in found[kind]

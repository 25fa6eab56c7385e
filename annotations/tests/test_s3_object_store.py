"""What the service signs for browsers and scripts, and how S3's faults look to it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.config import Config

from annotations import uploads
from annotations.storage import s3
from annotations.storage.port import ObjectMissing, ObjectStore, Span, StorageError, UploadForm
from annotations.storage.s3 import S3ObjectStore
from annotations.tests.fakes import FakeLimits


@pytest.fixture
def store(settings: Any, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """No request is sent: signing needs none."""
    for name, value in {
        "ACCESS_KEY_ID": "nobody",
        "SECRET_ACCESS_KEY": "x",
        "DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    settings.INPUTS_BUCKET, settings.RESULTS_BUCKET = "gas-inputs", "gas-results"
    made = S3ObjectStore()
    monkeypatch.setattr(uploads, "object_store", lambda: made)
    return made


def policy(form: UploadForm) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.b64decode(form.fields["policy"]))
    return decoded


def conditions(form: UploadForm) -> list[Any]:
    found: list[Any] = policy(form)["conditions"]
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("max_bytes", [150, 5_000_000_000])
def test_an_upload_is_held_to_the_tiers_size(
    store: ObjectStore, user: Any, limits: FakeLimits, max_bytes: int
) -> None:
    limits.upload_max_bytes = max_bytes
    assert ["content-length-range", 0, max_bytes] in conditions(uploads.begin(user, "a.vcf"))


@pytest.mark.django_db
def test_an_upload_may_go_to_the_users_one_key_alone(
    store: ObjectStore, user: Any, limits: FakeLimits
) -> None:
    form = uploads.begin(user, "a.vcf")
    assert form.fields["key"].startswith(f"{user.pk}/")
    assert {"key": form.fields["key"]} in conditions(form)
    assert {"bucket": "gas-inputs"} in conditions(form)


@pytest.mark.django_db
def test_an_upload_whose_name_is_not_known_yet_may_differ_in_that_alone(
    store: ObjectStore, user: Any, limits: FakeLimits
) -> None:
    form = uploads.begin(user, redirect_url="https://gas.example.org/jobs/submit/")
    beginning = form.fields["key"].removesuffix("${filename}")
    assert beginning.startswith(f"{user.pk}/")
    assert beginning.endswith("~")
    assert ["starts-with", "$key", beginning] in conditions(form)
    assert {"success_action_redirect": "https://gas.example.org/jobs/submit/"} in conditions(form)


@pytest.mark.django_db
def test_an_upload_is_encrypted_and_its_form_expires(
    store: ObjectStore, user: Any, limits: FakeLimits
) -> None:
    form = uploads.begin(user, "a.vcf")
    assert {"x-amz-server-side-encryption": "AES256"} in conditions(form)
    assert form.fields["x-amz-server-side-encryption"] == "AES256"
    expires_at = datetime.fromisoformat(policy(form)["expiration"])
    assert abs(expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)


@pytest.mark.django_db
def test_a_policy_has_a_condition_for_every_field_that_the_service_signs(
    store: ObjectStore, user: Any, limits: FakeLimits
) -> None:
    form = uploads.begin(user, "a.vcf")
    held = {name for condition in conditions(form) if isinstance(condition, dict) for name in condition}
    assert set(form.fields) - held == {"policy", "x-amz-signature"}


def test_a_download_link_names_one_object_for_a_while_and_always_as_a_file(store: ObjectStore) -> None:
    url = urlsplit(store.download_url("u/j/x/a.vcf.gz", file_name="a.vcf.gz", expires_seconds=300))
    query = parse_qs(url.query)
    assert url.netloc == "gas-results.s3.eu-central-1.amazonaws.com"
    assert url.path == "/u/j/x/a.vcf.gz"
    assert query["X-Amz-Expires"] == ["300"]
    assert query["response-content-disposition"] == ['attachment; filename="a.vcf.gz"']
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]


def test_pages_may_send_files_to_the_buckets_and_nowhere_else(store: ObjectStore) -> None:
    assert store.origins == (
        "https://gas-inputs.s3.eu-central-1.amazonaws.com",
        "https://gas-results.s3.eu-central-1.amazonaws.com",
    )


def test_a_storage_that_cannot_be_reached_is_said_so(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setattr(s3, "CLIENT", s3.CLIENT.merge(Config(retries={"total_max_attempts": 1})))
    away = S3ObjectStore()
    with pytest.raises(StorageError):
        away.size_bytes("key")
    with pytest.raises(StorageError):
        list(away.keys("u/j/"))


def test_a_file_in_parts_goes_to_presigned_addresses_and_becomes_the_upload(s3_buckets: None) -> None:
    there = S3ObjectStore()
    key = "u/j~large.vcf"
    upload = there.begin_parts(key)
    bodies = [b"x" * 5 * 1024 * 1024, b"the rest"]
    spans = [Span(1, 0, len(bodies[0])), Span(2, len(bodies[0]), len(bodies[1]))]
    for span, body in zip(spans, bodies, strict=True):
        url = there.part_url(key, upload, span, expires_seconds=60)
        assert requests.put(url, data=body, timeout=20).status_code == 200
    parts = there.parts(key, upload)
    assert [(part.number, part.size_bytes) for part in parts] == [(1, len(bodies[0])), (2, len(bodies[1]))]
    there.complete_parts(key, upload, parts)
    assert there.size_bytes(key) == sum(map(len, bodies))
    assert list(there.keys("u/")) == [key]


def test_an_upload_in_parts_that_was_given_up_is_no_longer_known(s3_buckets: None) -> None:
    there = S3ObjectStore()
    upload = there.begin_parts("u/j~a.vcf")
    there.abort_parts("u/j~a.vcf", upload)
    there.abort_parts("u/j~a.vcf", upload)
    with pytest.raises(ObjectMissing):
        there.parts("u/j~a.vcf", upload)

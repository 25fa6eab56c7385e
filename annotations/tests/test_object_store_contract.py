"""What every object store promises. An adapter joins by one more `Doors` in PARAMS."""

import urllib.parse
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotations.storage.local import LocalObjectStore
from annotations.storage.port import ObjectMissing, ObjectStore, UploadForm
from annotations.storage.s3 import S3ObjectStore

ODD_NAME = 'Ärger "quoted"; x=1.vcf.gz'


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class LocalDoors:
    """The local store, reached as a script reaches it."""

    def __init__(self) -> None:
        self.store: ObjectStore = LocalObjectStore()
        self._client = Client(enforce_csrf_checks=True)

    def post(self, form: UploadForm, body: bytes, *, name: str = "a.vcf", **changed: str) -> Answer:
        fields: dict[str, Any] = {**form.fields, **changed, "file": SimpleUploadedFile(name, body)}
        response = self._client.post(form.url, fields)
        return Answer(response.status_code, dict(response.headers), response.content)

    def get(self, url: str, **headers: str) -> Answer:
        response = self._client.get(url, headers=headers)
        body = b"".join(response) if response.streaming else response.content
        return Answer(response.status_code, dict(response.headers), body)


class S3Doors:
    """The store in S3, reached over the network."""

    def __init__(self) -> None:
        self.store: ObjectStore = S3ObjectStore()

    def post(self, form: UploadForm, body: bytes, *, name: str = "a.vcf", **changed: str) -> Answer:
        response = requests.post(
            form.url,
            data={**form.fields, **changed},
            files={"file": (name, body)},
            allow_redirects=False,
            timeout=10,
        )
        return Answer(response.status_code, dict(response.headers), response.content)

    def get(self, url: str, **headers: str) -> Answer:
        response = requests.get(url, headers=headers, timeout=10)
        return Answer(response.status_code, dict(response.headers), response.content)


Doors = LocalDoors | S3Doors


@pytest.fixture(params=["local", "s3"])
def doors(request: pytest.FixtureRequest) -> Doors:
    if request.param == "local":
        return LocalDoors()
    request.getfixturevalue("s3_buckets")
    return S3Doors()


@pytest.fixture
def store(doors: Doors) -> ObjectStore:
    return doors.store


def form_for(store: ObjectStore, key: str = "u/j~a.vcf", **options: Any) -> UploadForm:
    return store.upload_form(
        key, **({"max_bytes": 100, "redirect_url": None, "expires_seconds": 60} | options)
    )


def read(store: ObjectStore, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


def published(store: ObjectStore, tmp_path: Path, key: str, body: bytes = b"body") -> None:
    path = tmp_path / "to-publish"
    path.write_bytes(body)
    store.publish(path, key)


def error_code(answer: Answer) -> str | None:
    return ElementTree.fromstring(answer.body).findtext("Code")  # noqa: S314  our own answer


def test_a_posted_file_becomes_the_object(doors: Doors, store: ObjectStore):
    answer = doors.post(form_for(store), b"##fileformat=VCFv4.2\n")
    assert answer.status == 204
    assert read(store, "u/j~a.vcf") == b"##fileformat=VCFv4.2\n"
    assert store.size_bytes("u/j~a.vcf") == 21


def test_a_posted_file_of_several_blocks_arrives_whole(doors: Doors, store: ObjectStore):
    body = bytes(range(256)) * 16_000
    doors.post(form_for(store, max_bytes=len(body)), body)
    assert read(store, "u/j~a.vcf") == body


def test_after_the_upload_the_browser_is_sent_back_with_the_key(doors: Doors, store: ObjectStore):
    form = form_for(store, redirect_url="http://testserver/back?step=2")
    answer = doors.post(form, b"body")
    assert answer.status == 303
    url, _, query = answer.headers["Location"].partition("?")
    assert url == "http://testserver/back"
    sent = urllib.parse.parse_qs(query)
    assert sent["step"] == ["2"]
    assert sent["key"] == ["u/j~a.vcf"]
    assert sent["bucket"]
    assert sent["etag"] == ['"841a2d689ad86bd1611447453c22c6fc"']  # the MD5 of what was sent


def test_the_name_of_the_file_takes_its_place_in_the_key(doors: Doors, store: ObjectStore):
    assert doors.post(form_for(store, "u/j~${filename}"), b"body", name="my sample.vcf").status == 204
    assert list(store.keys("u/")) == ["u/j~my sample.vcf"]


def test_a_file_of_just_the_allowed_size_is_taken_and_a_byte_more_is_refused(
    doors: Doors, store: ObjectStore
):
    assert doors.post(form_for(store, "u/exact"), b"x" * 100).status == 204
    answer = doors.post(form_for(store, "u/more"), b"x" * 101)
    assert (answer.status, error_code(answer)) == (400, "EntityTooLarge")
    assert list(store.keys("u/")) == ["u/exact"]


def test_a_form_that_has_expired_is_refused(doors: Doors, store: ObjectStore):
    answer = doors.post(form_for(store, expires_seconds=-1), b"body")
    assert (answer.status, error_code(answer)) == (403, "AccessDenied")
    assert list(store.keys("")) == []


@pytest.mark.parametrize("field", ["key", "success_action_redirect"])
def test_a_form_that_was_changed_is_refused(doors: Doors, store: ObjectStore, field: str):
    form = form_for(store, redirect_url="http://testserver/back")
    answer = doors.post(form, b"body", **{field: "http://evil.example/"})
    assert (answer.status, error_code(answer)) == (403, "AccessDenied")
    assert list(store.keys("")) == []


def test_what_was_published_is_fetched_unchanged(store: ObjectStore, tmp_path: Path):
    published(store, tmp_path, "u/j/result.vcf.gz", b"\x1f\x8b\x00")
    store.fetch("u/j/result.vcf.gz", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"\x1f\x8b\x00"


def test_publishing_again_replaces_the_object(store: ObjectStore, tmp_path: Path):
    published(store, tmp_path, "key", b"old and longer")
    published(store, tmp_path, "key", b"new")
    assert read(store, "key") == b"new"


def test_a_missing_object_is_said_to_be_missing(store: ObjectStore, tmp_path: Path):
    with pytest.raises(ObjectMissing):
        store.size_bytes("none")
    with pytest.raises(ObjectMissing), store.open("none"):
        pass
    with pytest.raises(ObjectMissing):
        store.fetch("none", tmp_path / "fetched")


def test_a_copy_stays_when_its_original_is_deleted(store: ObjectStore, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"bytes")
    store.publish(tmp_path / "file", "u/one")
    store.copy("u/one", "v/two")
    store.delete("u/one")
    with store.open("v/two") as file:
        assert file.read() == b"bytes"
    with pytest.raises(ObjectMissing):
        store.copy("u/one", "v/three")


def test_deleting_twice_is_no_error(store: ObjectStore, tmp_path: Path):
    published(store, tmp_path, "key")
    store.delete("key")
    store.delete("key")
    assert list(store.keys("")) == []


def test_keys_are_found_by_any_beginning_of_theirs(store: ObjectStore, tmp_path: Path):
    for key in ("a/1~x", "a/12~y", "a/2/deep", "b/1~x"):
        published(store, tmp_path, key)
    assert set(store.keys("")) == {"a/1~x", "a/12~y", "a/2/deep", "b/1~x"}
    assert set(store.keys("a/2/")) == {"a/2/deep"}
    assert set(store.keys("none/")) == set()
    assert set(store.keys("a/1")) == {"a/1~x", "a/12~y"}


def test_a_download_comes_as_a_file_with_its_name_even_an_odd_one(
    doors: Doors, store: ObjectStore, tmp_path: Path
):
    published(store, tmp_path, "key", b"<script>alert(1)</script>")
    answer = doors.get(store.download_url("key", file_name=ODD_NAME, expires_seconds=60))
    assert (answer.status, answer.body) == (200, b"<script>alert(1)</script>")
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert urllib.parse.quote("Ärger") in disposition
    assert "html" not in answer.headers["Content-Type"]


def test_a_download_link_expires(doors: Doors, store: ObjectStore, tmp_path: Path):
    published(store, tmp_path, "key")
    assert doors.get(store.download_url("key", file_name="a", expires_seconds=-1)).status == 403


def test_a_download_link_can_be_changed_to_no_other_object(doors: Doors, store: ObjectStore, tmp_path: Path):
    published(store, tmp_path, "key")
    url = store.download_url("key", file_name="a", expires_seconds=60)
    assert doors.get(url[:-2] + ("AA" if url[-2:] != "AA" else "BB")).status == 403


def test_a_part_of_a_download_can_be_asked_for(doors: Doors, store: ObjectStore, tmp_path: Path):
    published(store, tmp_path, "key", b"0123456789")
    url = store.download_url("key", file_name="a", expires_seconds=60)
    part = doors.get(url, Range="bytes=2-4")
    assert (part.status, part.body) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    assert doors.get(url, Range="bytes=10-").status == 416


def test_it_says_when_an_object_was_written(store: ObjectStore, tmp_path: Path):
    published(store, tmp_path, "u/j/a.vcf")
    age = datetime.now(UTC) - store.modified_at("u/j/a.vcf")
    assert abs(age.total_seconds()) < 60
    with pytest.raises(ObjectMissing):
        store.modified_at("u/j/none")

"""What every object store promises of objects that come in parts; S3 is asked as it really answers."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from django.test import Client

from annotations.dynamodb.tests.servers import ministack_with
from annotations.storage.local import LocalObjectStore
from annotations.storage.port import ObjectMissing, Part, PartsRefused, Span
from annotations.storage.s3_parts import S3Parts

KEY = "u/j~a.vcf"
MB = 1 << 20
CONTENT = bytes(range(256)) * (5 * MB // 256) + b"the rest"
SPANS = [Span(1, 0, 5 * MB), Span(2, 5 * MB, 8)]


@dataclass
class Doors:
    store: Any
    put: Any
    read: Any


@pytest.fixture(scope="session")
def _s3() -> Iterator[Any]:
    with ministack_with("s3") as port:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(
                signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}
            ),
        )
        client.create_bucket(Bucket="inputs")
        yield client
        client.close()


def _local(request: pytest.FixtureRequest) -> Doors:
    client, store = Client(enforce_csrf_checks=True), LocalObjectStore()

    def put(url: str, body: bytes) -> tuple[int, str]:
        answer = client.put(url, body, content_type="application/octet-stream")
        return answer.status_code, answer.headers.get("ETag", "")

    def read(key: str) -> bytes:
        with store.open(key) as file:
            return file.read()

    return Doors(store, put, read)


def _in_s3(request: pytest.FixtureRequest) -> Doors:
    client = request.getfixturevalue("_s3")

    def put(url: str, body: bytes) -> tuple[int, str]:
        answer = requests.put(url, data=body, timeout=10)
        return answer.status_code, answer.headers.get("ETag", "")

    return Doors(
        S3Parts(client, "inputs"), put, lambda key: client.get_object(Bucket="inputs", Key=key)["Body"].read()
    )


@pytest.fixture(params=[_local, _in_s3], ids=["local", "s3"])
def doors(request: pytest.FixtureRequest) -> Doors:
    made: Doors = request.param(request)
    return made


def send(doors: Doors, upload: str, span: Span) -> str:
    url = doors.store.part_url(KEY, upload, span, expires_seconds=60)
    status, etag = doors.put(url, CONTENT[span.start :][: span.size_bytes])
    assert status == 200
    return str(etag)


def test_parts_in_any_order_become_the_object(doors: Doors):
    upload = doors.store.begin_parts(KEY)
    etags = {span.number: send(doors, upload, span) for span in reversed(SPANS)}
    parts = doors.store.parts(KEY, upload)
    assert parts == [Part(span.number, span.size_bytes, etags[span.number]) for span in SPANS]
    assert parts[1].etag == f'"{hashlib.md5(b"the rest").hexdigest()}"'  # noqa: S324  as S3 has it
    doors.store.complete_parts(KEY, upload, parts)
    assert doors.read(KEY) == CONTENT
    with pytest.raises(ObjectMissing):
        doors.store.parts(KEY, upload)


def test_a_part_that_comes_again_takes_the_place_of_the_first(doors: Doors):
    upload = doors.store.begin_parts(KEY)
    for span in (*SPANS, SPANS[1]):
        send(doors, upload, span)
    assert len(doors.store.parts(KEY, upload)) == 2
    doors.store.complete_parts(KEY, upload, doors.store.parts(KEY, upload))
    assert doors.read(KEY) == CONTENT


def test_other_parts_than_have_arrived_make_no_object(doors: Doors):
    upload = doors.store.begin_parts(KEY)
    send(doors, upload, SPANS[0])
    (there,) = doors.store.parts(KEY, upload)
    with pytest.raises(PartsRefused):
        doors.store.complete_parts(KEY, upload, [there, Part(2, 8, '"00000000000000000000000000000000"')])
    assert doors.store.parts(KEY, upload) == [there]


def test_what_was_given_up_is_gone_and_may_be_given_up_again(doors: Doors):
    upload = doors.store.begin_parts(KEY)
    send(doors, upload, SPANS[0])
    for _ in range(2):
        doors.store.abort_parts(KEY, upload)
    with pytest.raises(ObjectMissing):
        doors.store.parts(KEY, upload)
    with pytest.raises(ObjectMissing):
        doors.store.complete_parts(KEY, upload, [Part(1, 5 * MB, '"0"')])
    url = doors.store.part_url(KEY, upload, SPANS[0], expires_seconds=60)
    assert doors.put(url, CONTENT[: 5 * MB])[0] == 404


def test_the_length_of_a_part_is_part_of_its_permission(_s3: Any):
    url = S3Parts(_s3, "inputs").part_url(KEY, "x", SPANS[1], expires_seconds=60)
    assert "content-length" in url.lower().partition("signedheaders=")[2].partition("&")[0]


class TestTheLocalStore:
    @pytest.fixture
    def local(self) -> Doors:
        return _local(None)  # type: ignore[arg-type]

    @pytest.mark.parametrize("body", [b"", b"the res", b"the rest and more"])
    def test_takes_no_fewer_and_no_more_bytes_than_the_part_has(self, local: Doors, body: bytes):
        upload = local.store.begin_parts(KEY)
        url = local.store.part_url(KEY, upload, SPANS[1], expires_seconds=60)
        assert local.put(url, body)[0] == 400
        assert local.store.parts(KEY, upload) == []

    def test_takes_no_address_that_was_changed_or_has_expired(self, local: Doors):
        upload = local.store.begin_parts(KEY)
        url = local.store.part_url(KEY, upload, SPANS[1], expires_seconds=60)
        assert local.put(url[:-3] + "xyz", b"the rest")[0] == 403
        old = local.store.part_url(KEY, upload, SPANS[1], expires_seconds=-1)
        assert local.put(old, b"the rest")[0] == 403

    def test_gives_an_upload_to_its_own_key_alone(self, local: Doors):
        upload = local.store.begin_parts(KEY)
        for other in ("u/j~b.vcf", KEY + "x"):
            with pytest.raises(ObjectMissing):
                local.store.parts(other, upload)

    @pytest.mark.parametrize("name", ["", "..", "../../etc", "x" * 32, "0" * 32])
    def test_knows_no_uploads_but_its_own(self, local: Doors, name: str):
        local.store.begin_parts(KEY)
        with pytest.raises(ObjectMissing):
            local.store.parts(KEY, name)

    def test_lists_no_parts_among_the_objects(self, local: Doors):
        send(local, local.store.begin_parts(KEY), SPANS[1])
        assert list(local.store.keys("")) == []

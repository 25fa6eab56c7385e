"""What is peculiar to archives in S3: retrieval options, storage classes, uploads in parts."""

import io
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from archival.storage import CapacityUnavailable, ColdStorageError, NotThawed, Progress, RetrievalOption
from archival.storage.s3 import NO_THAW_NEEDED, S3Archive
from archival.tests import clouds

EXPEDITED, STANDARD = RetrievalOption.EXPEDITED, RetrievalOption.STANDARD


@pytest.fixture
def s3(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    mock = pytest.importorskip("moto", reason="moto is not installed")
    clouds.speak_to(monkeypatch, None)
    settings.ARCHIVE_BUCKET = "archives"
    with mock.mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="archives")
        yield s3


def put(storage: S3Archive, body: bytes = b"body") -> str:
    return storage.archive(io.BytesIO(body), len(body), "u/j/1")


def test_an_archive_is_uploaded_straight_into_its_class_and_refused_to_readers(s3: Any) -> None:
    ref = put(S3Archive())
    assert s3.head_object(Bucket="archives", Key=ref)["StorageClass"] == "GLACIER"
    with pytest.raises(ClientError, match="InvalidObjectState"):
        s3.get_object(Bucket="archives", Key=ref)


@pytest.mark.parametrize(
    ("code", "status"), [("GlacierExpeditedRetrievalNotAvailable", 503), ("RestoreAlreadyInProgress", 409)]
)
def test_what_s3_answers_to_a_request_is_understood_after_one_attempt(
    s3: Any, code: str, status: int
) -> None:
    storage = S3Archive()
    asked: list[Any] = []
    events = storage._s3_once.meta.events
    answer = partial(_answer, asked, code, status)
    events.register("before-send.s3.RestoreObject", answer)
    try:
        if code == "RestoreAlreadyInProgress":
            assert storage.request_thaw("u/j/1.tar", EXPEDITED, "u/j/").ticket
        else:
            with pytest.raises(CapacityUnavailable):
                storage.request_thaw("u/j/1.tar", EXPEDITED, "u/j/")
    finally:
        events.unregister("before-send.s3.RestoreObject", answer)
    assert len(asked) == 1


def _answer(asked: list[Any], code: str, status: int, **_: Any) -> Any:
    from botocore.awsrequest import AWSResponse

    class Raw(io.BytesIO):
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield self.read()

    asked.append(code)
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    return AWSResponse("http://127.0.0.1/", status, {}, Raw(body))


def test_deep_archive_has_no_expedited_retrievals(settings: Any, s3: Any) -> None:
    settings.ARCHIVE_STORAGE_CLASS = "DEEP_ARCHIVE"
    storage = S3Archive()
    ref = put(storage)
    with pytest.raises(CapacityUnavailable):
        storage.request_thaw(ref, EXPEDITED, "u/j/")
    retrieval = storage.request_thaw(ref, STANDARD, "u/j/")
    assert b"".join(storage.restore(ref, retrieval.ticket)) == b"body"


def test_instant_retrieval_needs_no_thaw(settings: Any, s3: Any) -> None:
    settings.ARCHIVE_STORAGE_CLASS = "GLACIER_IR"
    storage = S3Archive()
    ref = put(storage)
    assert storage.request_thaw(ref, EXPEDITED, "u/j/").ticket == NO_THAW_NEEDED
    assert storage.poll(ref, NO_THAW_NEEDED) is Progress.READY
    assert b"".join(storage.restore(ref, NO_THAW_NEEDED)) == b"body"


@pytest.mark.parametrize(
    ("header", "progress"),
    [
        ('ongoing-request="true"', Progress.PENDING),
        ('ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"', Progress.EXPIRED),
        ('ongoing-request="false", expiry-date="Fri, 21 Dec 2112 00:00:00 GMT"', Progress.READY),
        ("", Progress.EXPIRED),
    ],
)
def test_the_header_of_a_restore_is_understood(s3: Any, header: str, progress: Progress) -> None:
    storage = S3Archive()
    answer = {"StorageClass": "GLACIER", "ContentLength": 4, **({"Restore": header} if header else {})}
    with Stubber(storage._s3) as stub:
        stub.add_response("head_object", answer, {"Bucket": "archives", "Key": "u/j/1.tar"})
        assert storage.poll("u/j/1.tar", "any") is progress


def test_a_copy_that_expires_while_it_is_read_is_not_thawed(s3: Any) -> None:
    storage = S3Archive()
    ready = {
        "StorageClass": "GLACIER",
        "ContentLength": 4,
        "ETag": '"e"',
        "Restore": 'ongoing-request="false", expiry-date="Fri, 21 Dec 2112 00:00:00 GMT"',
    }
    with Stubber(storage._s3) as stub:
        stub.add_response("head_object", ready)
        stub.add_client_error("get_object", "InvalidObjectState", http_status_code=403)
        with pytest.raises(NotThawed):
            list(storage.restore("u/j/1.tar", "any"))


def test_a_body_that_breaks_off_is_read_again(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = S3Archive()
    ref = put(storage, b"0123456789")
    storage.request_thaw(ref, EXPEDITED, "u/j/")
    bodies = [b"01234", b"0123456789"]

    def get_object(**_: Any) -> Any:
        return {"Body": io.BytesIO(bodies.pop(0))}

    monkeypatch.setattr(storage._s3, "get_object", get_object)
    assert b"".join(storage.restore(ref, "any")) == b"0123456789"


def test_a_body_that_always_breaks_off_is_given_up(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = S3Archive()
    ref = put(storage, b"0123456789")
    storage.request_thaw(ref, EXPEDITED, "u/j/")
    monkeypatch.setattr(storage._s3, "get_object", lambda **_: {"Body": io.BytesIO(b"01234")})
    with pytest.raises(ColdStorageError, match="Bytes 0 to 9 were asked for, 5 bytes came"):
        list(storage.restore(ref, "any"))


def test_parts_grow_with_the_archive_so_that_it_fits_into_ten_thousand() -> None:
    storage = S3Archive.__new__(S3Archive)
    storage._part_bytes = 5 * 1024 * 1024
    terabyte = 1024**4
    assert storage._bytes_of_a_part(5 * terabyte) * 10_000 >= 5 * terabyte
    assert storage._bytes_of_a_part(10 * 1024**3) == 5 * 1024 * 1024


def test_uploads_that_nobody_has_finished_are_found_and_ended(s3: Any) -> None:
    s3.create_multipart_upload(Bucket="archives", Key="u/j/1.tar")
    assert list(S3Archive().abandoned(timedelta(days=40_000))) == []
    (found,) = S3Archive().abandoned(timedelta(hours=1))  # moto begins every upload in 2010
    assert found.token == "u/j/1"
    found.remove()
    found.remove()
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="archives")


def test_an_upload_that_fails_is_ended(s3: Any) -> None:
    class Broken(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            raise ValueError("gone")

    storage = S3Archive()
    with pytest.raises(ValueError, match="gone"):
        storage.archive(io.BufferedReader(Broken()), storage._part_bytes + 1, "u/j/1")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="archives")

"""What is the local store's own: the folder, the way of a broken upload, and the words of a refusal."""

import doctest
import io
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import StopUpload
from django.http import HttpRequest
from django.test import Client

from annotations.storage import drafts, local, ranges
from annotations.storage.local import DownloadGrant, LocalObjectStore, seal
from annotations.storage.port import StorageError, UploadForm
from annotations.storage.receiving import DraftUploadHandler

MULTIPART = "multipart/form-data; boundary=edge"


@pytest.fixture
def store() -> LocalObjectStore:
    return LocalObjectStore()


def form_for(store: LocalObjectStore, key: str = "u/j~a.vcf", max_bytes: int = 100) -> UploadForm:
    return store.upload_form(key, max_bytes=max_bytes, redirect_url=None, expires_seconds=60)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "key", ["../out", "/etc/passwd", "a/../../out", "a//b", "", ".", ".incoming/x", "a\0b"]
)
def test_no_key_leads_out_of_the_folder(store: LocalObjectStore, tmp_path: Path, key: str):
    (tmp_path / "file").write_bytes(b"body")
    with pytest.raises(SuspiciousFileOperation):
        store.publish(tmp_path / "file", key)
    with pytest.raises(SuspiciousFileOperation):
        store.upload_form(key, max_bytes=1, redirect_url=None, expires_seconds=1)
    with pytest.raises(SuspiciousFileOperation):
        store.open(key)
    with pytest.raises(SuspiciousFileOperation):
        store.delete(key)


def test_an_upload_that_breaks_off_leaves_nothing(store: LocalObjectStore, folders: Path):
    form = form_for(store)
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="key"\r\n\r\n'
        + form.fields["key"].encode()
        + b"\r\n"
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.vcf"\r\n\r\nhalf of i'
    )
    response = Client().post(form.url, data=body, content_type=MULTIPART)
    assert response.status_code == 400
    assert b"IncompleteBody" in response.content
    assert files_below(folders / "objects") == []


def test_a_refused_upload_leaves_nothing(store: LocalObjectStore, folders: Path):
    Client().post(form_for(store).url, {"key": "u/j~a.vcf", "file": SimpleUploadedFile("a.vcf", b"x" * 200)})
    assert files_below(folders / "objects") == []


def test_no_byte_beyond_the_limit_is_written(store: LocalObjectStore):
    with store.draft() as draft:
        handler = DraftUploadHandler(HttpRequest(), draft, max_bytes=10)
        handler.receive_data_chunk(b"x" * 10, 0)
        with pytest.raises(StopUpload):
            handler.receive_data_chunk(b"y", 10)
        assert draft.file.tell() == 10


def test_an_upload_without_permission_is_not_stored_at_all(folders: Path):
    response = Client().post("/storage/upload/", {"key": "u/a", "file": SimpleUploadedFile("a.vcf", b"body")})
    assert response.status_code == 403
    assert not (folders / "objects").exists()


def test_a_form_without_a_file_is_refused(store: LocalObjectStore):
    response = Client().post(form_for(store).url, {"key": "u/j~a.vcf"})
    assert response.status_code == 400
    assert b"No file was chosen" in response.content


def test_a_browser_reads_a_refusal_as_a_page(store: LocalObjectStore, db: None):
    form = form_for(store)
    response = Client(headers={"Accept": "text/html,*/*;q=0.8"}).post(
        form.url, form.fields | {"file": SimpleUploadedFile("a.vcf", b"x" * 200)}
    )
    assert response.status_code == 400
    assert "larger than the 100\xa0bytes allowed" in response.content.decode()
    assert "To the upload page" in response.content.decode()


def test_a_file_name_that_climbs_stays_below_its_prefix(store: LocalObjectStore):
    form = form_for(store, "u/j~${filename}")
    boundary = "edge"
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n{value}\r\n'
        for name, extra, value in [
            ("key", "", form.fields["key"]),
            ("file", '; filename="../../../out.vcf"', "body"),
        ]
    )
    body = f"{parts}--{boundary}--\r\n".encode()
    assert Client().post(form.url, data=body, content_type=MULTIPART).status_code == 204
    assert list(store.keys("")) == ["u/j~out.vcf"]


def test_a_file_name_too_long_for_the_disk_is_refused_with_what_to_do(store: LocalObjectStore):
    form = form_for(store, "u/j~${filename}")
    sent = Client().post(form.url, form.fields | {"file": SimpleUploadedFile("ä" * 130 + ".vcf", b"body")})
    assert sent.status_code == 400
    assert b"give it another one" in sent.content


def test_a_grant_to_upload_is_none_to_download(store: LocalObjectStore, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"body")
    store.publish(tmp_path / "file", "key")
    policy = form_for(store, "key").url.partition("policy=")[2]
    assert Client().get(f"/storage/download/?grant={policy}").status_code == 403


def test_a_download_is_never_shown_as_a_page(store: LocalObjectStore, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"<html>")
    store.publish(tmp_path / "file", "key")
    response = Client().get(store.download_url("key", file_name="a.html", expires_seconds=60))
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "no-store" in response.headers["Cache-Control"]
    assert b"".join(response) == b"<html>"


def test_a_download_of_what_is_gone_says_so(db: None):
    sealed = seal(DownloadGrant("gone", "a.vcf", expires_at=4e9))
    response = Client().get("/storage/download/", {"grant": sealed})
    assert response.status_code == 404
    assert "no longer here" in response.content.decode()


def test_a_resumed_download_of_another_version_starts_anew(store: LocalObjectStore, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"0123456789")
    store.publish(tmp_path / "file", "key")
    url = store.download_url("key", file_name="a", expires_seconds=60)
    response = Client().get(url, headers={"Range": "bytes=5-", "If-Range": '"older"'})
    assert (response.status_code, b"".join(response)) == (200, b"0123456789")


def test_what_the_disk_refuses_is_an_error_of_the_storage(store: LocalObjectStore, tmp_path: Path):
    with pytest.raises(StorageError):
        store.publish(tmp_path / "missing", "key")


def test_a_draft_that_a_killed_process_left_is_removed(
    store: LocalObjectStore, folders: Path, monkeypatch: pytest.MonkeyPatch
):
    left = folders / "objects" / local.INCOMING / "left"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    with store.draft():
        assert left.exists()
    monkeypatch.setattr(drafts, "STALE_SECONDS", -1)
    with store.draft():
        assert not left.exists()


def test_a_full_disk_is_said_to_the_sender(store: LocalObjectStore, monkeypatch: pytest.MonkeyPatch):
    def full(*args: object, **kwargs: object) -> io.BytesIO:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drafts.tempfile, "NamedTemporaryFile", full)
    form = form_for(store)
    response = Client().post(form.url, form.fields | {"file": SimpleUploadedFile("a.vcf", b"body")})
    assert response.status_code == 503
    assert b"try again later" in response.content


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=95-200", range(95, 100)),
        ("bytes=-200", range(100)),
        ("bytes=7-3", None),
        ("bytes=-", None),
        ("lines=1-2", None),
        ("", None),
    ],
)
def test_a_range_header_is_read_as_the_rfc_says(header: str, expected: range | None):
    assert ranges.requested_range(header, 100) == expected


def test_the_examples_of_ranges_hold():
    outcome = doctest.testmod(ranges)
    assert outcome.attempted and not outcome.failed

"""Uploads by the API: in parts, by a form, by address, typed in."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotations.api.tests.arriving import CONTENT, put, send_parts, upload_of
from annotations.api.tests.conftest import Caller
from annotations.incoming import parts
from annotations.incoming.models import Upload
from annotations.storage import object_store
from annotations.tests.fakes import FakeLimits

pytestmark = pytest.mark.django_db
FILE = bytes(range(256)) * 10  # three parts of 1024 bytes


@pytest.fixture(autouse=True)
def _small_parts(settings: Any) -> None:
    settings.UPLOAD_PART_BYTES = 1024


def begin(call: Caller, size_bytes: int = len(FILE), name: str = "a.vcf") -> dict[str, Any]:
    answer = call.post("/uploads", {"file_name": name, "size_bytes": size_bytes})
    assert answer.status_code == 201
    return dict(answer.json())


def test_what_broke_off_goes_on_where_it_stopped(call: Caller):
    upload = begin(call)
    assert (upload["part_bytes"], upload["part_count"], upload["state"]) == (1024, 3, "RECEIVING")
    send_parts(call, upload, FILE, [2])
    there = call.get(f"/uploads/{upload['id']}").json()
    assert [part["number"] for part in there["parts"]] == [2] and there["received_bytes"] == 1024
    refused = call.post(f"/uploads/{upload['id']}/complete")
    assert refused.status_code == 422 and "missing: 1, 3" in refused.json()["detail"]
    send_parts(call, upload, FILE, [1, 3])
    assert call.post(f"/uploads/{upload['id']}/complete").json()["state"] == "READY"
    with object_store().open(Upload.objects.get().key) as file:
        assert file.read() == FILE
    assert call.post(f"/uploads/{upload['id']}/complete").status_code == 200  # again changes nothing
    assert call.get("/uploads").json()["items"] == []


def test_the_etags_make_sure_that_it_is_the_senders_file(call: Caller):
    upload = begin(call)
    etags = send_parts(call, upload, FILE)
    named = [{"number": number, "etag": etag} for number, etag in enumerate(etags, start=1)]
    wrong = [{"number": 1, "etag": "0" * 32}, *named[1:]]
    answer = call.post(f"/uploads/{upload['id']}/complete", {"parts": wrong})
    assert answer.status_code == 422 and "ETags" in answer.json()["detail"]
    assert call.post(f"/uploads/{upload['id']}/complete", {"parts": named}).status_code == 200


def test_no_more_comes_than_the_tier_takes(call: Caller, limits: FakeLimits):
    limits.upload_max_bytes = 1500
    answer = call.post("/uploads", {"file_name": "a.vcf", "size_bytes": 1501})
    assert answer.status_code == 413 and answer.json()["limit_bytes"] == 1500
    upload = begin(call, 1500)
    assert call.post(f"/uploads/{upload['id']}/parts", {"numbers": [3]}).status_code == 422
    (part,) = call.post(f"/uploads/{upload['id']}/parts", {"numbers": [2]}).json()["items"]
    assert part["size_bytes"] == 476 and put(part["url"], b"x" * 477).status_code == 400
    send_parts(call, upload, FILE[:1500])
    limits.upload_max_bytes = 1000  # the tier ended meanwhile
    assert call.post(f"/uploads/{upload['id']}/complete").status_code == 413
    assert list(object_store().keys("")) == []


def test_an_upload_that_was_given_up_takes_nothing_more(call: Caller):
    upload = begin(call)
    (part,) = call.post(f"/uploads/{upload['id']}/parts", {"numbers": [1]}).json()["items"]
    assert call.delete(f"/uploads/{upload['id']}").status_code == 204
    assert put(part["url"], FILE[:1024]).status_code == 404
    assert call.get(f"/uploads/{upload['id']}").status_code == 404


def test_a_finished_upload_takes_nothing_more(call: Caller):
    upload_id = upload_of(call)
    assert call.post(f"/uploads/{upload_id}/parts", {"numbers": [1]}).status_code == 409


def test_another_users_upload_is_not_there(call: Caller, other: Caller):
    path = f"/uploads/{begin(other)['id']}"
    assert call.get(path).status_code == 404
    assert call.post(f"{path}/parts", {"numbers": [1]}).status_code == 404
    assert call.post(f"{path}/complete").status_code == 404
    assert call.delete(path).status_code == 404
    assert call.get("/uploads").json()["items"] == []
    assert Upload.objects.count() == 1


def test_nobody_piles_unfinished_uploads_up(call: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parts, "MOST_UNFINISHED", 1)
    begin(call)
    assert call.post("/uploads", {"file_name": "a.vcf", "size_bytes": 3}).status_code == 409


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\a.vcf", ".hidden", "${filename}", "a~b.vcf"])
def test_no_name_leads_out_of_ones_own_place(call: Caller, name: str):
    upload = Upload.objects.get(pk=begin(call, name=name)["id"])
    assert upload.key.count("/") == 1 and upload.key.startswith(f"{call.user.pk}/{upload.upload_id}~")


@pytest.mark.parametrize(
    "body",
    [
        {"file_name": "a.vcf"},
        {"file_name": "a.vcf", "size_bytes": 0},
        {"file_name": "a\x00b", "size_bytes": 1},
        {"file_name": "", "size_bytes": 1},
        {"file_name": "a.vcf", "size_bytes": 10**30},
    ],
)
def test_what_is_no_upload_is_refused(call: Caller, body: dict[str, Any]):
    assert call.post("/uploads", body).status_code in {413, 422}


def test_a_form_takes_a_file_in_one_piece(call: Caller):
    form = call.post("/uploads/form", {"file_name": "a.vcf"}).json()
    path = form["url"].removeprefix("http://testserver")
    sent = Client(enforce_csrf_checks=True).post(
        path, form["fields"] | {"file": SimpleUploadedFile("a.vcf", CONTENT)}
    )
    assert sent.status_code == 204
    assert call.get(f"/uploads/{form['upload']['id']}").json()["state"] == "READY"


def test_old_uploads_are_forgotten(call: Caller):
    upload = begin(call)
    send_parts(call, upload, FILE, [1])
    Upload.objects.update(created_at="2020-01-01T00:00:00Z")
    parts.forget_old()
    assert not Upload.objects.exists()

"""The worker fetches a file from an address: whole, within the tier's limit, from nowhere within."""

from typing import Any

import pytest

from annotations.incoming import fetching
from annotations.incoming.models import Upload
from annotations.incoming.queries import MOST_FETCHES
from annotations.outbound import AddressRefused
from annotations.outbound.tests.test_client import Server
from annotations.storage import object_store
from annotations.tests.fakes import FakeLimits

pytestmark = pytest.mark.django_db


def begun(user: Any, server: Server, path: str = "/data/my%20file.vcf.gz?x=1") -> Upload:
    return fetching.begin(user, server.url + path)


def fetched(upload: Upload, task_id: str = "t1") -> Upload:
    fetching.fetch(upload.upload_id, task_id, retry_seconds=10)
    upload.refresh_from_db()
    return upload


def test_the_file_becomes_an_upload_that_is_ready(
    user: Any, server: Server, sent_tasks: list[Any], django_capture_on_commit_callbacks: Any
):
    server.gives(200, b"content")
    with django_capture_on_commit_callbacks(execute=True):
        upload = begun(user, server)
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.fetch_upload", (upload.upload_id,))]
    upload = fetched(upload)
    assert (upload.state, upload.size_bytes, upload.file_name) == ("READY", 7, "my_file.vcf.gz")
    with object_store().open(upload.key) as file:
        assert file.read() == b"content"
    fetching.fetch(upload.upload_id, "t2", retry_seconds=10)  # a second message finds nothing to do
    assert len(server.asked) == 1


def test_a_file_beyond_the_tiers_limit_is_not_kept(user: Any, server: Server, limits: FakeLimits):
    limits.upload_max_bytes = 6
    server.gives(200, b"content")
    upload = fetched(begun(user, server))
    assert upload.state == "FAILED" and "6" in upload.failure and "bgzip" in upload.failure
    assert list(object_store().keys("")) == []


@pytest.mark.parametrize(
    ("status", "told"), [(404, "404"), (302, "redirects are not followed"), (403, "403")]
)
def test_what_no_other_try_mends_fails_at_once(user: Any, server: Server, status: int, told: str):
    server.gives(status, b"<html>", Location="/elsewhere")
    upload = fetched(begun(user, server))
    assert upload.state == "FAILED" and told in upload.failure


def test_an_empty_file_is_none(user: Any, server: Server):
    server.gives(200, b"")
    assert "empty" in fetched(begun(user, server)).failure


def test_what_passes_is_tried_again_and_given_up_in_the_end(user: Any, server: Server):
    server.gives(503)
    upload = begun(user, server)
    for _ in range(MOST_FETCHES - 1):
        with pytest.raises(fetching.TryLater):
            fetched(upload)
    upload = fetched(upload)
    assert upload.state == "FAILED" and "503" in upload.failure


def test_a_connection_that_breaks_off_makes_no_upload(user: Any, server: Server):
    def half(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")

    server.answer = half
    with pytest.raises(fetching.TryLater):
        fetched(begun(user, server))
    assert list(object_store().keys("")) == []


def test_internal_addresses_are_refused_when_typed_and_when_their_name_says_so_later(
    user: Any, server: Server, settings: Any
):
    upload = begun(user, server)
    settings.OUTBOUND_ALLOWED = []
    for url in (
        "https://127.0.0.1/a.vcf",
        "http://example.org/a.vcf",
        "https://169.254.169.254/latest/meta-data",
    ):
        with pytest.raises(AddressRefused):
            fetching.begin(user, url)
    Upload.objects.update(source_url="https://localhost/a.vcf")
    upload = fetched(upload)
    assert upload.state == "FAILED" and "internal" in upload.failure and server.asked == []


def test_an_upload_that_was_given_up_meanwhile_is_left_alone(user: Any, server: Server):
    upload = begun(user, server)
    upload_id = upload.upload_id
    upload.delete()
    fetching.fetch(upload_id, "t1", retry_seconds=10)
    assert server.asked == []


def test_the_sweep_sends_what_was_lost(user: Any, server: Server, sent_tasks: list[Any]):
    upload = begun(user, server)
    sent_tasks.clear()
    fetching.resend_lost()
    assert sent_tasks == []
    Upload.objects.update(queued_at="2020-01-01T00:00:00Z")
    fetching.resend_lost()
    assert [task.args for task in sent_tasks] == [(upload.upload_id,)]

"""From an uploaded file to a job."""

import doctest
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from annotations import uploads
from annotations.models import Job, Status
from annotations.storage.port import object_store
from annotations.tests.bundles import write_bundle
from annotations.tests.factories import make_submitted_job
from annotations.tests.fakes import FakeLimits
from annotations.uploads import FILE_NAME_MAX_CHARACTERS, OverLimit, UploadRefused, safe_file_name

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]


@pytest.fixture(autouse=True)
def reference(settings: Any) -> None:
    write_bundle(settings.REFERENCES_DIR)


@pytest.fixture
def upload(user: Any, tmp_path: Path) -> Any:
    """Makes an upload that has arrived. Returns its key."""

    def arrive(body: bytes = b"##fileformat=VCFv4.2\n", name: str = "patient.vcf", owner: Any = user) -> str:
        key = uploads.begin(owner, name).fields["key"]
        (tmp_path / "sent").write_bytes(body)
        object_store().publish(tmp_path / "sent", key)
        return key

    return arrive


def submit(user: Any, key: str, reference: str = "demo/1") -> Job:
    return uploads.submit(user, key, reference, haplotype_aware=False)


def test_an_upload_becomes_a_pending_job_of_its_owner(user: Any, upload: Any):
    key = upload(name="my patient.vcf")
    job = submit(user, key)
    job.refresh_from_db()
    assert (job.user, job.status, job.reference) == (user, Status.PENDING, "demo/1")
    assert (job.input_file_name, job.input_key, job.input_bytes) == ("my_patient.vcf", key, 21)
    assert key == f"{user.pk}/{job.job_id}~my_patient.vcf"


def test_the_annotation_is_sent_once_the_job_is_in_the_database(
    user: Any, upload: Any, sent_tasks: Any, django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks(execute=True):
        job = submit(user, upload())
        assert sent_tasks == []
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.annotate", (job.job_id,))]


def test_submitting_again_gives_the_same_job_and_sends_nothing(
    user: Any, upload: Any, sent_tasks: Any, django_capture_on_commit_callbacks: Any
):
    key = upload()
    first = submit(user, key)
    with django_capture_on_commit_callbacks(execute=True):
        second = submit(user, key)
    assert second == first
    assert Job.objects.of(user).count() == 1
    assert sent_tasks == []


def test_of_two_submits_at_once_the_later_gets_the_job_of_the_earlier_and_sends_nothing(
    user: Any,
    upload: Any,
    sent_tasks: Any,
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    key = upload()
    first = submit(user, key)
    monkeypatch.setattr(uploads, "job_of", lambda *_: None)  # as seen before the other had made it
    with django_capture_on_commit_callbacks(execute=True):
        assert submit(user, key) == first
    assert sent_tasks == []


def test_submitting_again_gives_the_same_job_even_when_its_input_is_gone(user: Any, upload: Any):
    key = upload()
    job = submit(user, key)
    object_store().delete(key)
    assert submit(user, key) == job


def test_the_upload_of_another_user_is_refused_and_stays(user: Any, other_user: Any, upload: Any):
    key = upload(owner=other_user)
    with pytest.raises(UploadRefused, match="not an upload of yours"):
        submit(user, key)
    assert object_store().size_bytes(key)


@pytest.mark.parametrize("key", ["", "a/b", "../x~y", "{user}/not-a-job~a.vcf", "{user}/{job}~a/../b"])
def test_a_key_that_no_form_gave_is_refused(user: Any, key: str):
    with pytest.raises(UploadRefused):
        submit(user, key.format(user=user.pk, job=uuid.uuid4()))


def test_a_file_that_never_arrived_is_refused(user: Any):
    key = uploads.begin(user, "a.vcf").fields["key"]
    with pytest.raises(UploadRefused, match="has not arrived"):
        submit(user, key)


def test_an_empty_file_is_refused_and_deleted(user: Any, upload: Any):
    key = upload(b"")
    with pytest.raises(UploadRefused, match=r"patient\.vcf is empty"):
        submit(user, key)
    assert list(object_store().keys("")) == []


def test_a_file_above_the_tiers_limit_is_refused_with_what_to_do_and_deleted(
    user: Any, upload: Any, limits: FakeLimits
):
    key = upload()
    limits.label, limits.upload_max_bytes = "Tiny", 10
    with pytest.raises(OverLimit, match=r"on the Tiny tier a file may have up to 10.bytes\. Compress it"):
        submit(user, key)
    assert list(object_store().keys("")) == []


def test_as_many_jobs_wait_or_run_at_once_as_the_tier_allows(user: Any, upload: Any, limits: FakeLimits):
    limits.jobs_at_once = 2
    make_submitted_job(user, status="RUNNING")
    make_submitted_job(user, status="FAILED")
    submit(user, upload())
    key = upload()
    with pytest.raises(OverLimit, match="2 of your jobs are waiting or running"):
        submit(user, key)
    assert object_store().size_bytes(key)  # it waits for its turn
    Job.objects.filter(status="RUNNING").update(status="COMPLETED")
    assert submit(user, key).status == Status.PENDING


def test_a_day_has_as_many_jobs_as_the_tier_allows(
    user: Any, other_user: Any, upload: Any, limits: FakeLimits
):
    limits.jobs_a_day = 2
    make_submitted_job(other_user)
    make_submitted_job(user, status="FAILED")
    yesterday = timezone.now() - timedelta(hours=25)
    make_submitted_job(user, status="COMPLETED", submitted_at=yesterday)
    submit(user, upload())
    with pytest.raises(OverLimit, match="2 jobs in the last 24 hours"):
        submit(user, upload())


def test_haplotype_aware_consequences_are_for_who_has_them(user: Any, upload: Any, limits: FakeLimits):
    key = upload()
    limits.haplotype_aware = False
    with pytest.raises(OverLimit, match="Haplotype-aware consequences are not part of"):
        uploads.submit(user, key, "demo/1", haplotype_aware=True)
    limits.haplotype_aware = True
    assert uploads.submit(user, key, "demo/1", haplotype_aware=True).haplotype_aware


def test_a_submit_sent_twice_is_not_one_job_too_many(user: Any, upload: Any, limits: FakeLimits):
    limits.jobs_at_once = 1
    key = upload()
    assert submit(user, key) == submit(user, key)


@pytest.mark.django_db(transaction=True)
def test_of_many_submits_at_once_only_as_many_get_in_as_fit(user: Any, upload: Any, limits: FakeLimits):
    limits.jobs_at_once = 2

    def try_to_submit(key: str) -> bool:
        try:
            submit(user, key)
        except OverLimit:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(try_to_submit, [upload() for _ in range(6)])) == 2
    assert Job.objects.of(user).count() == 2


def test_a_reference_that_is_not_there_is_refused_and_the_file_stays(user: Any, upload: Any):
    key = upload()
    with pytest.raises(UploadRefused, match="no reference hg19/1"):
        submit(user, key, "hg19/1")
    assert object_store().size_bytes(key)
    assert not Job.objects.of(user).exists()


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\boot.ini", "<b>.vcf", "a\r\nX: y.vcf", "~.vcf", "", "..", "/", 'a"b.vcf'],
)
def test_a_file_name_is_safe_in_keys_paths_and_headers(name: str):
    safe = safe_file_name(name)
    assert safe
    assert not set(safe) & set("/\\~<>\"'\r\n\0 ")
    assert not safe.startswith(".")


def test_a_long_file_name_keeps_its_ending():
    safe = safe_file_name("x" * 500 + ".vcf.gz")
    assert len(safe) == FILE_NAME_MAX_CHARACTERS
    assert safe.endswith("x.vcf.gz")


def test_the_examples_of_file_names_hold():
    outcome = doctest.testmod(uploads)
    assert outcome.attempted and not outcome.failed

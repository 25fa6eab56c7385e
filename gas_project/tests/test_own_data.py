"""A user's jobs and data are theirs: to try again, to take away, to delete."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations import removing
from annotations.api import tokens
from annotations.incoming.models import Upload
from annotations.limits import usage_of
from annotations.models import Job, ResultState, Status
from annotations.sharing import links
from annotations.storage import StorageError
from annotations.storage.port import object_store
from annotations.tests.factories import make_job
from annotations.webhooks import announcing
from annotations.webhooks.models import Webhook
from billing.tests.stripe import Person, running
from gas_project.accounts.deleting import delete_account
from gas_project.accounts.models import User
from gas_project.tests.factories import make_admin

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(user: User) -> Client:
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def put(tmp_path: Path, key: str, body: bytes = b"data") -> str:
    (tmp_path / "body").write_bytes(body)
    object_store().publish(tmp_path / "body", key)
    return key


def finished_job(user: User, tmp_path: Path) -> Job:
    job = make_job(user, status=Status.COMPLETED, result_state=ResultState.AVAILABLE)
    prefix = f"{user.pk}/{job.job_id}/0a/"
    keys = {"result_key": "patient.annot.vcf.gz", "log_key": "patient.vcf.count.log"}
    Job.objects.filter(pk=job.pk).update(
        **{name: put(tmp_path, prefix + file, file.encode()) for name, file in keys.items()}
    )
    put(tmp_path, job.input_key, b"the upload")
    return Job.objects.get(pk=job.pk)


def test_a_failed_job_is_tried_again_and_sent_once(
    owner: Client, user: User, sent_tasks: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    job = make_job(user, status=Status.FAILED, failure_reason="worker_lost")
    assert b'id="retry"' in owner.get(job.get_absolute_url()).content
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            owner.post(reverse("annotations:retry_job", args=[job.job_id]))
    assert Job.objects.get(pk=job.pk).status == Status.PENDING
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.annotate", (job.job_id,))]


def test_jobs_are_tried_again_only_as_far_as_the_tier_has_room(owner: Client, user: User) -> None:
    jobs = [make_job(user, status=Status.FAILED, failure_reason="worker_lost") for _ in range(3)]
    pages = [
        owner.post(reverse("annotations:retry_job", args=[job.job_id]), follow=True).content.decode()
        for job in jobs
    ]
    assert [Job.objects.get(pk=job.pk).status for job in jobs] == ["PENDING", "PENDING", "FAILED"]
    assert "room for 2 at once" in pages[2] and "room for" not in pages[1]
    assert usage_of(user).at_once == 2


def test_a_file_that_cannot_be_used_is_not_offered_to_be_tried_again(owner: Client, user: User) -> None:
    job = make_job(user, status=Status.FAILED, failure_reason="unusable_input")
    assert b'id="retry"' not in owner.get(job.get_absolute_url()).content
    owner.post(reverse("annotations:retry_job", args=[job.job_id]))
    assert Job.objects.get(pk=job.pk).status == Status.FAILED


def test_a_deleted_job_leaves_no_record_and_no_file(
    owner: Client, user: User, other_user: User, tmp_path: Path
) -> None:
    job, kept = finished_job(user, tmp_path), finished_job(other_user, tmp_path)
    url = reverse("annotations:delete_job", args=[job.job_id])
    assert b"for good" in owner.get(url).content
    assert Job.objects.filter(pk=job.pk).exists(), "asking is not deleting"
    assert owner.post(url).status_code == 302
    assert not Job.objects.filter(pk=job.pk).exists()
    assert list(object_store().keys(f"{user.pk}/")) == []
    assert len(list(object_store().keys(f"{other_user.pk}/"))) == 3
    assert Job.objects.filter(pk=kept.pk).exists()


def test_a_running_job_that_is_deleted_can_no_longer_complete(user: User, tmp_path: Path) -> None:
    job = make_job(user, status=Status.RUNNING, claimed_by="t")
    removing.delete_job(job)
    assert not Job.objects.report(job.job_id, "t", "annotate", 1)


def test_when_files_cannot_be_deleted_the_job_stays_and_its_owner_is_told(
    owner: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def keys(self, prefix: str) -> Any:
            raise StorageError("away")

    job = make_job(user, status=Status.COMPLETED)
    monkeypatch.setattr(removing, "object_store", Broken)
    page = owner.post(reverse("annotations:delete_job", args=[job.job_id]), follow=True)
    assert b"try again in some minutes" in page.content
    assert Job.objects.filter(pk=job.pk).exists()


def test_all_data_come_as_one_archive(owner: Client, user: User, other_user: User, tmp_path: Path) -> None:
    job = finished_job(user, tmp_path)
    finished_job(other_user, tmp_path)
    archive = zipfile.ZipFile(io.BytesIO(owner.get(reverse("take_out")).getvalue()))
    assert archive.testzip() is None
    assert json.loads(archive.read("account.json"))["email"] == user.email
    (described,) = json.loads(archive.read("jobs.json"))
    assert (described["job_id"], described["status"]) == (job.job_id, "COMPLETED")
    assert "claimed_by" not in described
    assert archive.read(f"{job.job_id}/patient.annot.vcf.gz") == b"patient.annot.vcf.gz"
    assert archive.read(f"{job.job_id}/input/patient.vcf") == b"the upload"
    assert len(archive.namelist()) == 5


def test_the_archive_lists_tokens_links_uploads_and_webhooks_without_their_secrets(
    owner: Client, user: User, other_user: User
) -> None:
    for person in (user, other_user):
        job = make_job(person)
        token, secret = tokens.make(person, "laptop", ["read"])
        _, address = links.make(job, timedelta(days=1), "my doctor")
        Upload.objects.create(user=person, file_name="half.vcf", key="k", size_bytes=5)
        webhook = Webhook.objects.create(user=person, url="https://example.org/hook")
        announcing.announce_test(webhook)
        if person == user:
            secrets = (secret, token.digest, address, webhook.secret)
    archive = zipfile.ZipFile(io.BytesIO(owner.get(reverse("take_out")).getvalue()))
    text = archive.read("account.json").decode()
    about = json.loads(text)
    assert [one["name"] for one in about["tokens"]] == ["laptop"]
    assert [one["note"] for one in about["links"]] == ["my doctor"]
    assert [one["file_name"] for one in about["uploads"]] == ["half.vcf"]
    assert [one["messages"][0]["event"] for one in about["webhooks"]] == ["webhook.test"]
    assert not any(secret in text for secret in secrets)


def test_a_file_that_has_gone_is_left_out_of_the_archive(owner: Client, user: User) -> None:
    make_job(user)
    archive = zipfile.ZipFile(io.BytesIO(owner.get(reverse("take_out")).getvalue()))
    assert archive.namelist() == ["account.json", "jobs.json"]


def test_an_account_is_deleted_with_all_its_files_by_who_knows_its_password(
    owner: Client, user: User, tmp_path: Path
) -> None:
    finished_job(user, tmp_path)
    put(tmp_path, f"{user.pk}/00000000-0000-0000-0000-000000000000~never-submitted.vcf")
    user.set_password("a long password")
    user.save()
    owner.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    url = reverse("delete_account")
    assert b"not your password" in owner.post(url, {"password": "a guess"}).content
    assert User.objects.filter(pk=user.pk).exists()
    assert owner.post(url, {"password": "a long password"}).status_code == 302
    assert not User.objects.filter(pk=user.pk).exists()
    assert not Job.objects.exists()
    assert list(object_store().keys(f"{user.pk}/")) == []
    assert owner.get(reverse("profile")).status_code == 302


def test_whoever_deletes_their_account_is_charged_no_more(user: User, settings: Any) -> None:
    with running(settings) as standin:
        subscription = Person(standin, user).subscribe()
        delete_account(user)
        assert standin.account.objects[subscription["id"]]["status"] == "canceled"
        assert not standin.account.all("customer")


def test_while_a_subscription_cannot_be_ended_nothing_is_deleted(
    owner: Client, user: User, settings: Any
) -> None:
    make_job(user)
    user.set_password("a long password")
    user.save()
    owner.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    with running(settings) as standin:
        Person(standin, user).subscribe()
        settings.STRIPE_API_KEY = "sk_test_another"
        page = owner.post(reverse("delete_account"), {"password": "a long password"}, follow=True)
    assert b"nothing was deleted" in page.content
    assert Job.objects.of(User.objects.get(pk=user.pk, is_active=True)).exists()


def test_people_of_the_staff_are_not_gone_by_a_click() -> None:
    client, staff = Client(), make_admin()
    staff.set_password("a long password")
    staff.save()
    client.force_login(staff)
    assert (
        b"by another one" in client.post(reverse("delete_account"), {"password": "a long password"}).content
    )

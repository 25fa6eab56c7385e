"""What the staff do in the admin is done by a job's verbs, and stands in its history."""

from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from botocore.exceptions import EndpointConnectionError
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from annotations.models import Job, ResultState, Shard, Status
from annotations.storage.port import object_store
from annotations.tests.factories import make_job
from gas_project import operations
from gas_project.accounts.models import User
from gas_project.tests.factories import make_admin, make_user
from tasks.deadletters import DeadLetter
from tasks.sqs import Depth

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_admin())
    return client


def act(admin: Client, action: str, *jobs: Job) -> str:
    data = {"action": action, "_selected_action": [job.pk for job in jobs]} | (
        {"post": "yes"} if action == "delete_selected" else {}
    )
    response = admin.post(reverse("admin:annotations_job_changelist"), data, follow=True)
    return str(response.content.decode())


def history(job: Job) -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=job.pk)]


def test_failed_jobs_are_tried_again(
    admin: Client, user: User, sent_tasks: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    failed, done = make_job(user, status=Status.FAILED), make_job(user, status=Status.COMPLETED)
    with django_capture_on_commit_callbacks(execute=True):
        page = act(admin, "retry", failed, done)
    assert "Jobs: 1." in page and "1 were not failed" in page
    assert [task.args for task in sent_tasks] == [(failed.job_id,)]
    assert (history(failed), history(done)) == (["Tried again."], [])


def test_jobs_are_cancelled(admin: Client, user: User) -> None:
    job = make_job(user, status=Status.RUNNING)
    act(admin, "cancel", job)
    assert Job.objects.get(pk=job.pk).status == Status.CANCELLED
    assert history(job) == ["Cancelled."]


def test_a_result_is_archived_and_asked_back(admin: Client, user: User, sent_tasks: list[Any]) -> None:
    job = make_job(user, status=Status.COMPLETED, result_state=ResultState.AVAILABLE)
    page = act(admin, "archive_now", job, make_job(user))
    assert "Jobs: 1." in page and "1 have no result at hand" in page
    job.refresh_from_db()
    assert job.archived_by_hand and job.archive_due_at is not None
    Job.objects.filter(pk=job.pk).update(result_state=ResultState.ARCHIVED, archive_id="a")
    for _ in range(2):
        act(admin, "restore_now", job)
    assert [(task.name, task.args) for task in sent_tasks] == [
        ("tasks.archive", (job.job_id,)),
        ("tasks.thaw_job", (job.job_id,)),
    ]
    assert sorted(history(job)) == ["Asked back from the archive.", "Sent to the archive."]


def test_the_parts_of_a_divided_job_are_on_its_page(admin: Client, user: User) -> None:
    job = make_job(user, status=Status.RUNNING, scatter_id="s", shard_count=2, claimed_by="s")
    Shard.objects.prepare(job.job_id, "s", 2)
    page = admin.get(reverse("admin:annotations_job_change", args=[job.pk])).content.decode()
    assert page.count("0 attempts, last sent") == 2


def test_jobs_are_deleted_with_their_files(admin: Client, user: User, tmp_path: Path) -> None:
    job = make_job(user)
    (tmp_path / "f").write_text("vcf")
    object_store().publish(tmp_path / "f", job.input_key)
    act(admin, "delete_selected", job)
    assert not Job.objects.filter(pk=job.pk).exists()
    assert list(object_store().keys("")) == []
    assert LogEntry.objects.filter(object_id=job.pk).count() == 1


def test_a_download_of_another_s_data_stands_in_the_history(admin: Client, user: User) -> None:
    job = make_job(user)
    page = admin.get(reverse("admin:annotations_job_change", args=[job.pk])).content.decode()
    url = reverse("admin:annotations_job_file", args=[job.pk, "input"])
    assert url in page and "submitted" in page
    assert admin.get(url).status_code == 302
    assert history(job) == ["Downloaded patient.vcf."]
    assert admin.get(reverse("admin:annotations_job_file", args=[job.pk, "table"])).status_code == 404


def test_staff_without_the_permission_do_nothing(user: User) -> None:
    client, job = Client(), make_job(user)
    client.force_login(make_user("s@example.org", is_staff=True))
    client.post(
        reverse("admin:annotations_job_changelist"), {"action": "cancel", "_selected_action": [job.pk]}
    )
    assert Job.objects.get(pk=job.pk).status == Status.PENDING
    assert client.get(reverse("admin:annotations_job_file", args=[job.pk, "input"])).status_code == 404


def test_a_user_is_deleted_with_jobs_and_files(admin: Client, user: User, tmp_path: Path) -> None:
    job = make_job(user)
    (tmp_path / "f").write_text("vcf")
    object_store().publish(tmp_path / "f", job.input_key)
    admin.post(reverse("admin:accounts_user_delete", args=[user.pk]), {"post": "yes"})
    assert not User.objects.filter(pk=user.pk).exists()
    assert list(object_store().keys("")) == []


def test_an_address_is_taken_as_verified_by_the_staff(admin: Client, user: User) -> None:
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    data = {"action": "take_as_verified", "_selected_action": [user.pk]}
    admin.post(reverse("admin:accounts_user_changelist"), data)
    assert EmailAddress.objects.get().verified
    page = admin.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    assert f"{user.email}, primary, verified" in page


def test_the_audit_log_says_who_did_what_and_nobody_can_change_it(admin: Client, user: User) -> None:
    act(admin, "cancel", make_job(user))
    url = reverse("admin:admin_logentry_changelist")
    page = admin.get(url).content.decode()
    assert "Cancelled." in page and "patient.vcf" in page
    entry = LogEntry.objects.get()
    for deed in ("delete", "change"):
        admin.post(reverse(f"admin:admin_logentry_{deed}", args=[entry.pk]), {"post": "yes"})
    assert list(LogEntry.objects.values_list("pk", "object_repr")) == [(entry.pk, entry.object_repr)]


def test_no_two_groups_of_the_admin_have_one_name(admin: Client) -> None:
    groups = [app["name"] for app in admin.get(reverse("admin:index")).context["app_list"]]
    assert len(groups) == len(set(groups)), groups


class FakeBroker:
    def depth(self, queue: str) -> Depth:
        return Depth(waiting=1 if queue == "annotate-dead" else 7, in_hand=0, delayed=0)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sent: list[str] = []
    letter = DeadLetter("annotate", "", "", "tasks.annotate", ("00000000-0000-0000-0000-000000000000",))
    monkeypatch.setattr(operations, "Broker", FakeBroker)
    monkeypatch.setattr(operations, "looked_at", lambda broker, queue: [letter])

    def requeue(broker: FakeBroker, queue: str) -> int:
        sent.append(queue)
        return 1

    monkeypatch.setattr(operations, "requeue", requeue)
    monkeypatch.setattr(operations, "_workers", lambda: [{"name": "w1@test", "processes": 2, "done": 9}])
    return sent


def test_queues_dead_letters_and_workers_are_on_one_page(admin: Client, broker: list[str]) -> None:
    page = admin.get(reverse("queues")).content.decode()
    assert "tasks.annotate" in page and "w1@test" in page and "Send back to annotate" in page
    assert reverse("queues") in admin.get(reverse("admin:index")).content.decode()


def test_dead_letters_are_sent_back_and_that_is_written_down(admin: Client, broker: list[str]) -> None:
    admin.post(reverse("queues"), {"queue": "annotate"})
    admin.post(reverse("queues"), {"queue": "no-such-queue"})
    assert broker == ["annotate"]
    assert LogEntry.objects.get().change_message == "Sent 1 dead letters back."


def test_staff_who_may_not_change_jobs_send_nothing_back(broker: list[str]) -> None:
    client = Client()
    client.force_login(make_user("s@example.org", is_staff=True))
    client.post(reverse("queues"), {"queue": "annotate"})
    assert broker == []


def test_a_broker_that_is_away_is_said_so(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1")

    monkeypatch.setattr(operations, "Broker", away)
    monkeypatch.setattr(operations, "_workers", list)
    assert "can&#x27;t be reached" in admin.get(reverse("queues")).content.decode().replace("'", "&#x27;")

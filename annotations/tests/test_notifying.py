"""One mail a job."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from annotations.models import Job, Status
from annotations.notifying import MailNotSent, notify
from annotations.tests.fakes import MemoryStore, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]


@pytest.fixture
def job(user: Any) -> Job:
    return ended(user, Status.COMPLETED)


def ended(user: Any, status: Status, **fields: Any) -> Job:
    return submit(user, MemoryStore(), status=status, completed_at=timezone.now(), **fields)


def tell(job: Job, task_id: str = "task-1") -> None:
    notify(job.job_id, task_id, retry_seconds=10)


def break_mail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def send(self: EmailMessage) -> int:
        raise error

    monkeypatch.setattr(EmailMessage, "send", send)


def test_success_is_told_with_the_way_to_the_result(job: Job, settings: Any, mailoutbox: list[Any]) -> None:
    settings.SITE_URL = "https://gas.example.org"
    tell(job)
    (mail,) = mailoutbox
    assert mail.to == ["ada@example.org"]
    assert mail.subject == "patient.vcf is annotated"
    assert f"https://gas.example.org{job.get_absolute_url()}" in mail.body


def test_failure_is_told_with_its_reason_as_it_was_written(user: Any, mailoutbox: list[Any]) -> None:
    tell(ended(user, Status.FAILED, failure_message='Line 7: expected "A<C>", found 5 columns.'))
    (mail,) = mailoutbox
    assert mail.subject == "patient.vcf could not be annotated"
    assert 'Line 7: expected "A<C>", found 5 columns.' in mail.body


def test_a_task_that_runs_twice_mails_once(job: Job, mailoutbox: list[Any]) -> None:
    tell(job)
    tell(job)
    assert len(mailoutbox) == 1


def test_a_twin_that_comes_while_the_mail_is_being_sent_mails_nothing(
    job: Job, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = EmailMessage.send

    def send_beside_a_twin(self: EmailMessage) -> int:
        tell(job, "task-1")
        tell(job, "task-2")
        return send(self)

    monkeypatch.setattr(EmailMessage, "send", send_beside_a_twin)
    tell(job)
    assert len(mailoutbox) == 1


def test_a_task_that_died_before_it_sent_only_makes_the_mail_late(
    job: Job, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        break_mail(patch, SystemExit())
        tell(job)
    tell(job, "task-2")
    assert mailoutbox == []
    Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    tell(job, "task-3")
    assert len(mailoutbox) == 1


def test_a_mail_that_goes_twice_after_all_bears_the_same_id(
    job: Job, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("annotations.job_queries.JobQuerySet.notified", lambda *args: False)
        tell(job)
    Job.objects.filter(pk=job.pk).update(lease_expires_at=None)
    tell(job)
    assert len({mail.message()["Message-ID"] for mail in mailoutbox}) == 1


@pytest.mark.parametrize("error", [ConnectionRefusedError(), SMTPServerDisconnected()])
def test_a_mail_server_in_trouble_is_tried_again(
    job: Job, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with monkeypatch.context() as patch, pytest.raises(MailNotSent):
        break_mail(patch, error)
        tell(job)
    tell(job)
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.CANCELLED])
def test_nothing_is_told_of_a_job_that_is_not_over_or_that_its_user_ended(
    user: Any, mailoutbox: list[Any], status: Status
) -> None:
    tell(ended(user, status))
    assert mailoutbox == []


def test_a_file_name_cannot_add_headers(user: Any, mailoutbox: list[Any]) -> None:
    tell(ended(user, Status.COMPLETED, input_file_name="a.vcf\nBcc: eve@example.org"))
    assert mailoutbox[0].subject == "a.vcf Bcc: eve@example.org is annotated"
    assert mailoutbox[0].recipients() == ["ada@example.org"]

"""A message that was delivered in vain fails its job only when the task is known to have broken down."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotations.models import Job, Status
from annotations.sweeping import is_undelivered
from annotations.tests.factories import make_job

pytestmark = pytest.mark.django_db


def test_a_job_whose_task_broke_down_each_time_is_failed_with_a_reason_and_its_user_told(
    user: Any, sent_tasks: list[Any]
) -> None:
    job = make_job(user)
    assert Job.objects.note_breakdown(job.job_id)
    assert is_undelivered(job.job_id)
    assert is_undelivered(job.job_id), "its message stays for the operator"
    job.refresh_from_db()
    assert (job.status, job.failure_reason) == (Status.FAILED, "task_failed")
    assert "tell the people" in job.failure_message
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.notify", (job.job_id,))]


def test_a_job_whose_workers_were_killed_goes_on_by_another_message(user: Any, sent_tasks: list[Any]) -> None:
    job = make_job(user, status=Status.RUNNING, lease_expires_at=timezone.now() - timedelta(hours=1))
    assert is_undelivered(job.job_id)
    job.refresh_from_db()
    assert (job.status, sent_tasks) == (Status.RUNNING, [])


def test_a_job_that_another_run_has_in_hand_is_left_to_it(user: Any) -> None:
    job = make_job(user, status=Status.RUNNING, lease_expires_at=timezone.now() + timedelta(hours=1))
    Job.objects.note_breakdown(job.job_id)
    assert is_undelivered(job.job_id)
    assert Job.objects.get(pk=job.pk).status == Status.RUNNING


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED, None])
def test_a_message_says_nothing_about_a_job_that_came_to_another_end(
    user: Any, status: Status | None
) -> None:
    job = make_job(user, status=status or Status.COMPLETED)
    assert not Job.objects.note_breakdown(job.job_id)
    assert not is_undelivered("no-such-job" if status is None else job.job_id)


def test_a_failed_job_that_is_tried_again_is_as_new_and_only_one_asks_for_it(user: Any) -> None:
    job = make_job(
        user,
        status=Status.FAILED,
        attempts=5,
        failure_reason="worker_lost",
        failure_message="It never came to an end.",
        completed_at=timezone.now(),
        notified_at=timezone.now(),
    )
    assert Job.objects.retry(job.job_id)
    assert not Job.objects.retry(job.job_id)
    job.refresh_from_db()
    assert (job.status, job.attempts, job.failure_reason, job.failure_message) == ("PENDING", 0, "", "")
    assert job.completed_at is None and job.notified_at is None
    assert Job.objects.claim(job.job_id, "a task")

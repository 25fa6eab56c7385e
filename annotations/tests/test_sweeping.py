"""The sweep sends what was sent in vain, and nothing else."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotations import sweeping
from annotations.job_queries import MAX_ATTEMPTS
from annotations.models import Job, Status
from annotations.sweeping import resume_all, sweep_jobs
from annotations.tests.fakes import MemoryStore, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]


def ago(**delta: float) -> datetime:
    return timezone.now() - timedelta(**delta)


def sent(tasks: list[Any]) -> list[tuple[str, str]]:
    return [(task.name, task.args[0]) for task in tasks]


def job_of(user: Any, **fields: Any) -> Job:
    return submit(user, MemoryStore(), **{"queued_at": ago(hours=1), **fields})


def test_a_job_that_nobody_took_is_sent_again_and_once(user: Any, sent_tasks: list[Any]) -> None:
    job = job_of(user)
    sweep_jobs(jobs_in_queue=0)
    sweep_jobs(jobs_in_queue=0)
    assert sent(sent_tasks) == [("tasks.annotate", job.job_id)]


def test_a_job_that_waits_in_a_long_queue_is_not_sent_again_and_again(
    user: Any, sent_tasks: list[Any]
) -> None:
    job_of(user, queued_at=ago(minutes=30))
    sweep_jobs(jobs_in_queue=1000)
    assert sent_tasks == []


def test_a_message_lost_from_a_queue_that_never_empties_is_sent_again_all_the_same(
    user: Any, sent_tasks: list[Any]
) -> None:
    job = job_of(user, queued_at=ago(hours=2))
    sweep_jobs(jobs_in_queue=1000)
    assert sent(sent_tasks) == [("tasks.annotate", job.job_id)]


def test_of_two_sweeps_that_saw_the_same_job_one_sends(user: Any, sent_tasks: list[Any]) -> None:
    job = job_of(user)
    assert Job.objects.resend(job.job_id, job.queued_at)
    assert not Job.objects.resend(job.job_id, job.queued_at)


@pytest.mark.parametrize(
    "fields",
    [
        {"queued_at": timezone.now()},
        {"status": Status.RUNNING, "lease_expires_at": timezone.now() + timedelta(hours=1)},
        {"status": Status.CANCELLED},
        {"status": Status.COMPLETED, "completed_at": ago(hours=1), "notified_at": ago(hours=1)},
        {"status": Status.FAILED, "completed_at": timezone.now() + timedelta(hours=1)},
    ],
    ids=["just sent", "running", "cancelled", "told", "just over"],
)
def test_what_is_well_is_left_alone(user: Any, sent_tasks: list[Any], fields: dict[str, Any]) -> None:
    job_of(user, **fields)
    sweep_jobs(jobs_in_queue=0)
    assert sent_tasks == []


def test_a_job_that_lost_its_worker_is_sent_again(user: Any, sent_tasks: list[Any]) -> None:
    job = job_of(user, status=Status.RUNNING, claimed_by="dead", lease_expires_at=ago(minutes=1), attempts=1)
    sweep_jobs(jobs_in_queue=0)
    assert sent(sent_tasks) == [("tasks.annotate", job.job_id)]
    assert Job.objects.claim(job.job_id, "new")


@pytest.mark.parametrize(
    "fields",
    [{"status": Status.RUNNING, "lease_expires_at": ago(minutes=1)}, {"status": Status.PENDING}],
    ids=["lease ran out", "taken from a dead worker"],
)
def test_a_job_that_takes_every_worker_down_is_given_up_and_its_user_told(
    user: Any, sent_tasks: list[Any], fields: dict[str, Any]
) -> None:
    job = job_of(user, attempts=MAX_ATTEMPTS, **fields)
    sweep_jobs(jobs_in_queue=0)
    job.refresh_from_db()
    assert (job.status, job.failure_reason) == (Status.FAILED, "worker_lost")
    assert sent(sent_tasks) == [("tasks.notify", job.job_id)]


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED])
def test_a_user_whom_nobody_told_is_told(user: Any, sent_tasks: list[Any], status: Status) -> None:
    job = job_of(user, status=status, completed_at=ago(hours=1))
    sweep_jobs(jobs_in_queue=0)
    sweep_jobs(jobs_in_queue=0)
    assert sent(sent_tasks) == [("tasks.notify", job.job_id)]


def test_a_broker_that_is_away_is_not_tried_for_every_job(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def refuse(task: str, job_id: str) -> bool:
        tried.append(job_id)
        return False

    monkeypatch.setattr(sweeping, "enqueue", refuse)
    for _ in range(3):
        job_of(user)
    sweep_jobs(jobs_in_queue=0)
    assert len(tried) == 1


def test_after_a_fresh_start_every_waiting_job_is_sent_however_new(user: Any, sent_tasks: list[Any]) -> None:
    job = job_of(user, queued_at=timezone.now())
    killed = job_of(user, status=Status.RUNNING, attempts=1, lease_expires_at=timezone.now())
    resume_all()
    assert sorted(sent(sent_tasks)) == sorted(
        [("tasks.annotate", job.job_id), ("tasks.annotate", killed.job_id)]
    )

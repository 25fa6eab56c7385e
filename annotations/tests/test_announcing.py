"""Programs hear of every finished job."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from django.utils import timezone

from annotations import announcing
from annotations.models import Job, Status
from annotations.notifying import MailNotSent, notify
from annotations.tests.fakes import MemoryStore, submit

pytestmark = pytest.mark.django_db
TOPIC = "arn:aws:sns:eu-central-1:111122223333:gas-job-results"


class Topic:
    """Keeps what was published; `broken` makes it fail as one that can't be reached."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.broken = False

    def publish(self, **message: Any) -> None:
        if self.broken:
            raise EndpointConnectionError(endpoint_url="https://sns")
        self.published.append(message)


@pytest.fixture
def topic(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Topic:
    settings.JOB_RESULTS_TOPIC = TOPIC
    topic = Topic()
    monkeypatch.setattr(announcing, "_sns", lambda region: topic)
    return topic


@pytest.fixture
def job(user: Any) -> Job:
    return submit(
        user, MemoryStore(), status=Status.COMPLETED, completed_at=timezone.now(), result_key="u/j/r.vcf.gz"
    )


def test_a_finished_job_is_announced_with_its_user_files_and_times(topic: Topic, job: Job) -> None:
    notify(job.job_id, "task-1", retry_seconds=10)
    (published,) = topic.published
    assert published["TopicArn"] == TOPIC
    message = json.loads(published["Message"])
    assert (message["job_id"], message["user_id"], message["email"]) == (
        job.job_id,
        str(job.user_id),
        "ada@example.org",
    )
    assert message["job_status"] == "COMPLETED"
    assert (message["s3_key_input_file"], message["s3_key_result_file"]) == (job.input_key, "u/j/r.vcf.gz")
    assert message["submit_time"] <= message["complete_time"]
    assert published["MessageAttributes"]["job_status"]["StringValue"] == "COMPLETED"


def test_a_failed_job_is_announced_too(topic: Topic, user: Any) -> None:
    job = submit(user, MemoryStore(), status=Status.FAILED, failure_reason="time_limit")
    notify(job.job_id, "task-1", retry_seconds=10)
    message = json.loads(topic.published[0]["Message"])
    assert (message["job_status"], message["failure_reason"], message["complete_time"]) == (
        "FAILED",
        "time_limit",
        None,
    )


def test_a_task_that_runs_twice_announces_once(topic: Topic, job: Job) -> None:
    notify(job.job_id, "task-1", retry_seconds=10)
    notify(job.job_id, "task-2", retry_seconds=10)
    assert len(topic.published) == 1


def test_a_topic_that_is_away_is_told_later_and_no_mail_is_sent_twice(
    topic: Topic, job: Job, mailoutbox: list[Any]
) -> None:
    topic.broken = True
    with pytest.raises(MailNotSent):
        notify(job.job_id, "task-1", retry_seconds=10)
    assert mailoutbox == []
    topic.broken = False
    notify(job.job_id, "task-2", retry_seconds=10)
    assert (len(topic.published), len(mailoutbox)) == (1, 1)


def test_without_a_topic_nobody_is_asked(settings: Any, job: Job, mailoutbox: list[Any]) -> None:
    settings.JOB_RESULTS_TOPIC = ""
    notify(job.job_id, "task-1", retry_seconds=10)
    assert len(mailoutbox) == 1

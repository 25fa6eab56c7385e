"""What was delivered in vain is told to its job, and comes back when an operator says so."""

from typing import Any

import pytest

from annotations.models import Job, Status
from annotations.tests.factories import make_job
from tasks import deadletters
from tasks.queues import TRIES, dead_letters
from tasks.sqs import Broker
from tasks.tests.workers import Site

pytestmark = [pytest.mark.broker, pytest.mark.django_db, pytest.mark.journey]


@pytest.fixture
def broker(site: Site) -> Broker:
    return Broker(site.app.connection_for_write())


def dead_letter(site: Site, broker: Broker, body: str | None = None, *args: str) -> None:
    """A message to annotate that was received as often as it may be, and came to nothing."""
    url = broker.url("annotate")
    if body is None:
        site.app.send_task("tasks.annotate", args=args, queue="annotate")
    else:
        broker.client.send_message(QueueUrl=url, MessageBody=body)
    for _ in range(TRIES + 1):
        broker.client.receive_message(QueueUrl=url, VisibilityTimeout=0)
    assert broker.depth(dead_letters("annotate")).waiting == 1


def test_a_job_that_broke_down_each_time_is_failed_and_its_message_kept(
    site: Site, broker: Broker, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr("annotations.sweeping.enqueue", lambda *call: told.append(call))
    job = make_job(user)
    Job.objects.note_breakdown(job.job_id)
    dead_letter(site, broker, None, job.job_id)
    for _ in range(2):
        deadletters.fail_their_jobs(broker)
    assert Job.objects.get(pk=job.pk).failure_reason == "task_failed"
    assert told == [("notify", job.job_id)]
    (letter,) = deadletters.looked_at(broker, "annotate")
    assert (letter.task, letter.args) == ("tasks.annotate", (job.job_id,))


def test_requeued_it_is_where_it_was_and_its_job_waits_again(site: Site, broker: Broker, user: Any) -> None:
    job = make_job(user, status=Status.FAILED, failure_reason="task_failed")
    dead_letter(site, broker, None, job.job_id)
    assert deadletters.requeue(broker, "annotate") == 1
    assert Job.objects.get(pk=job.pk).status == Status.PENDING
    assert broker.depth(dead_letters("annotate")).waiting == 0
    (message,) = broker.client.receive_message(QueueUrl=broker.url("annotate"))["Messages"]
    assert deadletters._read("annotate", message["Body"], "").unfinished_job_id == job.job_id


def test_a_message_whose_job_came_to_another_end_is_removed(site: Site, broker: Broker, user: Any) -> None:
    dead_letter(site, broker, None, make_job(user, status=Status.COMPLETED).job_id)
    deadletters.fail_their_jobs(broker)
    assert deadletters.looked_at(broker, "annotate") == []


@pytest.mark.parametrize("body", ["no base64!", "bm8ganNvbg==", "eyJib2R5IjogMX0="])
def test_what_is_no_message_of_ours_stays_for_the_operator(site: Site, broker: Broker, body: str) -> None:
    dead_letter(site, broker, body)
    deadletters.fail_their_jobs(broker)
    (letter,) = deadletters.looked_at(broker, "annotate")
    assert (letter.task, letter.unfinished_job_id) == ("", "")

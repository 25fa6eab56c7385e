"""Tasks are thin: what they add to the work is how it is tried again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import Task
from celery.exceptions import Retry

from annotations import notifying, running
from tasks.delay import backoff_seconds
from tasks.pipeline import annotate, notify


@contextmanager
def delivered(task: Task, retries: int) -> Iterator[None]:
    task.push_request(id="task-1", retries=retries, called_directly=False, args=["job-1"], kwargs={})
    yield
    task.pop_request()


@pytest.mark.parametrize(
    ("task", "work", "trouble"),
    [
        (annotate, "annotations.running.run", running.TryLater()),
        (notify, "annotations.notifying.notify", notifying.MailNotSent()),
    ],
    ids=["annotate", "notify"],
)
def test_the_next_try_waits_in_the_queue_and_not_in_a_worker(
    task: Task, work: str, trouble: Exception, monkeypatch: pytest.MonkeyPatch, sent_tasks: list[Any]
) -> None:
    seen: list[tuple[Any, ...]] = []

    def fail(*args: Any, **kwargs: Any) -> None:
        seen.append((*args, kwargs))
        raise trouble

    monkeypatch.setattr(work, fail)
    with delivered(task, retries=2), pytest.raises(Retry):
        task.run("job-1")
    assert seen == [("job-1", "task-1", {"retry_seconds": 40})]
    (sent,) = sent_tasks
    assert (sent.name, list(sent.args)) == (task.name, ["job-1"])
    assert sent.options["delay_seconds"] == 40
    assert not sent.options.get("countdown")
    assert not sent.options.get("eta")
    assert sent.options["task_id"] == "task-1", "whoever holds the claim must be known again"


def test_waits_grow_and_never_exceed_what_sqs_allows() -> None:
    waits = [backoff_seconds(retries) for retries in range(2000)]
    assert waits[:3] == [10, 20, 40]
    assert waits == sorted(waits)
    assert max(waits) == 900

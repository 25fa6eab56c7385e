"""Workers without processes: they take the messages that were sent and do what these say."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotations import running, scattering
from annotations.divided import Divided
from annotations.models import Job, ResultState, Shard, Status
from annotations.tests.fakes import MemoryStore

ALL_OUTPUTS = ["output 0", "output 1", "output 2"]


class Workers:
    """Take the messages sent so far, and do what they say; each is a task with an id of its own."""

    def __init__(self, sent: list[Any]) -> None:
        self.sent = sent
        self.taken = 0

    def take(self) -> list[tuple[str, Any]]:
        messages = [(task.name.removeprefix("tasks."), task.args) for task in self.sent[self.taken :]]
        self.taken = len(self.sent)
        return messages

    def lose(self) -> list[tuple[str, Any]]:
        return self.take()

    def do(self, messages: list[tuple[str, Any]]) -> None:
        tasks: dict[str, Callable[..., None]] = {
            "annotate": running.run,
            "annotate_shard": scattering.run_shard,
            "gather": scattering.gather,
        }
        for number, (name, args) in enumerate(messages):
            if name in tasks:
                tasks[name](*args, f"{name}-{self.taken}-{number}", retry_seconds=10)

    def do_all(self) -> None:
        while messages := self.take():
            self.do(messages)


def with_shards(job: Job) -> Divided:
    found = Divided.of(now(job))
    assert found is not None
    return found


def now(job: Job) -> Job:
    return Job.objects.get(pk=job.job_id)


def lease_runs_out(row: Job | Shard) -> None:
    long_ago = timezone.now() - timedelta(hours=3)
    type(row).objects.filter(pk=row.pk).update(lease_expires_at=long_ago, queued_at=long_ago)


def sent_long_ago(job: Job) -> None:
    long_ago = timezone.now() - timedelta(hours=3)
    Job.objects.filter(pk=job.job_id).update(queued_at=long_ago)
    Shard.objects.update(queued_at=long_ago)


def assert_done_and_tidy(job: Job, store: MemoryStore) -> None:
    job = now(job)
    assert (job.status, job.result_state) == (Status.COMPLETED, ResultState.AVAILABLE)
    assert json.loads(store.objects[job.result_key]) == ALL_OUTPUTS
    files = {job.result_key, job.index_key, job.table_key, job.log_key}
    assert set(store.objects) == files | {job.input_key}
    assert (job.scatter_id, Shard.objects.count()) == (None, 0)


def assert_nothing_left(job: Job, store: MemoryStore) -> None:
    assert list(store.objects) == [job.input_key]
    assert (now(job).scatter_id, Shard.objects.count()) == (None, 0)

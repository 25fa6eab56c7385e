"""A large job on many workers: what is lost, late or doubled on the way changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotations import running, scattering
from annotations.attempts import TryLater
from annotations.divided import Divided
from annotations.engine.errors import EngineFailure
from annotations.job_queries import MAX_ATTEMPTS
from annotations.models import Job, Shard, ShardStatus, Status
from annotations.sweeping import sweep_jobs
from annotations.tests.fake_scatter import FakeScatter, do_nothing
from annotations.tests.fakes import FakeEngine, MemoryStore
from annotations.tests.workers import (
    Workers,
    assert_done_and_tidy,
    assert_nothing_left,
    lease_runs_out,
    now,
    sent_long_ago,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]

Report = Callable[[], None]


def test_a_large_job_is_divided_annotated_in_shards_and_joined_in_order(
    large_job: Job, store: MemoryStore, workers: Workers, scatter: FakeScatter
) -> None:
    running.run(large_job.job_id, "planner", retry_seconds=10)
    messages = workers.take()
    assert messages == [("annotate_shard", (large_job.job_id, number)) for number in range(3)]
    workers.do(messages[::-1])
    assert workers.take() == [("gather", (large_job.job_id,))]
    workers.do([("gather", (large_job.job_id,))])
    assert workers.take() == [("notify", (large_job.job_id,))]
    assert_done_and_tidy(large_job, store)


def test_a_job_up_to_the_threshold_is_annotated_by_one_task(
    large_job: Job, scatter: FakeScatter, engine: FakeEngine, settings: Any
) -> None:
    settings.SCATTER_BYTES = large_job.input_bytes
    running.run(large_job.job_id, "task", retry_seconds=10)
    assert (len(engine.inputs), scatter.steps) == (1, [])


def test_a_file_that_makes_one_shard_is_annotated_where_it_was_checked(
    large_job: Job, workers: Workers, scatter: FakeScatter
) -> None:
    scatter.shards = 1
    running.run(large_job.job_id, "planner", retry_seconds=10)
    assert now(large_job).status == Status.COMPLETED
    assert workers.take() == [("notify", (large_job.job_id,))]


def test_the_job_tells_the_variants_done_over_all_its_shards(divided: Divided, scatter: FakeScatter) -> None:
    seen: list[tuple[str, int | None, int | None]] = []

    def look(what: str, report: Report) -> None:
        row = now(divided.job)
        seen.append((row.stage, row.variants_done, row.variants_total))

    scatter.during = look
    for number in range(2):
        scattering.run_shard(divided.job.job_id, number, f"task-{number}", retry_seconds=10)
    assert seen == [("annotate", 50, 300), ("annotate", 150, 300)]
    assert now(divided.job).variants_done == 200


def test_a_job_whose_shards_wait_long_for_a_worker_is_left_alone(divided: Divided, workers: Workers) -> None:
    workers.lose()
    sent_long_ago(divided.job)
    Shard.objects.update(queued_at=timezone.now() - timedelta(minutes=30))
    sweep_jobs(jobs_in_queue=0, shards_in_queue=50)
    assert workers.take() == []
    assert not Job.objects.lease_ran_out(timezone.now() + timedelta(days=1)).exists()
    assert now(divided.job).status == Status.RUNNING


def test_a_lost_message_costs_its_shard_nothing_but_time(
    divided: Divided, store: MemoryStore, workers: Workers, scatter: FakeScatter
) -> None:
    first, second, third = workers.take()
    workers.do([first, third])
    sent_long_ago(divided.job)
    sweep_jobs(jobs_in_queue=0)
    sweep_jobs(jobs_in_queue=0)
    assert workers.take() == [second]
    workers.do([second])
    workers.do_all()
    assert_done_and_tidy(divided.job, store)
    assert sorted(step for step in scatter.steps if step.startswith("shard")) == [
        "shard 0",
        "shard 1",
        "shard 2",
    ]


def test_a_shard_whose_worker_died_is_done_by_another_and_alone(
    divided: Divided, store: MemoryStore, workers: Workers
) -> None:
    first, second, third = workers.take()
    assert Shard.objects.claim(divided.key(1), "dead")
    workers.do([first, second, third])
    sweep_jobs(jobs_in_queue=0)
    assert workers.take() == []
    lease_runs_out(Shard.objects.get(pk=divided.key(1)))
    sweep_jobs(jobs_in_queue=0)
    assert workers.take() == [second]
    workers.do([second])
    workers.do_all()
    assert_done_and_tidy(divided.job, store)


def test_a_shard_that_another_took_over_is_no_longer_its_firsts_to_deliver(divided: Divided) -> None:
    key = divided.key(0)
    assert Shard.objects.claim(key, "first")
    lease_runs_out(Shard.objects.get(pk=key))
    assert Shard.objects.claim(key, "second")
    assert not Shard.objects.complete(key, "first", "its/file", 100)
    assert not Shard.objects.report(key, "first", 50)
    assert Shard.objects.complete(key, "second", "its/file", 100)


def test_of_twins_of_a_shard_one_delivers_and_the_other_removes_its_file(
    divided: Divided, store: MemoryStore, workers: Workers, scatter: FakeScatter
) -> None:
    def twin_overtakes(what: str, report: Report) -> None:
        scatter.during = do_nothing
        lease_runs_out(Shard.objects.get(pk=divided.key(0)))
        scattering.run_shard(divided.job.job_id, 0, "twin", retry_seconds=10)

    scatter.during = twin_overtakes
    scattering.run_shard(divided.job.job_id, 0, "task", retry_seconds=10)
    assert Shard.objects.get(pk=divided.key(0)).status == ShardStatus.DONE
    assert [key for key in store.objects if key.endswith("shard-0.tar")] == [
        Shard.objects.get(pk=divided.key(0)).result_key
    ]
    workers.do_all()
    assert_done_and_tidy(divided.job, store)


def test_messages_that_come_again_after_the_end_do_nothing(
    large_job: Job, store: MemoryStore, workers: Workers, scatter: FakeScatter
) -> None:
    running.run(large_job.job_id, "planner", retry_seconds=10)
    shards = workers.take()
    workers.do(shards)
    workers.do(shards)
    workers.do_all()
    begun = list(scatter.steps)
    workers.do([("annotate", (large_job.job_id,)), *shards, ("gather", (large_job.job_id,))])
    assert scatter.steps == begun
    assert_done_and_tidy(large_job, store)


def test_a_shard_that_completes_after_the_job_has_gone_removes_its_file(
    divided: Divided, store: MemoryStore, scatter: FakeScatter, user: Any
) -> None:
    def cancel_and_sweep(what: str, report: Report) -> None:
        Job.objects.cancel(divided.job.job_id, user)
        sweep_jobs(jobs_in_queue=0)

    scatter.during = cancel_and_sweep
    scattering.run_shard(divided.job.job_id, 0, "task", retry_seconds=10)
    assert_nothing_left(divided.job, store)


def test_a_shard_that_takes_every_worker_down_fails_the_job(
    divided: Divided, store: MemoryStore, workers: Workers
) -> None:
    workers.lose()
    for attempt in range(MAX_ATTEMPTS):
        assert Shard.objects.claim(divided.key(1), f"dead-{attempt}")
        lease_runs_out(Shard.objects.get(pk=divided.key(1)))
    sweep_jobs(jobs_in_queue=0)
    assert (now(divided.job).status, now(divided.job).failure_reason) == (Status.FAILED, "worker_lost")
    assert workers.take() == [("notify", (divided.job.job_id,))]
    assert_nothing_left(divided.job, store)


def test_a_shard_that_fails_fails_the_job_and_stops_the_others(
    divided: Divided, store: MemoryStore, workers: Workers, scatter: FakeScatter
) -> None:
    def break_down(what: str, report: Report) -> None:
        if what == "shard 1":
            raise EngineFailure("csq crashed")

    scatter.during = break_down
    workers.do(workers.take())
    assert scatter.steps[-2:] == ["shard 0", "shard 1"]
    assert now(divided.job).failure_reason == "engine_failed"
    assert workers.take() == [("notify", (divided.job.job_id,))]
    assert_nothing_left(divided.job, store)


def test_storage_in_trouble_frees_the_shard_for_later(divided: Divided, store: MemoryStore) -> None:
    store.broken = True
    with pytest.raises(TryLater):
        scattering.run_shard(divided.job.job_id, 0, "task", retry_seconds=10)
    shard = Shard.objects.get(pk=divided.key(0))
    assert (shard.status, shard.attempts, shard.claimed_by) == (ShardStatus.PENDING, 0, "")
    assert now(divided.job).status == Status.RUNNING


def test_a_worker_that_is_stopped_gives_its_shard_back(divided: Divided, scatter: FakeScatter) -> None:
    def stop(what: str, report: Report) -> None:
        raise SystemExit

    scatter.during = stop
    with pytest.raises(SystemExit):
        scattering.run_shard(divided.job.job_id, 0, "task", retry_seconds=10)
    assert Shard.objects.get(pk=divided.key(0)).status == ShardStatus.PENDING

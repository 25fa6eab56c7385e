"""Who divides a large job and who joins its shards may die, be late, or have a twin."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotations import running, scattering
from annotations.attempts import TryLater
from annotations.divided import Divided
from annotations.engine.errors import UnusableInput
from annotations.job_queries import MAX_ATTEMPTS, JobQuerySet
from annotations.models import Job, Shard, Status
from annotations.storage import StorageError
from annotations.sweeping import sweep_jobs
from annotations.tests.fake_scatter import FakeScatter, do_nothing
from annotations.tests.fakes import MemoryStore
from annotations.tests.workers import (
    Workers,
    assert_done_and_tidy,
    assert_nothing_left,
    lease_runs_out,
    now,
    sent_long_ago,
    with_shards,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]

Report = Callable[[], None]


def test_a_planner_that_is_stopped_frees_the_job_and_leaves_no_file(
    large_job: Job, store: MemoryStore, scatter: FakeScatter
) -> None:
    def stop(what: str, report: Report) -> None:
        if what == "input 2":
            raise SystemExit

    scatter.during = stop
    with pytest.raises(SystemExit):
        running.run(large_job.job_id, "planner", retry_seconds=10)
    assert now(large_job).status == Status.PENDING
    assert_nothing_left(large_job, store)


def test_what_a_planner_did_before_it_died_is_not_done_again(
    large_job: Job,
    store: MemoryStore,
    workers: Workers,
    scatter: FakeScatter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(scattering, "send_shards", lambda divided: None)  # it dies before it has sent any
        running.run(large_job.job_id, "planner", retry_seconds=10)
    assert Shard.objects.count() == 0
    sweep_jobs(jobs_in_queue=0)
    sent_long_ago(large_job)
    sweep_jobs(jobs_in_queue=0)
    workers.do_all()
    assert scatter.steps.count("plan") == 1
    assert_done_and_tidy(large_job, store)


def test_of_twin_planners_one_divides_the_job_and_the_other_removes_its_files(
    large_job: Job, store: MemoryStore, workers: Workers, scatter: FakeScatter
) -> None:
    def twin_overtakes(what: str, report: Report) -> None:
        scatter.during = do_nothing
        lease_runs_out(large_job)
        running.run(large_job.job_id, "twin", retry_seconds=10)

    scatter.during = twin_overtakes
    running.run(large_job.job_id, "planner", retry_seconds=10)
    assert len(workers.take()) == 3
    assert len(store.objects) == 1 + 1 + 3, "the upload, one plan and the inputs of its shards"
    workers.do([("annotate_shard", (large_job.job_id, number)) for number in range(3)])
    workers.do_all()
    assert_done_and_tidy(large_job, store)


def test_the_file_is_refused_by_the_planner_in_the_engines_words(
    large_job: Job, scatter: FakeScatter
) -> None:
    def refuse(what: str, report: Report) -> None:
        raise UnusableInput("Line 7 has 5 columns.")

    scatter.during = refuse
    running.run(large_job.job_id, "planner", retry_seconds=10)
    assert (now(large_job).failure_reason, now(large_job).failure_message) == (
        "unusable_input",
        "Line 7 has 5 columns.",
    )


def test_two_shards_that_both_see_that_they_were_the_last_send_for_one_gatherer(
    annotated: Divided, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.lose()
    resend = JobQuerySet.resend

    def overtaken(self: JobQuerySet, *args: Any) -> bool:
        monkeypatch.setattr(JobQuerySet, "resend", resend)
        scattering.send_gather(with_shards(annotated.job))
        return resend(self, *args)

    monkeypatch.setattr(JobQuerySet, "resend", overtaken)
    scattering.send_gather(annotated)
    assert workers.take() == [("gather", (annotated.job.job_id,))]


def test_a_gatherer_that_comes_too_early_waits_for_the_last_shard(
    divided: Divided, workers: Workers, scatter: FakeScatter
) -> None:
    workers.do(workers.take()[:2])
    scattering.gather(divided.job.job_id, "early", retry_seconds=10)
    assert "gather" not in scatter.steps
    assert now(divided.job).is_with_shards


def test_of_two_gatherers_one_works(annotated: Divided, workers: Workers, scatter: FakeScatter) -> None:
    def second(what: str, report: Report) -> None:
        scattering.gather(annotated.job.job_id, "second", retry_seconds=10)

    scatter.during = second
    workers.do_all()
    assert scatter.steps.count("gather") == 1
    assert now(annotated.job).status == Status.COMPLETED


def test_a_gatherer_has_a_lease_and_whoever_takes_over_does_not_begin_anew(
    annotated: Divided, scatter: FakeScatter
) -> None:
    job_id = annotated.job.job_id
    assert Job.objects.claim_gather(job_id, "gatherer", annotated.scatter_id)
    assert Job.objects.lease_ran_out(timezone.now() + timedelta(days=1)).filter(pk=job_id).exists()
    lease_runs_out(annotated.job)
    running.run(job_id, "late planner", retry_seconds=10)
    assert scatter.steps.count("plan") == 1
    assert now(annotated.job).claimed_by == "gatherer"


@pytest.mark.parametrize("when", ["message lost", "died at work"])
def test_a_gatherer_that_is_lost_is_sent_for_again_and_no_shard_done_again(
    annotated: Divided, store: MemoryStore, workers: Workers, scatter: FakeScatter, when: str
) -> None:
    workers.lose()
    begun = list(scatter.steps)
    if when == "died at work":
        assert Job.objects.claim_gather(annotated.job.job_id, "dead", annotated.scatter_id)
        lease_runs_out(annotated.job)
    sent_long_ago(annotated.job)
    sweep_jobs(jobs_in_queue=0)
    sweep_jobs(jobs_in_queue=0)
    assert workers.take() == [("gather", (annotated.job.job_id,))]
    workers.do([("gather", (annotated.job.job_id,))])
    assert scatter.steps == [*begun, "gather"]
    assert_done_and_tidy(annotated.job, store)


def test_a_gatherer_that_takes_every_worker_down_fails_the_job(
    annotated: Divided, store: MemoryStore, workers: Workers
) -> None:
    for attempt in range(MAX_ATTEMPTS):
        assert Job.objects.claim_gather(annotated.job.job_id, f"dead-{attempt}", annotated.scatter_id)
        lease_runs_out(annotated.job)
    workers.lose()
    sweep_jobs(jobs_in_queue=0)
    assert now(annotated.job).failure_reason == "worker_lost"
    assert workers.take() == [("notify", (annotated.job.job_id,))]
    assert_nothing_left(annotated.job, store)


@pytest.mark.parametrize("trouble", [SystemExit, StorageError])
def test_a_gatherer_that_is_stopped_hands_the_job_back_to_its_shards(
    annotated: Divided,
    store: MemoryStore,
    workers: Workers,
    scatter: FakeScatter,
    trouble: type[BaseException],
) -> None:
    def stop(what: str, report: Report) -> None:
        raise trouble

    scatter.during = stop
    with pytest.raises((SystemExit, TryLater)):
        workers.do_all()
    assert now(annotated.job).is_with_shards
    assert now(annotated.job).attempts == 0
    scatter.during = do_nothing
    scattering.gather(annotated.job.job_id, "next", retry_seconds=10)
    assert_done_and_tidy(annotated.job, store)


def test_another_build_is_noticed_when_the_shards_are_joined(
    annotated: Divided, store: MemoryStore, workers: Workers, scatter: FakeScatter
) -> None:
    def refuse(what: str, report: Report) -> None:
        raise UnusableInput("This file looks like GRCh37.")

    scatter.during = refuse
    workers.do_all()
    assert now(annotated.job).failure_message == "This file looks like GRCh37."
    assert_nothing_left(annotated.job, store)

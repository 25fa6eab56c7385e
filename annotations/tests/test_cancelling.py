"""Large jobs that are cancelled, sent again, or found at a fresh start: nothing is left behind."""

from collections.abc import Callable
from typing import Any

import pytest

from annotations.divided import Divided
from annotations.models import Job, Shard, Status
from annotations.sweeping import resume_all, sweep_jobs
from annotations.tests.fake_scatter import FakeScatter
from annotations.tests.fakes import MemoryStore
from annotations.tests.workers import (
    Workers,
    assert_done_and_tidy,
    assert_nothing_left,
    now,
    with_shards,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]

Report = Callable[[], None]


@pytest.mark.parametrize("step", ["plan", "input 1", "shard 0", "shard 2", "gather"])
def test_a_cancelled_job_stops_where_it_is_and_leaves_its_upload(
    large_job: Job, store: MemoryStore, workers: Workers, scatter: FakeScatter, step: str
) -> None:
    def cancel(what: str, report: Report) -> None:
        if what == step:
            assert Job.objects.cancel(large_job.job_id, large_job.user)
            report()

    scatter.during = cancel
    workers.do([("annotate", (large_job.job_id,))])
    workers.do_all()
    following = scatter.steps[scatter.steps.index(step) + 1 :]
    assert following == []
    sweep_jobs(jobs_in_queue=0)
    assert now(large_job).status == Status.CANCELLED
    assert workers.take() == []
    assert_nothing_left(large_job, store)


def test_a_job_cancelled_while_its_shards_wait_is_tidied_up_by_the_sweep(
    divided: Divided, store: MemoryStore, workers: Workers, user: Any, scatter: FakeScatter
) -> None:
    assert Job.objects.cancel(divided.job.job_id, user)
    sweep_jobs(jobs_in_queue=0)
    assert_nothing_left(divided.job, store)
    workers.do_all()
    assert "shard 0" not in scatter.steps


def test_what_could_not_be_tidied_up_is_tried_at_the_next_sweep(
    divided: Divided, store: MemoryStore, user: Any
) -> None:
    Job.objects.cancel(divided.job.job_id, user)
    store.broken = True
    sweep_jobs(jobs_in_queue=0)
    store.broken = False
    sweep_jobs(jobs_in_queue=0)
    assert_nothing_left(divided.job, store)


def test_only_its_owner_cancels_a_job_and_only_while_it_is_not_over(
    large_job: Job, user: Any, other_user: Any
) -> None:
    assert not Job.objects.cancel(large_job.job_id, other_user)
    assert Job.objects.cancel(large_job.job_id, user)
    assert not Job.objects.cancel(large_job.job_id, user)


def test_a_job_that_is_sent_again_has_new_shards(
    divided: Divided, store: MemoryStore, workers: Workers, user: Any
) -> None:
    workers.do(workers.take()[:1])
    Job.objects.cancel(divided.job.job_id, user)
    Job.objects.filter(pk=divided.job.job_id).update(status=Status.PENDING, attempts=0)
    workers.do([("annotate", (divided.job.job_id,))])
    assert with_shards(divided.job).scatter_id != divided.scatter_id
    workers.do_all()
    assert_done_and_tidy(divided.job, store)


def test_after_a_fresh_start_what_is_not_done_is_sent_at_once(
    divided: Divided, store: MemoryStore, workers: Workers, scatter: FakeScatter
) -> None:
    first, second, third = workers.take()
    workers.do([first])
    assert Shard.objects.claim(divided.key(1), "killed")
    resume_all()
    assert workers.take() == [second, third]
    workers.do([second, third])
    workers.lose()
    assert Job.objects.claim_gather(divided.job.job_id, "killed", divided.scatter_id)
    resume_all()
    workers.do_all()
    assert_done_and_tidy(divided.job, store)
    assert scatter.steps.count("shard 0") == scatter.steps.count("gather") == 1

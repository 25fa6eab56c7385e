"""Two things happen to one result at the same time: each interleaving is forced, at every remote call.

The numbers below say how many remote calls a run makes; the second thing happens just before each in turn.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from annotations.models import Job, ResultState
from archival import archiving, thawing
from archival.audit import audit
from archival.sweeping import sweep_keepers, sweep_results
from archival.tests.world import World

ARCHIVE_CALLS, REQUEST_CALLS, RESTORE_CALLS = 11, 2, 10


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def archived(world: World, user: Any) -> Job:
    job = world.job(user)
    world.run("archive", job.job_id)
    return fresh(job)


def asked_for(world: World, user: Any) -> Job:
    job = archived(world, user)
    thawing.bring_back(job.job_id)
    return fresh(job)


def thawed(world: World, user: Any) -> Job:
    """Asked for, and ready to be restored."""
    job = asked_for(world, user)
    world.run_sent()
    world.vault.finish()
    return fresh(job)


def settle(world: World) -> None:
    """Let the sweep, the stores and time do what they do, until nothing is under way."""
    for _ in range(12):
        world.vault.finish()
        world.run_sent(also_delayed=True)
        if not Job.objects.filter(status="COMPLETED", archive_next_at__isnull=False).exists():
            return
        world.time_passes()
        sweep_results()
    raise AssertionError("it goes on for ever")


def assert_all_is_well(world: World, job: Job, expected: ResultState) -> None:
    settle(world)
    world.assert_has_its_result(job.job_id)
    assert fresh(job).result_state == expected
    found = audit(fix=True).findings
    assert all(finding.remedy == "delete it" for finding in found), "nothing but leftovers of the dead"
    assert audit().findings == []
    world.assert_has_its_result(job.job_id)


def test_the_numbers_of_steps_below_are_those_of_the_runs(world: World, user: Any) -> None:
    counts = []
    job = world.job(user)
    for prepare, task in ((lambda: None, "archive"), (lambda: thawing.bring_back(job.job_id), "thaw_job")):
        prepare()
        before = len(world.wire.calls)
        world.run(task, job.job_id)
        counts.append(len(world.wire.calls) - before)
    world.vault.finish()
    before = len(world.wire.calls)
    world.run("restore", job.job_id)
    counts.append(len(world.wire.calls) - before)
    assert counts == [ARCHIVE_CALLS, REQUEST_CALLS, RESTORE_CALLS]


@pytest.mark.parametrize("step", range(ARCHIVE_CALLS + 1))
def test_whoever_subscribes_before_during_or_after_the_archival_has_the_result(
    world: World, user: Any, step: int
) -> None:
    job = world.job(user)

    def subscribe() -> None:
        world.set_tier(user, "premium")
        thawing.thaw(user.pk)

    world.wire.between(step, subscribe)
    world.wire.watch = lambda: world.assert_has_its_result(job.job_id)
    world.run("archive", job.job_id)
    if step == ARCHIVE_CALLS:
        subscribe()
    assert_all_is_well(world, job, ResultState.AVAILABLE)
    assert fresh(job).archive_due_at is None


@pytest.mark.parametrize("step", range(ARCHIVE_CALLS))
def test_an_upgrade_during_the_archival_whose_message_was_lost_brings_the_result_back_too(
    world: World, user: Any, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.job(user)
    world.wire.between(step, lambda: world.set_tier(user, "premium"))
    world.run("archive", job.job_id)
    monkeypatch.setattr("archival.sweeping._minute_of", lambda *_: 0)
    monkeypatch.setattr("archival.sweeping.ROUND", timedelta(minutes=1))
    sweep_keepers()
    assert_all_is_well(world, job, ResultState.AVAILABLE)


@pytest.mark.parametrize("step", range(REQUEST_CALLS + RESTORE_CALLS))
def test_whoever_cancels_during_the_thaw_gets_the_result_back_and_its_retention(
    world: World, user: Any, step: int
) -> None:
    job = archived(world, user)
    world.set_tier(user, "premium")
    thawing.thaw(user.pk)

    def cancel() -> None:
        world.set_tier(user, "free")

    world.wire.watch = lambda: world.assert_has_its_result(job.job_id)
    if step < REQUEST_CALLS:
        world.wire.between(step, cancel)
    world.run("thaw_job", job.job_id)
    world.vault.finish()
    if step >= REQUEST_CALLS:
        world.wire.between(step - REQUEST_CALLS, cancel)
    world.run("restore", job.job_id)
    world.run("restart_retention", str(user.pk))
    assert fresh(job).result_state == ResultState.AVAILABLE
    world.sent[:] = [task for task in world.sent if task.name != "tasks.archive"]
    world.run_sent()
    assert fresh(job).archive_due_at is not None


def _again(world: World, job: Job, task: str, *, lease_is_over: bool) -> Callable[[], None]:
    """Another worker takes a message for the same job, while the first is at it or taken for dead."""

    def run() -> None:
        if lease_is_over:
            world.time_passes()
        world.tasks[f"tasks.{task}"](job.job_id)

    return run


PREPARED: dict[str, Callable[[World, Any], Job]] = {
    "archive": lambda world, user: world.job(user),
    "thaw_job": asked_for,
    "restore": thawed,
}
EVERY_STEP = [
    *(("archive", step) for step in range(ARCHIVE_CALLS)),
    *(("thaw_job", step) for step in range(REQUEST_CALLS)),
    *(("restore", step) for step in range(RESTORE_CALLS)),
]


@pytest.mark.parametrize("lease_is_over", [False, True])
@pytest.mark.parametrize("step", range(ARCHIVE_CALLS))
def test_two_archivals_at_once_leave_one_archive(
    world: World, user: Any, step: int, lease_is_over: bool
) -> None:
    job = world.job(user)

    world.wire.watch = lambda: world.assert_has_its_result(job.job_id)
    world.wire.between(step, _again(world, job, "archive", lease_is_over=lease_is_over))
    world.run("archive", job.job_id)
    assert_all_is_well(world, job, ResultState.ARCHIVED)
    assert list(world.vault.archives) == [fresh(job).archive_id]


@pytest.mark.parametrize("lease_is_over", [False, True])
@pytest.mark.parametrize("step", range(REQUEST_CALLS))
def test_two_thaws_at_once_bring_the_result_back_once(
    world: World, user: Any, step: int, lease_is_over: bool
) -> None:
    job = archived(world, user)
    thawing.bring_back(job.job_id)

    assert not thawing.bring_back(job.job_id)
    world.wire.between(step, _again(world, job, "thaw_job", lease_is_over=lease_is_over))
    world.run("thaw_job", job.job_id)
    world.vault.finish()
    world.run("restore", job.job_id)
    assert fresh(job).result_state == ResultState.AVAILABLE
    world.assert_has_its_result(job.job_id)
    assert world.vault.asked.count(world.vault.asked[0]) == 1, "expedited was attempted once"


@pytest.mark.parametrize("lease_is_over", [False, True])
@pytest.mark.parametrize("step", range(RESTORE_CALLS))
def test_two_restores_at_once_leave_one_hot_copy(
    world: World, user: Any, step: int, lease_is_over: bool
) -> None:
    job = thawed(world, user)

    world.wire.watch = lambda: world.assert_has_its_result(job.job_id)
    world.wire.between(step, _again(world, job, "restore", lease_is_over=lease_is_over))
    world.run("restore", job.job_id)
    assert fresh(job).result_state == ResultState.AVAILABLE
    world.assert_has_its_result(job.job_id)
    assert (world.vault.archives, len(world.store.objects)) == ({}, 4)


@pytest.mark.parametrize(("task", "step"), EVERY_STEP)
def test_a_process_that_dies_between_two_calls_costs_nothing_but_time(
    world: World, user: Any, task: str, step: int
) -> None:
    job = PREPARED[task](world, user)
    world.wire.die_at(step)
    world.run(task, job.job_id)
    world.sent.clear()
    world.assert_has_its_result(job.job_id)
    # The sweep alone finds what was left; a free user's result that is back is due again.
    assert_all_is_well(world, job, ResultState.ARCHIVED)


@pytest.mark.parametrize(("task", "step"), EVERY_STEP)
def test_a_job_that_is_deleted_meanwhile_leaves_nothing_behind(
    world: World, user: Any, task: str, step: int, django_capture_on_commit_callbacks: Any
) -> None:
    job = PREPARED[task](world, user)

    def delete() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            fresh(job).delete()

    world.wire.between(step, delete)
    world.run(task, job.job_id)
    world.run_sent()
    audit(fix=True)
    assert (world.vault.archives, world.store.objects) == ({}, {})
    assert audit().findings == []


def test_a_result_asked_for_by_hand_while_it_is_being_archived_is_archived_once(
    world: World, premium: Any
) -> None:
    job = world.job(premium, archive_due_at=None)
    archiving.by_hand(job.job_id)
    world.wire.between(3, world.run_sent)
    world.run("archive", job.job_id)
    assert_all_is_well(world, job, ResultState.ARCHIVED)

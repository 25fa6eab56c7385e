"""From completion into the archive and back, undisturbed."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from annotations import removing
from annotations.models import Job, ResultState
from annotations.storage import StorageError
from archival import archiving, planning, thawing
from archival.storage import RetrievalOption
from archival.sweeping import sweep_keepers, sweep_results
from archival.tests.world import World

pytestmark = pytest.mark.usefixtures("jobs_database")  # SQLite, and DynamoDB

EXPEDITED, STANDARD = RetrievalOption.EXPEDITED, RetrievalOption.STANDARD


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def archived(world: World, user: Any, **fields: Any) -> Job:
    job = world.job(user, **fields)
    world.run("archive", job.job_id)
    job = fresh(job)
    assert job.result_state == ResultState.ARCHIVED
    return job


def sent(world: World) -> list[tuple[str, Any]]:
    return [(task.name.removeprefix("tasks."), task.args[0]) for task in world.sent]


def test_a_result_that_is_due_moves_into_one_archive_and_its_log_stays(world: World, user: Any) -> None:
    job = archived(world, user)
    assert world.bytes_in_archive(job.archive_id) == {
        f"{kind} of {job.job_id}".encode() for kind in ("result", "index", "table")
    }
    assert list(world.store.objects) == [job.log_key]
    assert (job.archive_task, job.archive_next_at) == ("", None), "the sweep has nothing to look at"


def test_a_result_is_not_archived_before_its_time(world: World, user: Any) -> None:
    due_at = timezone.now() + timedelta(seconds=100)
    job = world.job(user, archive_due_at=due_at, archive_next_at=due_at)
    world.run("archive", job.job_id)
    assert fresh(job).result_state == ResultState.AVAILABLE
    assert sent(world) == [("archive", job.job_id)], "and the message comes again when its time has come"
    assert 90 < world.sent[0].options["delay_seconds"] <= 100


@pytest.mark.parametrize(("seconds", "is_sent"), [(600, True), (1800, False)])
def test_the_broker_holds_the_message_when_it_can_and_else_the_sweep_sends_it(
    world: World, user: Any, monkeypatch: pytest.MonkeyPatch, seconds: int, is_sent: bool
) -> None:
    monkeypatch.setattr(planning, "due_after", lambda user, begins: begins + timedelta(seconds=seconds))
    job = world.job(
        user, completed_at=timezone.now(), archive_due_at=None, archive_next_at=None, archive_shard=None
    )
    planning.schedule(job.job_id)
    job = fresh(job)
    assert job.archive_due_at is not None
    left = math.ceil((job.archive_due_at - timezone.now()).total_seconds())
    assert seconds - 5 < left <= seconds
    assert [task.options["delay_seconds"] for task in world.sent] in ([left], [left + 1]) if is_sent else [[]]
    sweep_results()
    assert len(world.sent) == is_sent, "the sweep lets it rest"
    world.time_passes()
    sweep_results()
    assert sent(world)[-1] == ("archive", job.job_id)


def test_a_completed_job_whose_planning_was_lost_is_planned_by_the_sweep(world: World, user: Any) -> None:
    past = timezone.now() - timedelta(minutes=5)
    job = world.job(user, completed_at=timezone.now(), archive_due_at=None, archive_next_at=past)
    sweep_results()
    sweep_results()
    assert sent(world) == [("schedule_archive", job.job_id)]
    world.run_sent()
    assert job.completed_at is not None
    assert fresh(job).archive_due_at == job.completed_at + timedelta(days=7)


def test_a_tier_that_keeps_results_has_nothing_planned(world: World, premium: Any) -> None:
    job = world.job(premium, archive_due_at=None)
    world.run("schedule_archive", job.job_id)
    assert (fresh(job).archive_due_at, fresh(job).archive_next_at) == (None, None)


def test_a_result_that_is_due_when_its_owner_has_become_premium_is_never_copied(
    world: World, premium: Any
) -> None:
    job = world.job(premium)
    world.run("archive", job.job_id)
    job = fresh(job)
    assert (job.result_state, job.archive_due_at) == (ResultState.AVAILABLE, None)
    assert world.wire.calls == []


def test_whoever_becomes_premium_gets_every_result_back_with_the_same_bytes(world: World, user: Any) -> None:
    jobs = [archived(world, user) for _ in range(3)]
    world.set_tier(user, "premium")
    world.run("thaw", str(user.pk))
    world.run_sent()
    assert {job.result_state for job in Job.objects.filter(status="COMPLETED")} == {ResultState.THAWING}
    assert world.vault.asked == [EXPEDITED] * 3
    world.vault.finish()
    for job in jobs:
        world.run("restore", job.job_id)
    for job in map(fresh, jobs):
        assert (job.result_state, job.archive_id) == (ResultState.AVAILABLE, None)
        world.assert_has_its_result(job.job_id)
    assert world.vault.archives == {}
    world.run_sent()
    assert [message.subject for message in mail.outbox] == ["3 results are back"]
    assert not Job.objects.filter(status="COMPLETED", archive_next_at__isnull=False).exists()


def test_one_result_that_is_back_is_told_of_by_its_name(world: World, user: Any) -> None:
    job = archived(world, user, input_file_name="Ada's\nfile.vcf")
    thawing.bring_back(job.job_id)
    world.run_sent()
    world.vault.finish()
    world.run("restore", job.job_id)
    world.run_sent()
    world.run_sent()
    assert [message.subject for message in mail.outbox] == ["Ada's file.vcf is back"]
    assert job.get_absolute_url() in mail.outbox[0].body
    due_at = fresh(job).archive_due_at
    assert due_at is not None and due_at > timezone.now() + timedelta(days=6), "a free user's retention anew"


@pytest.mark.parametrize("capacity", [{STANDARD}, set()])
def test_where_expedited_can_not_be_had_standard_is_asked_for_after_one_attempt(
    world: World, user: Any, capacity: set[RetrievalOption]
) -> None:
    job = archived(world, user)
    world.vault.capacity = capacity
    thawing.bring_back(job.job_id)
    world.run_sent()
    assert world.vault.asked == [EXPEDITED, STANDARD]
    assert fresh(job).retrieval_option == "Standard"
    world.vault.capacity = set(RetrievalOption)
    world.time_passes()
    world.run("thaw_job", job.job_id)
    assert world.vault.asked.count(EXPEDITED) == 1
    assert fresh(job).retrieval_ticket


def test_a_retrieved_copy_that_has_expired_is_asked_for_again(world: World, user: Any) -> None:
    job = archived(world, user)
    thawing.bring_back(job.job_id)
    world.run_sent()
    world.vault.expire()
    world.run("restore", job.job_id)
    world.run_sent()
    world.vault.finish()
    world.run("restore", job.job_id)
    assert fresh(job).result_state == ResultState.AVAILABLE


def test_a_damaged_archive_is_neither_published_nor_deleted(world: World, user: Any) -> None:
    job = archived(world, user)
    ref = str(job.archive_id)
    whole = world.vault.archives[ref]
    world.vault.archives[ref] = whole.replace(b"result of", b"result 0f")
    thawing.bring_back(job.job_id)
    world.run_sent()
    world.vault.finish()
    world.run("restore", job.job_id)
    assert fresh(job).result_state == ResultState.RESTORING, "it is tried again: the line may have spoilt it"
    world.time_passes()
    world.vault.archives[ref] = whole
    world.run("restore", job.job_id)
    world.assert_has_its_result(job.job_id)
    assert fresh(job).result_state == ResultState.AVAILABLE


def test_a_return_that_breaks_off_half_way_leaves_no_files_that_nobody_has(
    world: World, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = archived(world, user)
    thawing.bring_back(job.job_id)
    world.run_sent()
    world.vault.finish()
    publish = world.store.publish

    def break_off(path: Path, key: str) -> None:
        if key.endswith(".tbi"):
            raise StorageError("the disk is full")
        publish(path, key)

    monkeypatch.setattr(world.store, "publish", break_off)
    world.run("restore", job.job_id)
    assert list(world.store.objects) == [job.log_key]
    monkeypatch.undo()
    world.time_passes()
    world.run("restore", job.job_id)
    assert fresh(job).result_state == ResultState.AVAILABLE
    world.assert_has_its_result(job.job_id)


def test_an_archive_that_is_gone_is_said_so_to_its_user(world: World, user: Any) -> None:
    job = archived(world, user)
    world.vault.archives.clear()
    thawing.bring_back(job.job_id)
    world.run_sent()
    job = fresh(job)
    assert (job.result_state, job.failure_reason) == (ResultState.ARCHIVED, "archive_missing")
    assert "number" in job.failure_message


def test_leaving_premium_starts_the_retention_of_every_result_anew(world: World, premium: Any) -> None:
    job = world.job(premium, archive_due_at=None, archive_next_at=None)
    by_hand = world.job(premium, archived_by_hand=True)
    world.set_tier(premium, "free")
    world.run("restart_retention", str(premium.pk))
    due_at = fresh(job).archive_due_at
    assert due_at is not None and due_at > timezone.now() + timedelta(days=6)
    assert fresh(by_hand).archive_due_at == by_hand.archive_due_at


def test_what_a_premium_user_archives_by_hand_stays_there_until_they_retrieve_it(
    world: World, premium: Any
) -> None:
    job = world.job(premium, archive_due_at=None)
    assert archiving.by_hand(job.job_id)
    world.run_sent()
    assert fresh(job).result_state == ResultState.ARCHIVED
    world.run("thaw", str(premium.pk))
    sweep_keepers()
    assert fresh(job).result_state == ResultState.ARCHIVED
    assert thawing.bring_back(job.job_id)
    assert not archiving.by_hand(job.job_id)


def test_an_upgrade_whose_message_was_lost_is_found_within_the_hour(
    world: World, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = archived(world, user)
    world.set_tier(user, "premium")
    now = timezone.now()
    for minute in range(60):
        monkeypatch.setattr(
            "archival.sweeping.timezone.now", lambda minute=minute: now.replace(minute=minute)
        )
        sweep_keepers()
    assert sent(world) == [("thaw_job", job.job_id)]


def test_a_store_that_is_away_costs_nothing_but_time(world: World, user: Any) -> None:
    job = world.job(user)
    world.vault.broken = True
    world.run("archive", job.job_id)
    world.assert_has_its_result(job.job_id)
    world.vault.broken = False
    world.time_passes()
    sweep_results()
    world.run_sent()
    assert fresh(job).result_state == ResultState.ARCHIVED


def test_a_deleted_job_leaves_nothing_behind(
    world: World, user: Any, django_capture_on_commit_callbacks: Any
) -> None:
    job = archived(world, user)
    with django_capture_on_commit_callbacks(execute=True):
        job.delete()
    world.run_sent()
    assert (world.vault.archives, world.store.objects) == ({}, {})


def test_a_job_that_is_deleted_takes_its_archive_along_at_once(
    world: World, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "object_store", lambda: world.store)
    job, kept = archived(world, user), archived(world, user)
    removing.delete_job(job)
    assert list(world.vault.archives) == [kept.archive_id]
    assert not Job.objects.filter(pk=job.pk).exists()


def test_a_job_stays_while_its_archive_cannot_be_deleted(
    world: World, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "object_store", lambda: world.store)
    job = archived(world, user)
    world.vault.broken = True
    with pytest.raises(StorageError):
        removing.delete_job(job)
    world.vault.broken = False
    removing.delete_job(fresh(job))
    assert world.vault.archives == {}

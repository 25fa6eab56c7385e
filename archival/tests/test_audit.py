"""The audit names what records and storage disagree on, mends what it can, and harms nothing."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Job, ResultState
from annotations.tests.factories import make_job
from archival.audit import Kind, audit
from archival.tests.world import World


def kinds() -> list[str]:
    return [finding.kind.value for finding in audit().findings]


def archived(world: World, user: Any) -> Job:
    job = world.job(user)
    world.run("archive", job.job_id)
    return Job.objects.get(pk=job.pk)


def lose_hot_copy(world: World, job: Job) -> None:
    del world.store.objects[job.result_key]


def test_a_service_in_order_is_clean(world: World, user: Any) -> None:
    world.job(user)
    archived(world, user)
    make_job(user)
    world.store.objects[f"{user.pk}/{make_job(user).job_id}~new.vcf"] = (
        b"an upload that waits to be submitted"
    )
    out = StringIO()
    call_command("vault-audit", stdout=out)
    assert out.getvalue() == "4 jobs, 2 of them under way and left alone: clean\n"


def leave_a_dead_runs_files(world: World, user: Any) -> None:
    job = world.job(user)
    world.store.objects[f"{user.pk}/{job.job_id}/dead/a.vcf"] = b""


def leave_an_archive_of_no_record(world: World, user: Any) -> None:
    world.vault.archives[f"{user.pk}/{world.job(user).job_id}/dead.tar"] = b""


def delete_the_job_behind_its_back(world: World, user: Any) -> None:
    Job.objects.filter(pk=archived(world, user).pk)._raw_delete("default")


def lose_the_hot_copy_but_not_the_archive(world: World, user: Any) -> None:
    job = archived(world, user)
    Job.objects.filter(pk=job.pk).update(result_state=ResultState.AVAILABLE, archive_id=None)


def lose_the_archive_but_not_the_hot_copy(world: World, user: Any) -> None:
    Job.objects.filter(pk=world.job(user).pk).update(
        result_state=ResultState.ARCHIVED, archive_id="gone", archive_next_at=None
    )


def forget_which_archive(world: World, user: Any) -> None:
    Job.objects.filter(pk=archived(world, user).pk).update(archive_id="another")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (leave_a_dead_runs_files, [Kind.HOT_LEFTOVER]),
        (leave_an_archive_of_no_record, [Kind.ORPHAN_ARCHIVE]),
        (delete_the_job_behind_its_back, [Kind.HOT_LEFTOVER, Kind.ORPHAN_ARCHIVE]),
        (lose_the_hot_copy_but_not_the_archive, [Kind.HOT_COPY_GONE]),
        (lose_the_archive_but_not_the_hot_copy, [Kind.ARCHIVE_GONE]),
        (forget_which_archive, [Kind.ARCHIVE_GONE]),
    ],
)
def test_damage_is_named_and_mended(
    world: World, user: Any, damage: Callable[[World, Any], None], expected: list[Kind]
) -> None:
    damage(world, user)
    assert kinds() == kinds() == [kind.value for kind in expected], "looking changes nothing"
    audit(fix=True)
    assert kinds() == []
    for job in Job.objects.all():
        world.assert_has_its_result(job.job_id)


def test_a_loss_is_named_and_nothing_is_made_worse(world: World, user: Any) -> None:
    at_hand, away = world.job(user), archived(world, user)
    lose_hot_copy(world, at_hand)
    world.vault.archives.clear()
    before = dict(world.store.objects)
    with pytest.raises(CommandError, match="lost") as failure:
        call_command("vault-audit", "--fix", stdout=(out := StringIO()))
    assert failure.value.returncode == 2
    assert {f"lost: job {job.job_id}" in out.getvalue() for job in (at_hand, away)} == {True}
    assert world.store.objects == before


def test_findings_that_could_be_mended_end_the_command_with_1(world: World, user: Any) -> None:
    leave_a_dead_runs_files(world, user)
    with pytest.raises(CommandError, match="--fix") as failure:
        call_command("vault-audit", stdout=StringIO())
    assert failure.value.returncode == 1


@pytest.mark.parametrize("task", ["archive", "restore"])
def test_what_is_under_way_is_left_alone(world: World, user: Any, task: str) -> None:
    job = world.job(user)
    seen: list[int] = []

    def look() -> None:
        seen.append(len(audit(fix=True).findings))

    if task == "restore":
        from archival import thawing

        world.run("archive", job.job_id)
        thawing.bring_back(job.job_id)
        world.run_sent()
        world.vault.finish()
    for step in range(0, 60, 2):  # the audit's own calls come in between and count too
        world.wire.between(step, look)
    world.run(task, job.job_id)
    assert sum(seen) == 0 and len(seen) > 1
    world.assert_has_its_result(job.job_id)


def test_uploads_that_were_never_finished_are_named_and_ended(world: World, user: Any) -> None:
    job = world.job(user)
    world.vault.unfinished = [f"{user.pk}/{job.job_id}/dead"]
    (found,) = audit().findings
    assert (found.kind, found.job_id) == (Kind.UNFINISHED_UPLOAD, job.job_id)
    audit(fix=True)
    assert audit().findings == []

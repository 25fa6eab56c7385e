"""A user with many archived results becomes premium."""

from typing import Any

from annotations.models import Job, ResultState
from archival.sweeping import sweep_results
from archival.tests.world import World


def test_five_hundred_results_thaw_in_one_go(world: World, user: Any) -> None:
    for _ in range(500):
        job = world.job(user, result_state=ResultState.ARCHIVED, archive_next_at=None, archive_due_at=None)
        world.vault.archives[f"{job.job_id}.tar"] = b""
        Job.objects.filter(pk=job.pk).update(archive_id=f"{job.job_id}.tar")
    world.set_tier(user, "premium")
    world.run("thaw", str(user.pk))
    world.run("thaw", str(user.pk))
    assert len(world.sent) == len({task.args for task in world.sent}) == 500
    del world.sent[::3]  # messages may get lost
    world.run_sent()
    world.time_passes()
    sweep_results()
    world.run_sent()
    assert (
        Job.objects.filter(status="COMPLETED", result_state=ResultState.THAWING)
        .exclude(retrieval_ticket="")
        .count()
        == 500
    )

"""A user with many archived results becomes premium."""

import os
from typing import Any

from annotations.models import Job, ResultState
from archival.sweeping import sweep_results
from archival.tests.world import World

IN_FULL = "DYNAMODB_TESTS_IN_FULL" in os.environ


def test_hundreds_of_results_thaw_in_one_go(world: World, user: Any, jobs_database: Any) -> None:
    few = 25 if jobs_database.vendor == "dynamodb" else 50
    count = 500 if IN_FULL else few  # a minute of the emulators' saved
    for _ in range(count):
        job = world.job(user, result_state=ResultState.ARCHIVED, archive_next_at=None, archive_due_at=None)
        world.vault.archives[f"{job.job_id}.tar"] = b""
        Job.objects.filter(pk=job.pk).update(archive_id=f"{job.job_id}.tar")
    world.set_tier(user, "premium")
    world.run("thaw", str(user.pk))
    world.run("thaw", str(user.pk))
    assert len(world.sent) == len({task.args for task in world.sent}) == count
    del world.sent[::3]  # messages may get lost
    world.run_sent()
    world.time_passes()
    sweep_results()
    world.run_sent()
    assert (
        Job.objects.filter(status="COMPLETED", result_state=ResultState.THAWING)
        .exclude(retrieval_ticket="")
        .count()
        == count
    )

"""Many workers claim the same jobs at once: each job is won by one of them, whatever the network does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from annotations.dynamodb.tests.connecting import connected
from annotations.dynamodb.tests.proxy import Losses, losing
from annotations.dynamodb.tests.servers import REQUEST_OPTIONS, NotInstalled, dynalite, ministack
from annotations.models import Job

IN_FULL = bool(os.environ.get("DYNAMODB_TESTS_IN_FULL"))
PROCESSES, CLAIMS, JOBS = (8, 500, 200) if IN_FULL else (3, 40, 20)
LIMIT_SECONDS = 1500

pytestmark = [pytest.mark.timeout(1800), pytest.mark.journey]


@pytest.fixture(params=[dynalite, ministack], ids=["dynalite", "ministack"])
def port(request: pytest.FixtureRequest, settings: Any, django_db_blocker: Any) -> Iterator[int]:
    """Of an emulator with the table of jobs in it."""
    try:
        with request.param() as database, django_db_blocker.unblock():
            settings.DATABASE_ROUTERS = ["gas_project.routers.JobsApart"]
            with connected(database | {"NAME": "gas-"}, "jobs") as connection:
                with connection.schema_editor() as editor:
                    editor.create_model(Job)
                yield int(database["OPTIONS"]["endpoint_url"].rpartition(":")[2])
    except NotInstalled as missing:
        pytest.skip(str(missing))


def pending_jobs() -> list[str]:
    ids = [str(uuid.UUID(int=number)) for number in range(1, JOBS + 1)]
    for job_id in ids:
        Job.objects.create(
            job_id=job_id,
            user_id=uuid.UUID(int=1),  # a job points to its user by id alone
            input_file_name="a.vcf",
            inputs_bucket="inputs",
            input_key=f"k/{job_id}",
            input_bytes=1,
            reference="demo/1",
        )
    return ids


def claimed_by_processes(port: int, job_ids: list[str], tmp_path: Any) -> list[dict[str, int]]:
    """What each of the processes has won."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GAS_")} | {
        "DJANGO_SETTINGS_MODULE": "gas_project.settings",
        "GAS_STATE_DIR": str(tmp_path),
        "GAS_SECRET_KEY": "x" * 50,
        "GAS_JOBS_DATABASE": "dynamodb",
        "GAS_DYNAMODB_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "GAS_DYNAMODB_REGION": REQUEST_OPTIONS["region_name"],
        "AWS_ACCESS_KEY_ID": REQUEST_OPTIONS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": REQUEST_OPTIONS["aws_secret_access_key"],
    }

    command = [sys.executable, "-m", "annotations.tests.claims", str(PROCESSES), str(CLAIMS), *job_ids]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=LIMIT_SECONDS, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    won: list[dict[str, int]] = json.loads(done.stdout)
    return won


def assert_each_job_has_one_winner(job_ids: list[str], won: list[dict[str, int]]) -> None:
    winners = {job_id: [seed for seed, mine in enumerate(won) if job_id in mine] for job_id in job_ids}
    jobs = Job.objects.in_bulk(job_ids)
    for job_id, seeds in winners.items():
        assert len(seeds) <= 1, f"{job_id} was won by {seeds}"
        job = jobs[job_id]
        expected = ("RUNNING", f"task-{seeds[0]}", won[seeds[0]][job_id]) if seeds else ("PENDING", "", 0)
        # A claim that a lost reply made the process send twice is applied once.
        assert (job.status, job.claimed_by, job.attempts) == expected
    assert sum(bool(seeds) for seeds in winners.values()) > JOBS / 2


def test_each_job_is_won_by_one_process(port: int, tmp_path: Any) -> None:
    ids = pending_jobs()
    assert_each_job_has_one_winner(ids, claimed_by_processes(port, ids, tmp_path))


def test_each_job_is_won_by_one_process_though_replies_get_lost(port: int, tmp_path: Any) -> None:
    ids = pending_jobs()
    with losing(port, losses := Losses({"UpdateItem"}, chance=0.1)) as proxy:
        won = claimed_by_processes(proxy, ids, tmp_path)
    assert losses.lost > 0
    assert_each_job_has_one_winner(ids, won)

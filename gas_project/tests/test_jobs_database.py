"""One setting puts the jobs into DynamoDB; `migrate` makes what they need there."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from annotations.dynamodb.tests.servers import REQUEST_OPTIONS, ministack
from gas_project.environment import BASE_DIR

LIMIT_SECONDS = 120
ASK = """
from django.db import connections
from annotations.models import Job
from gas_project.accounts.models import User
user = User.objects.create_user("ada@example.org", "a long password")
job = Job.objects.create(user=user, input_file_name="a.vcf", input_bytes=1, reference="demo/1")
assert job._state.db == "jobs" and Job.objects.get(pk=job.pk).user == user
print(sorted(connections["default"].introspection.table_names()))
print(sorted(connections["jobs"].introspection.table_names()))
print(list(connections["jobs"].introspection.get_constraints(None, "annotations_job")))
user.delete()
assert not Job.objects.filter(pk=job.pk).exists()
"""


@pytest.mark.journey
def test_migrations_make_the_jobs_table_there_and_the_rest_here(tmp_path: Path) -> None:
    with ministack() as database:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GAS_")} | {
            "DJANGO_SETTINGS_MODULE": "gas_project.settings",
            "GAS_STATE_DIR": str(tmp_path),
            "GAS_JOBS_DATABASE": "dynamodb",
            "GAS_DYNAMODB_ENDPOINT_URL": database["OPTIONS"]["endpoint_url"],
            "GAS_DYNAMODB_REGION": REQUEST_OPTIONS["region_name"],
            "GAS_DYNAMODB_NAMES": "annotations_job=ada_annotations,job_user_newest=user_id_index",
            "AWS_ACCESS_KEY_ID": REQUEST_OPTIONS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": REQUEST_OPTIONS["aws_secret_access_key"],
        }

        def manage(*arguments: str) -> Any:
            command = [sys.executable, "manage.py", *arguments]
            done = subprocess.run(
                command,
                cwd=BASE_DIR,
                env=environment,
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-3000:]
            return done.stdout

        shown = manage("sqlmigrate", "annotations", "0001", "--database", "jobs")
        assert "-- create_table" in shown and '"ada_annotations"' in shown
        manage("migrate", "--verbosity", "0")
        manage("migrate", "--verbosity", "0", "--database", "jobs")
        manage("migrate", "--check", "--database", "jobs")
        manage("check", "--database", "jobs")
        here, there, indexes = manage("shell", "--no-imports", "--command", ASK).strip().splitlines()
    assert "accounts_user" in here and "annotations_submission" in here and "annotations_job'" not in here
    assert there == "['annotations_job', 'annotations_shard', 'django_migrations', 'django_sequences']"
    assert "user_id_index" in indexes and "job_unsettled" in indexes

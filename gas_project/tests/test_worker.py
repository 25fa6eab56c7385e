"""What a worker does before its first task."""

import os
import subprocess
import sys
from pathlib import Path

from gas_project.environment import BASE_DIR

LOADED = """
import sys
from gas_project.celery import app
app.loader.import_default_modules()
print(*sys.modules)
"""
# The code of pages, of plots and of exports: more than a worker itself needs.
NOT_FOR_A_WORKER = {"gas_project.urls", "duckdb", "polars", "numpy", "pysam"}


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "gas_project.settings"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_loads_what_its_tasks_need_and_no_pages(folders: Path) -> None:
    loaded = set(run("-c", LOADED, GAS_STATE_DIR=str(folders)).stdout.split())
    assert {"tasks.pipeline", "tasks.archival", "tasks.exports"} <= loaded
    assert loaded & NOT_FOR_A_WORKER == set()


def test_it_does_not_start_with_a_wrong_setting_and_names_the_remedy(folders: Path) -> None:
    start = ("-m", "celery", "--quiet", "--app", "gas_project", "worker", "--without-mingle")
    done = run(*start, GAS_STATE_DIR=str(folders), GAS_INPUTS_BUCKET="uploads")
    assert done.returncode == 1
    assert "gas.E009" in done.stderr
    assert "Set both to keep files in S3" in done.stderr

"""What a web process does before its first request."""

import subprocess
import sys

from gas_project.environment import BASE_DIR

LOADED = "import sys, gas_project.wsgi; print(*sys.modules)"


def test_the_libraries_of_the_result_pages_are_loaded_before_the_first_request():
    run = [sys.executable, "-W", "ignore", "-c", LOADED]
    done = subprocess.run(run, cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=True)
    assert {"duckdb", "polars", "pysam", "annotations.views.results"} <= set(done.stdout.split())

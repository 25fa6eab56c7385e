"""A divided job on two real workers: its result is that of the engine by itself."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotations.engine.annotate import annotate
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.demo import sample_of
from annotations.tests.waiting import wait_until
from gas_project.environment import BASE_DIR
from gas_project.tests.onemachine.service import Service, mails, query, submit_demo

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return {"GAS_SCATTER_BYTES": "0", "GAS_SHARD_RECORDS": "1000", "GAS_WORKER_CONCURRENCY": "1"}


@pytest.fixture
def second_worker(service: Service, tmp_path: Path) -> Iterator[Path]:
    """A worker beside the one of the service, for shards alone; gives the file that it logs to."""
    log = tmp_path / "second-worker"
    ready = service.state_dir / "run" / "worker-ready"  # each worker makes it anew
    ready.unlink()
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "--app", "gas_project.celery", "worker"),
                *("--queues", "shards", "--hostname", "second@onemachine"),
                *("--without-mingle", "--without-gossip", "--without-heartbeat"),
            ],
            env=service.environment,
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: ready.exists() or worker.poll() is not None)
        assert worker.poll() is None, log.read_text()
        yield log
    finally:
        worker.terminate()
        worker.wait(timeout=30)


def test_what_two_workers_make_of_a_job_is_what_one_would(
    service: Service, second_worker: Path, tmp_path: Path
) -> None:
    job_id = submit_demo(service)
    wait_until(lambda: job_id in mails(service), timeout_seconds=60)
    ((status, summary, *keys),) = query(
        service,
        "SELECT job_status, summary, s3_key_result_file, index_key, table_key, s3_key_log_file"
        " FROM annotations_job WHERE job_id = ?",
        job_id,
    )
    assert status == "COMPLETED"
    assert json.loads(str(summary))["seconds"] > 0
    said = [*service.lines, *second_worker.read_text().splitlines()]
    assert len([line for line in said if "shard_done" in line]) == 2
    references = service.state_dir / "references"
    sample = sample_of(references)
    assert sample is not None
    whole = annotate(sample, ReferenceBundle.open(references / "demo" / "1"), tmp_path / "whole")
    objects = service.state_dir / "objects"
    made = [(objects / str(key)).read_bytes() for key in keys]
    assert made == [Path(whole.files[kind]).read_bytes() for kind in ("vcf", "index", "table", "log")]
    assert query(service, "SELECT key FROM annotations_shard") == []
    assert len([path for path in objects.rglob("*") if path.is_file()]) == 5, "the upload and four files"

"""A store in memory, an engine that does next to nothing, and a reference it may be asked for."""

import secrets
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from annotations import reporting, running, scattering
from annotations.divided import Divided
from annotations.dynamodb.tests.servers import ministack_with
from annotations.models import Job
from annotations.tests import fakes
from annotations.tests.fake_scatter import FakeScatter
from annotations.tests.fakes import FakeEngine, FakeLimits, MemoryStore, submit, write_reference
from annotations.tests.workers import Workers, with_shards

ROOT = {"AWS_ACCESS_KEY_ID": "root", "AWS_SECRET_ACCESS_KEY": "of-the-emulator"}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    memory = MemoryStore()
    for module in ("inputs", "leftovers", "publishing", "scattering"):
        monkeypatch.setattr(f"annotations.{module}.object_store", lambda: memory)
    return memory


@pytest.fixture
def limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeLimits:
    """Those of every user; generous until the test says otherwise."""
    limits = FakeLimits()
    monkeypatch.setattr(fakes, "limits", limits, raising=False)
    settings.JOB_LIMITS = "annotations.tests.fakes.limits_of"
    return limits


@pytest.fixture
def engine(settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    write_reference(settings.REFERENCES_DIR)
    engine = FakeEngine()
    monkeypatch.setattr(fakes, "engine", engine, raising=False)
    settings.ENGINE = "annotations.tests.fakes.engine"
    return engine


@pytest.fixture
def scatter(settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeScatter:
    write_reference(settings.REFERENCES_DIR)
    settings.SCATTER_BYTES = 0
    fake = FakeScatter()
    monkeypatch.setattr(scattering, "engine", fake)
    monkeypatch.setattr(reporting, "REPORT_EVERY_SECONDS", 0)
    return fake


@pytest.fixture(scope="session")
def _s3() -> Iterator[str]:
    """The address of an S3 on this machine."""
    with ministack_with("s3", ROOT) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def s3_buckets(_s3: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two new buckets, which the settings name as those of uploads and of results."""
    for name, value in {
        **ROOT,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": _s3,
    }.items():
        monkeypatch.setenv(name, value)
    s3 = boto3.client("s3")
    made = {name: f"{name}-{secrets.token_hex(8)}" for name in ("inputs", "results")}
    for bucket in made.values():
        s3.create_bucket(Bucket=bucket)
    settings.INPUTS_BUCKET, settings.RESULTS_BUCKET = made["inputs"], made["results"]


@pytest.fixture
def large_job(user: Any, store: MemoryStore, scatter: FakeScatter) -> Job:
    return submit(user, store)


@pytest.fixture
def workers(sent_tasks: list[Any]) -> Workers:
    return Workers(sent_tasks)


@pytest.fixture
def divided(large_job: Job, workers: Workers) -> Divided:
    """A job with its shards, whose messages wait."""
    running.run(large_job.job_id, "planner", retry_seconds=10)
    return with_shards(large_job)


@pytest.fixture
def annotated(divided: Divided, workers: Workers) -> Divided:
    """All its shards are done, and the message for the gatherer waits."""
    workers.do(workers.take())
    return divided

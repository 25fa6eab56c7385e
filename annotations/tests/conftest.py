"""A store in memory, an engine that does next to nothing, and a reference it may be asked for."""

from typing import Any

import pytest

from annotations import reporting, running, scattering
from annotations.divided import Divided
from annotations.models import Job
from annotations.tests import fakes
from annotations.tests.fake_scatter import FakeScatter
from annotations.tests.fakes import FakeEngine, MemoryStore, submit, write_reference
from annotations.tests.workers import Workers, with_shards


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    memory = MemoryStore()
    for module in ("inputs", "leftovers", "publishing", "scattering"):
        monkeypatch.setattr(f"annotations.{module}.object_store", lambda: memory)
    return memory


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

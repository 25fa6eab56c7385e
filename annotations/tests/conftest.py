"""A store in memory, an engine that does next to nothing, and a reference it may be asked for."""

from typing import Any

import pytest

from annotations.tests import fakes
from annotations.tests.fakes import FakeEngine, FakeLimits, MemoryStore, write_reference


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    memory = MemoryStore()
    monkeypatch.setattr("annotations.running.object_store", lambda: memory)
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

"""A store in memory, an engine that does next to nothing, and a reference it may be asked for."""

from typing import Any

import pytest

from annotations.tests import fakes
from annotations.tests.fakes import FakeEngine, MemoryStore, write_reference


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

"""Tables that are kept elsewhere are fetched once, and the folder of copies has its limit."""

from pathlib import Path
from typing import Any

import pytest

from annotations.models import ResultState
from annotations.results import caching, database, tables
from annotations.results.filters import ResultFilter
from annotations.results.rows import count
from annotations.storage import ObjectMissing
from annotations.tests.factories import make_job
from annotations.tests.fakes import MemoryStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    memory = MemoryStore()
    for module in (caching, tables, database):
        monkeypatch.setattr(module, "object_store", lambda: memory)
    return memory


@pytest.fixture
def table(demo_files: dict[str, Path]) -> bytes:
    return demo_files["table"].read_bytes()


def test_a_table_is_fetched_once_and_read_from_the_copy(user: Any, store: MemoryStore, table: bytes):
    store.objects["r/a.parquet"] = table
    job = make_job(user, table_key="r/a.parquet", result_state=ResultState.AVAILABLE)
    assert count(tables.open_table(job), ResultFilter.parse({"impact": ["HIGH"]})).rows == 110
    first = caching.cached("r/a.parquet")
    store.objects["r/a.parquet"] = b"fetched again"
    assert caching.cached("r/a.parquet") == first
    assert first.read_bytes() == table


def test_what_was_not_asked_for_longest_makes_room(store: MemoryStore, settings: Any):
    settings.RESULT_CACHE_BYTES = 25
    for name in "abc":
        store.objects[name] = name.encode() * 10
    paths = [caching.cached(name) for name in "ab"]
    caching.os.utime(paths[0], (1, 1))
    caching.cached("c")
    assert [path.exists() for path in paths] == [False, True]
    assert caching.cached("a").read_bytes() == b"a" * 10


def test_a_table_larger_than_the_folder_is_kept_while_it_is_used(store: MemoryStore, settings: Any):
    settings.RESULT_CACHE_BYTES = 1
    store.objects["large"] = b"x" * 100
    assert caching.cached("large").exists()


def test_a_broken_fetch_leaves_no_copy(store: MemoryStore):
    with pytest.raises(ObjectMissing):
        caching.cached("missing")
    assert list(caching.cache_folder().glob("*.parquet")) == []

"""Large results are moved by a process of their own, which stays small and says what the stores say."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils.module_loading import import_string

from annotations.models import Job, ResultState
from annotations.storage import ObjectMissing
from archival import mover, moving, thawing
from archival.audit import audit
from archival.moves import Archived, Return
from archival.packing import ArchiveCorrupt, Packed
from archival.storage import ArchiveMissing, ColdStorage, ColdStorageError, NotThawed, RetrievalOption
from archival.tests import clouds
from archival.tests.world import World
from benchmarks.cold_server import cold_server

PROJECT = Path(__file__).resolve().parents[2]
FILES = {"result": b"r" * 11_000_000, "index": b"i", "table": b""}
NAMES = {"result": "a.annot.vcf.gz", "index": "a.annot.vcf.gz.tbi", "table": "a.parquet"}
KEYS = {kind: f"u/j/first/{name}" for kind, name in NAMES.items()}
BACK = {kind: f"u/j/back/{name}" for kind, name in NAMES.items()}
TOKEN = "u/j/archive"

# What a worker has and a mover must not: each would cost it a tenth of its memory or more.
NOT_FOR_A_MOVER = {
    *("gas_project", "celery", "structlog", "pydantic", "duckdb", "polars", "numpy"),
    *("annotations.models", "django.contrib.admin", "allauth", "ninja"),
}
IMPORTED = """
import sys
from archival import mover
mover.settings.configure()
import annotations.storage.local, annotations.storage.s3
import archival.moves, archival.storage.local, archival.storage.s3, archival.storage.glacier
print(*sys.modules)
"""


@contextmanager
def local(settings: Any, folder: Path) -> Iterator[str]:
    settings.VAULT = settings.VAULT | {"folder": folder / "vault", "expedited_seconds": 0}
    yield ""


@contextmanager
def s3(settings: Any, folder: Path) -> Iterator[str]:
    settings.COLD_STORAGE, settings.ARCHIVE_BUCKET = "archival.storage.s3.S3Archive", "archives"
    with cold_server(folder) as url:
        yield url


@contextmanager
def vault(settings: Any, folder: Path) -> Iterator[str]:
    settings.COLD_STORAGE, settings.GLACIER_VAULT = "archival.storage.glacier.GlacierVault", "results"
    with cold_server(folder) as url:
        yield url


@pytest.fixture(params=[local, s3, vault], ids=lambda door: door.__name__)
def cold(
    request: pytest.FixtureRequest, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ColdStorage]:
    with request.param(settings, tmp_path) as url:
        for name, value in (clouds.CREDENTIALS | {"AWS_ENDPOINT_URL": url}).items():
            monkeypatch.setenv(name, value)
        yield import_string(settings.COLD_STORAGE)()


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large result is one of 11 MB, so that it goes in parts, too."""
    monkeypatch.setattr(moving, "LARGE_BYTES", 10_000_000)


@pytest.fixture(autouse=True)
def at_hand() -> None:
    for kind, key in KEYS.items():
        path = Path(default_storage.path(key))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FILES[kind])


def ask(cold: ColdStorage, archived: Archived) -> str:
    return cold.request_thaw(archived.ref, RetrievalOption.EXPEDITED, "u/j/").ticket


def wanted(archived: Archived, ticket: str, **changes: Any) -> Return:
    fields = {"keys": BACK, "recorded": list(archived.contents.values())} | changes
    return Return(archived.ref, ticket, **fields)


def test_a_large_result_goes_into_the_archive_and_comes_back(cold: ColdStorage) -> None:
    archived = moving.pack_away(KEYS, TOKEN)
    assert {kind: packed.size_bytes for kind, packed in archived.contents.items()} == {
        kind: len(body) for kind, body in FILES.items()
    }
    assert moving.bring_back(wanted(archived, ask(cold, archived))) == sum(map(len, FILES.values()))
    assert {kind: Path(default_storage.path(key)).read_bytes() for kind, key in BACK.items()} == FILES


def test_what_an_adopted_archive_holds_is_taken_for_large(
    cold: ColdStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "LARGE_BYTES", 100_000_000_000)
    archived = moving.in_own_process("pack_away", {"keys": KEYS, "token": TOKEN}, Path())
    ref, ticket = archived["ref"], cold.request_thaw(archived["ref"], RetrievalOption.EXPEDITED, "").ticket
    assert moving.bring_back(Return(ref, ticket, BACK, [])) == sum(map(len, FILES.values()))


@pytest.mark.parametrize("cold", [local], indirect=True)
@pytest.mark.usefixtures("cold")
class TestWhatAStoreSays:
    """... reaches the worker as if it had asked itself."""

    def test_a_file_that_is_not_there(self) -> None:
        with pytest.raises(ObjectMissing, match="u/j/none"):
            moving.in_own_process("pack_away", {"keys": {"result": "u/j/none"}, "token": TOKEN}, Path())

    def test_an_archive_that_was_not_asked_for(self) -> None:
        with pytest.raises(NotThawed):
            moving.bring_back(wanted(moving.pack_away(KEYS, TOKEN), "no ticket"))

    def test_an_archive_that_is_not_there(self) -> None:
        with pytest.raises(ArchiveMissing):
            moving.bring_back(Return("u/j/none.tar", "ticket", BACK, []))

    def test_an_archive_of_other_files_than_the_record_has(self, cold: ColdStorage) -> None:
        archived = moving.pack_away(KEYS, TOKEN)
        other = [Packed("a.annot.vcf.gz", 11_000_000, "0" * 64)]
        with pytest.raises(ArchiveCorrupt, match="The record names"):
            moving.bring_back(wanted(archived, ask(cold, archived), recorded=other))
        assert not Path(default_storage.path("u/j/back")).exists()

    def test_a_disk_that_refuses(self, settings: Any) -> None:
        settings.VAULT = settings.VAULT | {"folder": "/proc/nowhere"}
        with pytest.raises(ColdStorageError):
            moving.pack_away(KEYS, TOKEN)


@pytest.mark.parametrize("cold", [local], indirect=True)
@pytest.mark.usefixtures("cold")
def test_a_process_that_breaks_down_says_why(settings: Any) -> None:
    settings.COLD_STORAGE = "archival.storage.no_such_thing.Storage"
    with pytest.raises(moving.MoverFailed, match="no_such_thing"):
        moving.pack_away(KEYS, TOKEN)


@pytest.mark.parametrize("cold", [local], indirect=True)
@pytest.mark.usefixtures("cold")
def test_a_process_that_does_not_end_is_ended(settings: Any) -> None:
    settings.CELERY_TASK_TIME_LIMIT = 0
    with pytest.raises(moving.MoverFailed, match="did not end within 0 seconds"):
        moving.pack_away(KEYS, TOKEN)


def test_a_move_whose_process_is_killed_costs_nothing_but_time(
    world: World, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise moving.MoverFailed("module archival.mover was ended by SIGKILL: no message")

    job = world.job(user)
    for task, reached in (("archive", ResultState.ARCHIVED), ("restore", ResultState.AVAILABLE)):
        with monkeypatch.context() as patch:
            patch.setattr(moving, "LARGE_BYTES", 0)
            patch.setattr(moving, "in_own_process", killed)
            with pytest.raises(moving.MoverFailed):
                world.run(task, job.job_id)
        world.assert_has_its_result(job.job_id)
        world.time_passes()
        world.run(task, job.job_id)
        assert Job.objects.get(pk=job.pk).result_state == reached
        thawing.bring_back(job.job_id)
        world.run_sent()
        world.vault.finish()
    world.assert_has_its_result(job.job_id)
    assert audit().findings == []


def test_the_process_imports_little() -> None:
    run = [sys.executable, "-c", IMPORTED]
    done = subprocess.run(run, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True)
    assert NOT_FOR_A_MOVER & set(done.stdout.split()) == set()


def test_the_process_is_told_every_setting_that_names_a_store(settings: Any) -> None:
    assert all(hasattr(settings, name) for name in mover.SETTINGS)

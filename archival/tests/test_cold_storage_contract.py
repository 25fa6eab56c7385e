"""What every cold storage promises. An adapter joins by one more fixture in DOORS."""

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from annotations.tests.waiting import wait_until
from archival.storage import (
    ArchiveMissing,
    ColdStorage,
    ColdStorageError,
    InventoryNotReady,
    NotThawed,
    Progress,
    RetrievalOption,
)
from archival.storage.glacier import GlacierVault
from archival.storage.local import LocalVault
from archival.storage.s3 import S3Archive
from archival.tests import clouds
from archival.tests.strict_vault import StrictVault

MEBIBYTE = 1024 * 1024
PART_BYTES = 5 * MEBIBYTE  # the smallest that S3 takes
EXPEDITED = RetrievalOption.EXPEDITED


@dataclass(frozen=True)
class Doors:
    """A cold storage, and how the test makes time pass for it. `exact`: it knows what it has not."""

    storage: ColdStorage
    finish: Callable[[str, str], None]
    exact: bool = True


@pytest.fixture
def local(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doors:
    settings.VAULT = settings.VAULT | {"folder": tmp_path / "vault", "expedited_seconds": 100}
    ahead = [0.0]
    monkeypatch.setattr("archival.storage.local.time.time", lambda: 1_800_000_000 + ahead[0])

    def finish(ref: str, ticket: str) -> None:
        ahead[0] += 101

    return Doors(LocalVault(), finish)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    mock = pytest.importorskip("moto", reason="moto is not installed")
    clouds.speak_to(monkeypatch, None)
    with mock.mock_aws():
        yield


@pytest.fixture
def s3_moto(settings: Any, moto: None) -> Iterator[Doors]:
    from moto.moto_api import state_manager

    settings.ARCHIVE_BUCKET = "archives"
    boto3.client("s3").create_bucket(Bucket="archives")
    state_manager.set_transition("s3::keyrestore", {"progression": "manual", "times": 3})
    storage = S3Archive(part_bytes=PART_BYTES)
    yield Doors(storage, _finish_by_asking(storage))
    state_manager.unset_transition("s3::keyrestore")


@pytest.fixture(scope="module")
def ministack_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clouds.ministack(tmp_path_factory.mktemp("ministack"), "s3") as url:
        yield url


@pytest.fixture
def s3_ministack(settings: Any, ministack_url: str, monkeypatch: pytest.MonkeyPatch) -> Doors:
    clouds.speak_to(monkeypatch, ministack_url)
    settings.ARCHIVE_BUCKET = "archives"
    s3 = boto3.client("s3")
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket="archives")
    storage = S3Archive(part_bytes=PART_BYTES)
    for stored in storage.inventory().archives:
        storage.delete(stored.ref)
    return Doors(storage, _finish_by_asking(storage))


@pytest.fixture
def vault_moto(settings: Any, moto: None, monkeypatch: pytest.MonkeyPatch) -> Doors:
    finish = clouds.mend_moto_vault(monkeypatch)
    settings.GLACIER_VAULT = "results"
    boto3.client("glacier").create_vault(accountId="-", vaultName="results")
    storage = GlacierVault(part_bytes=8 * MEBIBYTE)
    return Doors(storage, lambda ref, ticket: finish(), exact=False)


@pytest.fixture
def vault_strict(settings: Any) -> Doors:
    settings.GLACIER_VAULT = "results"
    vault = StrictVault()
    return Doors(GlacierVault(part_bytes=MEBIBYTE, vault_client=vault), lambda ref, ticket: vault.finish())


def _finish_by_asking(storage: ColdStorage) -> Callable[[str, str], None]:
    return lambda ref, ticket: wait_until(lambda: storage.poll(ref, ticket) is Progress.READY)


DOORS = ["local", "s3_moto", "s3_ministack", "vault_moto", "vault_strict"]


@pytest.fixture(params=DOORS)
def doors(request: pytest.FixtureRequest) -> Doors:
    made: Doors = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def storage(doors: Doors) -> ColdStorage:
    return doors.storage


def put(storage: ColdStorage, body: bytes = b"body", token: str = "u/j/1") -> str:  # noqa: S107  no secret
    return storage.archive(io.BytesIO(body), len(body), token)


def get(storage: ColdStorage, ref: str, ticket: str) -> bytes:
    return b"".join(storage.restore(ref, ticket))


def test_an_archive_comes_back_as_it_was_once_it_was_asked_for_and_ready(doors: Doors) -> None:
    storage, body = doors.storage, bytes(range(256)) * 4000
    ref = put(storage, body)
    ticket = storage.request_thaw(ref, EXPEDITED, "u/j/").ticket
    assert storage.poll(ref, ticket) is Progress.PENDING
    with pytest.raises(NotThawed):
        get(storage, ref, ticket)
    doors.finish(ref, ticket)
    assert storage.poll(ref, ticket) is Progress.READY
    assert get(storage, ref, ticket) == body
    assert get(storage, ref, ticket) == body, "a second time too"


def test_what_nobody_asked_for_can_not_be_read(storage: ColdStorage) -> None:
    ref = put(storage)
    assert storage.poll(ref, "none") is Progress.EXPIRED
    with pytest.raises(NotThawed):
        get(storage, ref, "none")


def test_asking_twice_is_no_error_and_both_tickets_are_good(doors: Doors) -> None:
    storage = doors.storage
    ref = put(storage)
    first = storage.request_thaw(ref, EXPEDITED, "u/j/").ticket
    second = storage.request_thaw(ref, EXPEDITED, "u/j/").ticket
    doors.finish(ref, second)
    assert get(storage, ref, first) == get(storage, ref, second) == b"body"


@pytest.mark.parametrize("size_bytes", [0, 1, MEBIBYTE, 2 * PART_BYTES + 3])
def test_archives_of_every_size_come_back_whole(doors: Doors, size_bytes: int) -> None:
    body = (b"0123456789abcdef" * (size_bytes // 16 + 1))[:size_bytes]
    if size_bytes > 8 * MEBIBYTE and not doors.exact:
        pytest.skip("moto's vault takes no uploads in parts")
    ref = put(doors.storage, body, f"u/j/{size_bytes}")
    ticket = doors.storage.request_thaw(ref, EXPEDITED, "u/j/").ticket
    doors.finish(ref, ticket)
    assert get(doors.storage, ref, ticket) == body


def test_an_archive_shorter_than_announced_is_not_taken_for_one(storage: ColdStorage) -> None:
    with pytest.raises(ColdStorageError):
        storage.archive(io.BytesIO(b"short"), 6, "u/j/short")


def test_a_source_that_breaks_off_leaves_no_archive(doors: Doors) -> None:
    class Broken(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            raise ValueError("gone")

    size_bytes = 3 * PART_BYTES if doors.exact else MEBIBYTE
    with pytest.raises(ValueError, match="gone"):
        doors.storage.archive(io.BufferedReader(Broken()), size_bytes, "u/j/broken")
    assert stored(doors) == {}


def test_a_deleted_archive_is_gone_and_deleting_it_again_is_fine(doors: Doors) -> None:
    if not doors.exact:
        pytest.skip("moto's vault breaks on archives that are not there")
    storage = doors.storage
    ref = put(storage)
    storage.delete(ref)
    storage.delete(ref)
    with pytest.raises(ArchiveMissing):
        storage.request_thaw(ref, EXPEDITED, "u/j/")
    assert stored(doors) == {}


def test_the_inventory_names_every_archive_with_its_token(doors: Doors) -> None:
    refs = {put(doors.storage, bytes([n]), f"u/j/{n}"): f"u/j/{n}" for n in range(3)}
    assert stored(doors) == refs


def stored(doors: Doors) -> dict[str, str]:
    try:
        inventory = doors.storage.inventory()
    except InventoryNotReady:
        doors.finish("", "")  # a vault's inventory is a retrieval too
        inventory = doors.storage.inventory()
    return {archive.ref: archive.token for archive in inventory.archives}

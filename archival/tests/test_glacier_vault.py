"""What is peculiar to a Glacier vault: parts, the tree hash, capacity, retrievals asked for before."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from botocore.utils import calculate_tree_hash

from archival.storage import (
    CapacityUnavailable,
    ColdStorageError,
    InventoryNotReady,
    Progress,
    RetrievalOption,
)
from archival.storage.glacier import GlacierVault
from archival.storage.tree_hash import leaves, root
from archival.tests.strict_vault import StrictVault, refusal

MEBIBYTE = 1024 * 1024
EXPEDITED, STANDARD = RetrievalOption.EXPEDITED, RetrievalOption.STANDARD


@pytest.fixture
def vault(settings: Any) -> StrictVault:
    settings.GLACIER_VAULT = "results"
    return StrictVault()


@pytest.fixture
def storage(vault: StrictVault) -> GlacierVault:
    return GlacierVault(part_bytes=MEBIBYTE, vault_client=vault)


def put(storage: GlacierVault, body: bytes = b"body") -> str:
    return storage.archive(io.BytesIO(body), len(body), "u/j/1")


@pytest.mark.parametrize("size_bytes", [0, 1, MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE, 7 * MEBIBYTE + 5])
def test_the_tree_hash_is_that_of_the_sdk(size_bytes: int) -> None:
    data = bytes(size_bytes)
    expected = calculate_tree_hash(io.BytesIO(data)) if size_bytes else hashlib.sha256().hexdigest()
    assert root(leaves(data)) == expected


def test_a_large_archive_goes_in_parts_and_the_vault_has_all_of_it(
    storage: GlacierVault, vault: StrictVault
) -> None:
    body = bytes(range(256)) * (4096 * 3 + 1)
    assert vault.archives[put(storage, body)] == body
    assert vault.uploads == {}


def test_parts_grow_with_the_archive_so_that_it_fits_into_ten_thousand(
    storage: GlacierVault, vault: StrictVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archival.storage.glacier.MOST_PARTS", 2)
    body = bytes(5 * MEBIBYTE)
    assert vault.archives[put(storage, body)] == body


def test_an_upload_that_fails_is_ended(storage: GlacierVault, vault: StrictVault) -> None:
    def refuse(**_: Any) -> None:
        raise refusal("ServiceUnavailableException", 503)

    vault.complete_multipart_upload = refuse  # type: ignore[method-assign]
    with pytest.raises(ColdStorageError):
        put(storage, bytes(2 * MEBIBYTE))
    assert vault.uploads == {}


def test_uploads_that_nobody_has_finished_are_found_and_ended(
    storage: GlacierVault, vault: StrictVault
) -> None:
    vault.initiate_multipart_upload(archiveDescription="u/j/1", partSize=str(MEBIBYTE))
    assert list(storage.abandoned(timedelta(days=40_000))) == []
    (found,) = storage.abandoned(timedelta(hours=1))
    assert found.token == "u/j/1"
    found.remove()
    assert vault.uploads == {}


def test_an_expedited_retrieval_without_capacity_is_refused_after_one_attempt(
    storage: GlacierVault, vault: StrictVault
) -> None:
    ref = put(storage)
    vault.no_capacity = True
    with pytest.raises(CapacityUnavailable):
        storage.request_thaw(ref, EXPEDITED, "u/j/")
    assert vault.initiated == ["Expedited"]
    assert storage.request_thaw(ref, STANDARD, "u/j/").ticket


def test_a_retrieval_that_was_asked_for_before_is_not_paid_for_twice(
    storage: GlacierVault, vault: StrictVault
) -> None:
    ref = put(storage)
    first = storage.request_thaw(ref, EXPEDITED, "u/j/").ticket
    assert storage.request_thaw(ref, STANDARD, "u/j/").ticket == first
    assert vault.initiated == ["Expedited"]


def test_a_retrieval_that_the_vault_has_forgotten_has_expired(
    storage: GlacierVault, vault: StrictVault
) -> None:
    ref = put(storage)
    ticket = storage.request_thaw(ref, EXPEDITED, "u/j/").ticket
    vault.expire()
    assert storage.poll(ref, ticket) is Progress.EXPIRED


def test_output_with_another_checksum_is_asked_for_again(
    storage: GlacierVault, vault: StrictVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = put(storage, bytes(2 * MEBIBYTE))
    ticket = storage.request_thaw(ref, EXPEDITED, "u/j/").ticket
    vault.finish()
    spoilt = [True]
    whole = vault.get_job_output

    def get_job_output(**call: Any) -> Any:
        answer = whole(**call)
        if spoilt.pop() if spoilt else False:
            answer["body"] = io.BytesIO(b"\1" + answer["body"].read()[1:])
        return answer

    monkeypatch.setattr(vault, "get_job_output", get_job_output)
    assert b"".join(storage.restore(ref, ticket)) == bytes(2 * MEBIBYTE)


def test_an_inventory_is_asked_for_once_and_told_when_it_is_ready(
    storage: GlacierVault, vault: StrictVault
) -> None:
    ref = put(storage)
    for _ in range(2):
        with pytest.raises(InventoryNotReady, match="5 hours"):
            storage.inventory()
    assert len(vault.jobs) == 1
    vault.finish()
    inventory = storage.inventory()
    assert [archive.ref for archive in inventory.archives] == [ref]
    assert inventory.taken_at.isoformat() == "2026-01-02T03:04:05+00:00"

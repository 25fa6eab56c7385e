"""What is peculiar to the local vault: its times, its capacity, its folder."""

import io
from pathlib import Path
from typing import Any

import pytest

from archival.storage import CapacityUnavailable, ColdStorageError, Progress, RetrievalOption
from archival.storage.local import LocalVault

EXPEDITED, STANDARD = RetrievalOption.EXPEDITED, RetrievalOption.STANDARD


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_800_000_000.0]
    monkeypatch.setattr("archival.storage.local.time.time", lambda: now[0])
    return now


@pytest.fixture
def vault(settings: Any, tmp_path: Path, clock: list[float]) -> LocalVault:
    settings.VAULT = {
        "folder": tmp_path / "vault",
        "expedited_seconds": 10,
        "standard_seconds": 60,
        "expedited_at_once": 1,
        "retrieved_kept_seconds": 100,
    }
    return LocalVault()


def put(vault: LocalVault, token: str = "u/j/1") -> str:  # noqa: S107  no secret
    return vault.archive(io.BytesIO(b"body"), 4, token)


def test_expedited_and_standard_take_their_own_time(vault: LocalVault, clock: list[float]) -> None:
    fast, slow = put(vault, "u/j/1"), put(vault, "u/j/2")
    tickets = {
        fast: vault.request_thaw(fast, EXPEDITED, "").ticket,
        slow: vault.request_thaw(slow, STANDARD, "").ticket,
    }
    clock[0] += 10
    assert [vault.poll(ref, ticket) for ref, ticket in tickets.items()] == [Progress.READY, Progress.PENDING]
    clock[0] += 50
    assert vault.poll(slow, tickets[slow]) is Progress.READY


def test_expedited_retrievals_run_out_and_come_free_again(vault: LocalVault, clock: list[float]) -> None:
    first, second = put(vault, "u/j/1"), put(vault, "u/j/2")
    vault.request_thaw(first, EXPEDITED, "")
    with pytest.raises(CapacityUnavailable):
        vault.request_thaw(second, EXPEDITED, "")
    assert vault.request_thaw(second, STANDARD, "").ticket
    clock[0] += 10
    assert vault.request_thaw(put(vault, "u/j/3"), EXPEDITED, "").ticket


def test_what_was_retrieved_expires(vault: LocalVault, clock: list[float]) -> None:
    ref = put(vault)
    ticket = vault.request_thaw(ref, EXPEDITED, "").ticket
    clock[0] += 110
    assert vault.poll(ref, ticket) is Progress.EXPIRED
    assert vault.request_thaw(ref, EXPEDITED, "").ticket != ticket


def test_a_folder_that_can_not_be_written_is_said_to_be_one_to_try_later(
    settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    settings.VAULT = settings.VAULT | {"folder": tmp_path / "file"}
    with pytest.raises(ColdStorageError):
        put(LocalVault())


def test_nothing_outside_the_folder_can_be_named(vault: LocalVault) -> None:
    with pytest.raises(ValueError, match="no plain path"):
        vault.delete("../../etc/passwd")

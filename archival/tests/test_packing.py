"""A job's files become one tar that any tar reads, and come out of it as they were."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from annotations.storage import ObjectMissing
from annotations.tests.fakes import MemoryStore
from archival.packing import ArchiveCorrupt, Packing, unpack

LONG = "x" * 140 + ".annot.vcf.gz"
KEYS = {"result": f"u/j/{LONG}", "index": f"u/j/{LONG}.tbi", "table": "u/j/Ärger.parquet"}


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.objects = {KEYS["result"]: b"r" * 3_000_001, KEYS["index"]: b"", KEYS["table"]: b"t" * 512}
    return store


def packed(store: MemoryStore) -> bytes:
    packing = Packing(store, KEYS)
    body = packing.stream().read()
    assert len(body) == packing.size_bytes
    return body


def in_blocks(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


@pytest.mark.parametrize("block_bytes", [1000, 65_536, 8 * 1024 * 1024])
def test_what_goes_in_comes_out_whatever_the_blocks(
    store: MemoryStore, tmp_path: Path, block_bytes: int
) -> None:
    found = unpack(iter(in_blocks(packed(store), block_bytes)), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in found} == {
        key.rsplit("/", 1)[-1]: body for key, body in store.objects.items()
    }


def test_the_same_files_give_the_same_archive(store: MemoryStore) -> None:
    assert packed(store) == packed(store)


def test_whoever_has_nothing_but_the_archive_can_open_and_check_it(
    store: MemoryStore, tmp_path: Path
) -> None:
    tar, sha256sum = shutil.which("tar"), shutil.which("sha256sum")
    if not (tar and sha256sum):
        pytest.skip("this machine lacks tar or sha256sum")
    (tmp_path / "archive.tar").write_bytes(packed(store))
    subprocess.run([tar, "xf", "archive.tar"], cwd=tmp_path, check=True, timeout=20)
    subprocess.run([sha256sum, "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True, timeout=20)


def test_every_damaged_block_is_noticed(store: MemoryStore, tmp_path: Path) -> None:
    store.objects[KEYS["result"]] = b"result"
    body = packed(store)
    for number, at in enumerate(range(0, len(body) - 2048, 512)):
        damaged = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(ArchiveCorrupt):
            assert unpack(iter([damaged]), folder) == unpack(iter([body]), folder)


@pytest.mark.parametrize("kept", [0, 100, 2000, 3_000_000])
def test_an_archive_that_breaks_off_is_noticed(store: MemoryStore, tmp_path: Path, kept: int) -> None:
    with pytest.raises(ArchiveCorrupt):
        unpack(iter([packed(store)[:kept]]), tmp_path)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/b"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    import tarfile

    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ArchiveCorrupt, match="no plain file"):
        unpack(iter([body.getvalue()]), folder)
    assert list(folder.iterdir()) == []


def test_a_file_that_changes_its_size_while_it_is_read_is_not_archived(store: MemoryStore) -> None:
    packing = Packing(store, KEYS)
    store.objects[KEYS["table"]] = b"another"
    with pytest.raises(ArchiveCorrupt, match="had 512 bytes"):
        packing.stream().read()


def test_a_file_that_is_not_there_is_said_so_before_anything_is_sent(store: MemoryStore) -> None:
    del store.objects[KEYS["index"]]
    with pytest.raises(ObjectMissing):
        Packing(store, KEYS)

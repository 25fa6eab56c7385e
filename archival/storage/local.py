"""Cold storage in a folder of this machine, with the manners of the real thing.

An archive can't be read before a retrieval was asked for and its time has passed; expedited retrievals may
run out; what was retrieved expires. So whoever runs the service on one machine sees the states that it has on
AWS.
"""

import hashlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.utils import timezone

from archival.storage.port import (
    BLOCK_BYTES,
    ArchiveMissing,
    CapacityUnavailable,
    ColdStorageError,
    Inventory,
    NotThawed,
    Progress,
    Retrieval,
    RetrievalOption,
    StoredArchive,
)

SUFFIX = ".tar"
STALE_DRAFT_SECONDS = 24 * 3600  # a draft this old belongs to a process that was killed


class LocalVault:
    """Implements `port.ColdStorage`. A ref is the path of the archive below the folder."""

    def __init__(self) -> None:
        self._root = Path(settings.VAULT["folder"])
        self._seconds = {
            RetrievalOption.EXPEDITED: settings.VAULT["expedited_seconds"],
            RetrievalOption.STANDARD: settings.VAULT["standard_seconds"],
        }
        self._expedited_at_once: int = settings.VAULT["expedited_at_once"]
        self._kept_seconds: float = settings.VAULT["retrieved_kept_seconds"]

    def archive(self, content: BinaryIO, size_bytes: int, token: str) -> str:
        ref = token + SUFFIX
        path = self._path(ref)
        with _translated(ref), self._draft() as draft:
            written, digest = _copy(content, draft)
            draft.flush()
            os.fsync(draft.fileno())
            if written != size_bytes or _digest_of(Path(draft.name)) != digest:
                raise ColdStorageError(f"{ref}: {size_bytes} bytes were announced, other bytes were written.")
            path.parent.mkdir(parents=True, exist_ok=True)
            Path(draft.name).replace(path)
        return ref

    def request_thaw(self, ref: str, option: RetrievalOption, token: str) -> Retrieval:
        self._existing(ref)
        with _translated(ref):
            running = self._retrieval(ref)
            if running is not None and time.time() < running["expires_at"]:
                return _as_retrieval(running)
            if option is RetrievalOption.EXPEDITED and self._expedited_running() >= self._expedited_at_once:
                raise CapacityUnavailable("All expedited retrievals of the local vault are taken.")
            ready_at = time.time() + self._seconds[option]
            wanted = {
                "ref": ref,
                "ticket": secrets.token_hex(8),
                "option": option.value,
                "ready_at": ready_at,
                "expires_at": ready_at + self._kept_seconds,
            }
            with self._draft() as draft:
                draft.write(json.dumps(wanted).encode())
                draft.flush()
                path = self._retrieval_path(ref)
                path.parent.mkdir(parents=True, exist_ok=True)
                Path(draft.name).replace(path)
        return _as_retrieval(wanted)

    def poll(self, ref: str, ticket: str) -> Progress:
        self._existing(ref)
        with _translated(ref):
            retrieval = self._retrieval(ref)
        if retrieval is None or retrieval["ticket"] != ticket or time.time() >= retrieval["expires_at"]:
            return Progress.EXPIRED
        return Progress.READY if time.time() >= retrieval["ready_at"] else Progress.PENDING

    def restore(self, ref: str, ticket: str) -> Iterator[bytes]:
        if self.poll(ref, ticket) is not Progress.READY:
            raise NotThawed(ref)
        with _translated(ref), self._existing(ref).open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block

    def delete(self, ref: str) -> None:
        with _translated(ref):
            self._path(ref).unlink(missing_ok=True)
            self._retrieval_path(ref).unlink(missing_ok=True)

    def inventory(self) -> Inventory:
        folder = self._root / "archives"
        refs = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob(f"*{SUFFIX}")))
        return Inventory(timezone.now(), (StoredArchive(ref, ref.removesuffix(SUFFIX)) for ref in refs))

    def _path(self, ref: str) -> Path:
        if any(part in {"", ".", ".."} for part in ref.split("/")):
            raise ValueError(f"{ref!r} is no plain path.")
        return self._root / "archives" / ref

    def _existing(self, ref: str) -> Path:
        path = self._path(ref)
        if not path.is_file():
            raise ArchiveMissing(ref)
        return path

    def _retrieval_path(self, ref: str) -> Path:
        return self._root / "retrievals" / f"{hashlib.sha256(ref.encode()).hexdigest()}.json"

    def _retrieval(self, ref: str) -> dict[str, Any] | None:
        try:
            retrieval: dict[str, Any] = json.loads(self._retrieval_path(ref).read_bytes())
        except FileNotFoundError:
            return None
        return retrieval

    def _expedited_running(self) -> int:
        count = 0
        for path in (self._root / "retrievals").glob("*.json"):
            with suppress(FileNotFoundError):  # taken away since
                retrieval = json.loads(path.read_bytes())
                count += (
                    retrieval["option"] == RetrievalOption.EXPEDITED and time.time() < retrieval["ready_at"]
                )
        return count

    @contextmanager
    def _draft(self) -> Iterator[Any]:
        """A file in the vault's file system, gone at the end unless it was renamed."""
        incoming = self._root / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        for left in incoming.iterdir():
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - STALE_DRAFT_SECONDS:
                    left.unlink()
        with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as draft:
            try:
                yield draft
            finally:
                Path(draft.name).unlink(missing_ok=True)


def _as_retrieval(retrieval: dict[str, Any]) -> Retrieval:
    return Retrieval(retrieval["ticket"], datetime.fromtimestamp(retrieval["ready_at"], UTC))


def _copy(content: BinaryIO, draft: Any) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while block := content.read(BLOCK_BYTES):
        digest.update(block)
        draft.write(block)
        size += len(block)
    return size, digest.hexdigest()


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ColdStorageError(f"{what}: {error.strerror or error}") from error

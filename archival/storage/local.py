"""Cold storage in a folder of this machine, with the manners of the real thing.

An archive can't be read before a retrieval was asked for and its time has passed; expedited retrievals may
run out; what was retrieved expires. So whoever runs the service on one machine sees the states that it has on
AWS.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.utils import timezone

from annotations.storage.drafts import Draft, draft_in
from archival.storage import port

SUFFIX = ".tar"


class LocalVault:
    """Implements `port.ColdStorage`. A ref is the path of the archive below the folder."""

    def __init__(self) -> None:
        self._root = Path(settings.VAULT["folder"])
        self._seconds = {
            port.RetrievalOption.EXPEDITED: settings.VAULT["expedited_seconds"],
            port.RetrievalOption.STANDARD: settings.VAULT["standard_seconds"],
        }
        self._expedited_at_once: int = settings.VAULT["expedited_at_once"]
        self._kept_seconds: float = settings.VAULT["retrieved_kept_seconds"]

    def archive(self, content: BinaryIO, size_bytes: int, token: str) -> str:
        ref = token + SUFFIX
        path = self._path(ref)
        with _translated(ref), self._draft() as draft:
            written, digest = _copy(content, draft.file)
            draft.sync()
            if written != size_bytes or _digest_of(draft.path) != digest:
                raise port.ColdStorageError(
                    f"{ref}: {size_bytes} bytes were announced, other bytes were written."
                )
            draft.keep_as(path)
        return ref

    def request_thaw(self, ref: str, option: port.RetrievalOption, token: str) -> port.Retrieval:
        self._existing(ref)
        with _translated(ref):
            running = self._retrieval(ref)
            if running is not None and time.time() < running["expires_at"]:
                return _as_retrieval(running)
            if (
                option is port.RetrievalOption.EXPEDITED
                and self._expedited_running() >= self._expedited_at_once
            ):
                raise port.CapacityUnavailable("All expedited retrievals of the local vault are taken.")
            ready_at = time.time() + self._seconds[option]
            wanted = {
                "ref": ref,
                "ticket": secrets.token_hex(8),
                "option": option.value,
                "ready_at": ready_at,
                "expires_at": ready_at + self._kept_seconds,
            }
            with self._draft() as draft:
                draft.file.write(json.dumps(wanted).encode())
                draft.keep_as(self._retrieval_path(ref))
        return _as_retrieval(wanted)

    def poll(self, ref: str, ticket: str) -> port.Progress:
        self._existing(ref)
        with _translated(ref):
            retrieval = self._retrieval(ref)
        if retrieval is None or retrieval["ticket"] != ticket or time.time() >= retrieval["expires_at"]:
            return port.Progress.EXPIRED
        return port.Progress.READY if time.time() >= retrieval["ready_at"] else port.Progress.PENDING

    def restore(self, ref: str, ticket: str) -> Iterator[bytes]:
        if self.poll(ref, ticket) is not port.Progress.READY:
            raise port.NotThawed(ref)
        with _translated(ref), self._existing(ref).open("rb") as file:
            while block := file.read(port.BLOCK_BYTES):
                yield block

    def delete(self, ref: str) -> None:
        with _translated(ref):
            self._path(ref).unlink(missing_ok=True)
            self._retrieval_path(ref).unlink(missing_ok=True)

    def inventory(self) -> port.Inventory:
        folder = self._root / "archives"
        refs = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob(f"*{SUFFIX}")))
        return port.Inventory(
            timezone.now(), (port.StoredArchive(ref, ref.removesuffix(SUFFIX)) for ref in refs)
        )

    def abandoned(self, older_than: timedelta) -> Iterable[port.Abandoned]:
        """None: what a killed process has left goes with the next archive that is made."""
        return ()

    def _path(self, ref: str) -> Path:
        if any(part in {"", ".", ".."} for part in ref.split("/")):
            raise ValueError(f"{ref!r} is no plain path.")
        return self._root / "archives" / ref

    def _existing(self, ref: str) -> Path:
        path = self._path(ref)
        if not path.is_file():
            raise port.ArchiveMissing(ref)
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
                    retrieval["option"] == port.RetrievalOption.EXPEDITED
                    and time.time() < retrieval["ready_at"]
                )
        return count

    def _draft(self) -> AbstractContextManager[Draft]:
        return draft_in(self._root / "incoming")


def _as_retrieval(retrieval: dict[str, Any]) -> port.Retrieval:
    return port.Retrieval(retrieval["ticket"], datetime.fromtimestamp(retrieval["ready_at"], UTC))


def _copy(content: BinaryIO, file: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while block := content.read(port.BLOCK_BYTES):
        digest.update(block)
        file.write(block)
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
        raise port.ColdStorageError(f"{what}: {error.strerror or error}") from error

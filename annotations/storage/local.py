"""Object storage in a folder of this machine, over Django's default storage.

A key is a path below the folder. What is on its way in stands in a folder of its own beside the objects, and
is renamed to its key once it is whole: readers see all of an object or nothing, and never two copies.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.urls import reverse

from annotations.storage.drafts import Draft, draft_in
from annotations.storage.local_parts import PARTS, PartsFolder
from annotations.storage.port import ObjectMissing, Part, Span, StorageError, UploadForm

FILE_NAME_VARIABLE = "${filename}"
INCOMING = ".incoming"
OURS = {INCOMING, PARTS}  # folders beside the objects that hold none
NAME_MAX_BYTES = 255  # of one part of a path, in every usual file system


class GrantRefused(Exception):
    """The signed permission is not one of ours, was changed, or has expired. Says which."""


@dataclass(frozen=True)
class UploadGrant:
    """What the holder of an upload form may do. `expires_at` in seconds since the epoch."""

    key: str
    max_bytes: int
    redirect_url: str | None
    expires_at: float


@dataclass(frozen=True)
class DownloadGrant:
    key: str
    file_name: str
    expires_at: float


@dataclass(frozen=True)
class PartGrant:
    """What the holder of a part's address may send."""

    key: str
    upload: str
    number: int
    start: int
    size_bytes: int
    expires_at: float

    @property
    def span(self) -> Span:
        return Span(self.number, self.start, self.size_bytes)


Grant = TypeVar("Grant", UploadGrant, DownloadGrant, PartGrant)


def seal(grant: UploadGrant | DownloadGrant | PartGrant) -> str:
    """The grant as a signed text that fits into an address."""
    return signing.dumps(asdict(grant), salt=type(grant).__name__)


def unseal(kind: type[Grant], sealed: str) -> Grant:
    """Raises GrantRefused. A seal of one kind is none of the other: the kind is the signature's salt."""
    try:
        grant = kind(**signing.loads(sealed, salt=kind.__name__))
    except signing.BadSignature:
        raise GrantRefused("The signature does not fit.") from None
    if grant.expires_at < time.time():
        raise GrantRefused("The permission has expired.")
    return grant


class LocalObjectStore:
    """Implements `port.ObjectStore`."""

    origins: tuple[str, ...] = ()

    def upload_form(
        self, key: str, *, max_bytes: int, redirect_url: str | None, expires_seconds: int
    ) -> UploadForm:
        self._path(key)
        grant = UploadGrant(key, max_bytes, redirect_url, time.time() + expires_seconds)
        # The seal stands in the address, so that an upload without permission is refused before it is read.
        url = f"{reverse('annotations:receive_upload')}?{urlencode({'policy': seal(grant)})}"
        fields = {"key": key}
        if redirect_url is not None:
            fields["success_action_redirect"] = redirect_url
        return UploadForm(url, fields)

    def download_url(self, key: str, *, file_name: str, expires_seconds: int) -> str:
        grant = DownloadGrant(key, file_name, time.time() + expires_seconds)
        return f"{reverse('annotations:download')}?{urlencode({'grant': seal(grant)})}"

    def begin_parts(self, key: str) -> str:
        self._path(key)
        with _translated(key):
            return PartsFolder(self._root()).begin(key)

    def part_url(self, key: str, upload: str, span: Span, *, expires_seconds: int) -> str:
        grant = PartGrant(key, upload, **asdict(span), expires_at=time.time() + expires_seconds)
        return f"{reverse('annotations:receive_part')}?{urlencode({'part': seal(grant)})}"

    def receive_part(self, grant: PartGrant, source: BinaryIO) -> Part:
        """Keep a part that comes. Raises StorageError, ObjectMissing, PartIncomplete."""
        with _translated(grant.key):
            return PartsFolder(self._root()).receive(grant.key, grant.upload, grant.span, source)

    def parts(self, key: str, upload: str) -> list[Part]:
        with _translated(key):
            return PartsFolder(self._root()).parts(key, upload)

    def complete_parts(self, key: str, upload: str, parts: list[Part]) -> None:
        with _translated(key):
            PartsFolder(self._root()).complete(key, upload, parts, self._path(key))

    def abort_parts(self, key: str, upload: str) -> None:
        with _translated(key):
            PartsFolder(self._root()).abort(key, upload)

    def size_bytes(self, key: str) -> int:
        with _translated(key):
            return self.path_of(key).stat().st_size

    def modified_at(self, key: str) -> datetime:
        with _translated(key):
            return datetime.fromtimestamp(self.path_of(key).stat().st_mtime, UTC)

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        with _translated(key):
            return self.path_of(key).open("rb")

    def fetch(self, key: str, path: Path) -> None:
        with _translated(key):
            shutil.copyfile(self.path_of(key), path)

    def local_path(self, key: str) -> Path:
        with _translated(key):
            return self.path_of(key)

    def local_root(self) -> Path:
        return self._root()

    def publish(self, path: Path, key: str) -> None:
        with _translated(key), path.open("rb") as source, self.draft() as draft:
            shutil.copyfileobj(source, draft.file, 1024 * 1024)
            draft.keep_as(self._path(key))

    def copy(self, key: str, to_key: str) -> None:
        with _translated(key):
            target = self._path(to_key)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                target.hardlink_to(self.path_of(key))  # an object's bytes never change under its name
                os.utime(target)  # it came now
            except OSError:
                self.publish(self.path_of(key), to_key)

    def delete(self, key: str) -> None:
        with _translated(key), suppress(FileNotFoundError):
            self._path(key).unlink()

    def keys(self, prefix: str) -> Iterator[str]:
        root = self._root()
        folder_of_all = prefix.rpartition("/")[0]
        for folder, folders, files in os.walk(self._path(folder_of_all) if folder_of_all else root):
            folders[:] = sorted(name for name in folders if Path(folder) != root or name not in OURS)
            for name in sorted(files):
                key = (Path(folder) / name).relative_to(root).as_posix()
                if key.startswith(prefix):
                    yield key

    def path_of(self, key: str) -> Path:
        """Where the object stands. Raises ObjectMissing."""
        path = self._path(key)
        if not path.is_file():
            raise ObjectMissing(key)
        return path

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A file to write an object to. Unless it is kept, nothing of it stays.

        Raises StorageError, as when the disk is full.
        """
        with _translated("a new object"), draft_in(self._root() / INCOMING) as draft:
            yield draft

    def receive(self, draft: Draft, key: str) -> None:
        """Keep an uploaded draft under its key."""
        with _translated(key):
            draft.keep_as(self._path(key))

    def _root(self) -> Path:
        return Path(default_storage.path(""))

    def _path(self, key: str) -> Path:
        """Raises SuspiciousFileOperation for a key that is no plain path below the root."""
        parts = key.split("/")
        if (
            any(part in {"", ".", ".."} or len(part.encode()) > NAME_MAX_BYTES for part in parts)
            or parts[0] in OURS
            or "\0" in key
        ):
            raise SuspiciousFileOperation(f"{key!r} is no object key.")
        return Path(default_storage.path(key))


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{what}: {error.strerror or error}") from error

"""The port of object storage."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class StorageError(Exception):
    """The storage could not do it now; trying again later may help."""


class ObjectMissing(Exception):
    """There is no object under this key."""


@dataclass(frozen=True)
class UploadForm:
    """A signed HTML form: a browser or script POSTs `fields`, then the file as `file`, to `url`.

    The contract is that of S3's browser uploads: 303 to `success_action_redirect` with the key in the query
    when that field is there, 204 otherwise, and an XML error when the policy is not met. `url` may be
    relative to the site.
    """

    url: str
    fields: dict[str, str]


class PartsRefused(Exception):
    """The parts that arrived do not make the object; the message says which are wrong."""


@dataclass(frozen=True)
class Span:
    """The bytes of a file that are sent as one part, counted from 1 on. All but the last are of one size."""

    number: int
    start: int
    size_bytes: int


@dataclass(frozen=True)
class Part:
    """A part that has arrived. `etag` is the MD5 of its bytes, in quotes."""

    number: int
    size_bytes: int
    etag: str


class ObjectStore(Protocol):
    """A flat store of bytes by key. Keys are '/'-separated; every verb may raise StorageError."""

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins, besides the site's own, that its addresses lead to."""
        ...

    def upload_form(
        self, key: str, *, max_bytes: int, redirect_url: str | None, expires_seconds: int
    ) -> UploadForm:
        """A form that lets whoever holds it put one object of at most `max_bytes` under `key`.

        A key that ends in `${filename}` gets the sent file's own name in that place, as S3 does it: without
        JavaScript the name is not known before.
        """
        ...

    def size_bytes(self, key: str) -> int:
        """Raises ObjectMissing."""
        ...

    def modified_at(self, key: str) -> datetime:
        """When the object was written, aware. Raises ObjectMissing."""
        ...

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """The bytes as a stream. Raises ObjectMissing."""
        ...

    def fetch(self, key: str, path: Path) -> None:
        """Copy the object to a local file. Raises ObjectMissing."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Where the object can be read on this machine as it stands; None where it has to be fetched.

        Raises ObjectMissing.
        """
        ...

    def local_root(self) -> Path | None:
        """The folder that `local_path` leads into."""
        ...

    def publish(self, path: Path, key: str) -> None:
        """Copy a local file to the object; whoever reads it sees all of it or nothing."""
        ...

    def copy(self, key: str, to_key: str) -> None:
        """A second object of the same bytes, which stays when the first goes. Raises ObjectMissing."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is fine."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that begins with `prefix`."""
        ...

    def begin_parts(self, key: str) -> str:
        """Begin an object that comes in parts. Returns the store's name for it, of up to 1,024 characters."""
        ...

    def part_url(self, key: str, upload: str, span: Span, *, expires_seconds: int) -> str:
        """An address to PUT the bytes of the span to, and no more or fewer; the answer's ETag is the part's.

        A part that comes again takes the place of the one before. The address may be relative to the site.
        """
        ...

    def parts(self, key: str, upload: str) -> list[Part]:
        """The parts that have arrived, by number. Raises ObjectMissing when there is no such upload."""
        ...

    def complete_parts(self, key: str, upload: str, parts: list[Part]) -> None:
        """Make the object of these parts. Raises PartsRefused, and ObjectMissing for an unknown upload."""
        ...

    def abort_parts(self, key: str, upload: str) -> None:
        """Forget the upload and its parts; a missing one is fine."""
        ...

    def download_url(self, key: str, *, file_name: str, expires_seconds: int) -> str:
        """An address that gives the object, as a download named `file_name`, to whoever holds it.

        It may be relative to the site.
        """
        ...


@cache
def object_store() -> ObjectStore:
    """The store that the settings name."""
    store: ObjectStore = import_string(settings.OBJECT_STORE)()
    return store

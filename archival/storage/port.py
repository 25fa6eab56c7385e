"""The port of cold storage.

Cold storage knows bytes, not jobs: `packing` makes one stream of a job's files, and takes it apart again.
What it keeps can't be read before it is asked for, and what was asked for can be read for a while only.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from functools import cache
from typing import BinaryIO, Protocol, TypeAlias

from django.conf import settings
from django.utils.module_loading import import_string

BLOCK_BYTES = 256 * 1024
Block: TypeAlias = bytes | bytearray


class ColdStorageError(Exception):
    """Cold storage could not do it now; trying again later may help."""


class CapacityUnavailable(Exception):
    """This retrieval option can't be had now, or not at all; a slower one can."""


class ArchiveMissing(Exception):
    """Cold storage has no such archive."""


class NotThawed(Exception):
    """The archive can't be read: not yet, or no longer."""


class InventoryNotReady(Exception):
    """The list of what is stored has to be made first; the message says when to ask again."""


class RetrievalOption(StrEnum):
    """How fast, and how dear, a retrieval is. The names are those of AWS."""

    EXPEDITED = "Expedited"
    STANDARD = "Standard"


class Progress(Enum):
    """How far a retrieval is. EXPIRED: it has to be asked for again."""

    PENDING = "pending"
    READY = "ready"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Retrieval:
    """What was asked for: how cold storage calls it, and when it is likely to be ready."""

    ticket: str
    expected_at: datetime


@dataclass(frozen=True)
class StoredArchive:
    """An archive that is there, and the token it was made with."""

    ref: str
    token: str


@dataclass(frozen=True)
class Abandoned:
    """What is there of an archive whose making was broken off, though nobody can use it; and how it goes."""

    token: str
    remove: Callable[[], None]


@dataclass(frozen=True)
class Inventory:
    """What was stored at a time; archives made after it are not in it."""

    taken_at: datetime
    archives: Iterable[StoredArchive]


class ColdStorage(Protocol):
    """Every verb may raise ColdStorageError."""

    def archive(self, content: BinaryIO, size_bytes: int, token: str) -> str:
        """Keep the content, which is read once and to its end, and return what it is found by again.

        `token` is a '/'-separated path of plain characters, new for each call. When this returns, the content
        is stored, and was compared with a checksum made on this side.
        """
        ...

    def request_thaw(self, ref: str, option: RetrievalOption, token: str) -> Retrieval:
        """Ask for the archive. Asking for what is on its way already is no error.

        Raises CapacityUnavailable after one attempt, and ArchiveMissing.
        """
        ...

    def poll(self, ref: str, ticket: str) -> Progress:
        """Raises ArchiveMissing."""
        ...

    def restore(self, ref: str, ticket: str) -> Iterator[Block]:
        """The content, block by block; any number of times while it is READY.

        Raises NotThawed and ArchiveMissing, both of them at the first block if not at once.
        """
        ...

    def delete(self, ref: str) -> None:
        """Remove the archive; a missing one is fine."""
        ...

    def inventory(self) -> Inventory:
        """What is stored; for audits. Raises InventoryNotReady."""
        ...

    def abandoned(self, older_than: timedelta) -> Iterable[Abandoned]:
        """What processes that were killed have left, where it stays and is paid for; for audits."""
        ...


@cache
def cold_storage() -> ColdStorage:
    """The cold storage that the settings name."""
    storage: ColdStorage = import_string(settings.COLD_STORAGE)()
    return storage

"""The two moves of a result: its files into an archive, and out of it again.

Both stream. This module knows two stores and no jobs, so that a process that does nothing else stays small
(`mover`): it has to import no models, and must not begin to.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from annotations.storage import object_store
from archival.packing import ArchiveCorrupt, Packed, Packing, unpack
from archival.storage import cold_storage


@dataclass(frozen=True)
class Archived:
    """An archive that was made: what it is found by again, and the files in it, by kind."""

    ref: str
    size_bytes: int
    contents: dict[str, Packed]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, fields: dict[str, Any]) -> "Archived":
        contents = {kind: Packed(**packed) for kind, packed in fields["contents"].items()}
        return cls(fields["ref"], fields["size_bytes"], contents)


@dataclass(frozen=True)
class Return:
    """An archive that is to be taken out: where its files go, by kind, and what the record says they are.

    An archive that was adopted has nothing recorded.
    """

    ref: str
    ticket: str
    keys: dict[str, str]
    recorded: list[Packed]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, fields: dict[str, Any]) -> "Return":
        return cls(**fields | {"recorded": [Packed(**packed) for packed in fields["recorded"]]})


def packing_of(keys: dict[str, str]) -> Packing:
    """The objects, by kind, as they go into an archive. Raises ObjectMissing and StorageError."""
    return Packing(object_store(), keys)


def pack_away(packing: Packing, token: str) -> Archived:
    """Keep them in cold storage. Raises ObjectMissing, StorageError, ColdStorageError, ArchiveCorrupt."""
    ref = cold_storage().archive(packing.stream(), packing.size_bytes, token)
    return Archived(ref, packing.size_bytes, packing.contents)


def bring_back(wanted: Return, folder: Path) -> int:
    """Take the files out into the folder, check them, and publish each under its key; how many bytes.

    Raises NotThawed, ArchiveMissing, ColdStorageError, ArchiveCorrupt, StorageError. What was published until
    then stays: the caller knows the keys.
    """
    found = unpack(cold_storage().restore(wanted.ref, wanted.ticket), folder)
    _check(wanted, found)
    store = object_store()
    for key in wanted.keys.values():
        store.publish(folder / Path(key).name, key)
    return sum(packed.size_bytes for packed in found.values())


def _check(wanted: Return, found: dict[str, Packed]) -> None:
    """Against the record: the archive's own sums would not show that it is another job's."""
    recorded = set(wanted.recorded)
    if recorded and recorded != set(found.values()):
        raise ArchiveCorrupt(f"The record names {recorded}, the archive holds {set(found.values())}.")
    missing = {Path(key).name for key in wanted.keys.values()} - set(found)
    if missing or "result" not in wanted.keys:
        raise ArchiveCorrupt(f"The archive lacks {missing or 'the result'}.")

"""A job's files as one stream of bytes, and back.

The stream is an uncompressed tar: each file under its own name, then SHA256SUMS, so that whoever holds
nothing but the archive can take it out (`tar x`) and check it (`sha256sum -c SHA256SUMS`). It is made while
it is read and taken apart while it comes: neither side ever holds more than a block of it.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from archival.storage.port import BLOCK_BYTES, Block

SUMS_NAME = "SHA256SUMS"
DIGEST_CHARACTERS = 64
END = bytes(2 * tarfile.BLOCKSIZE)


class ArchiveCorrupt(Exception):
    """What came out of the archive is not what went in; the message says which file, and how it differs."""


class Source(Protocol):
    """Where the files are read from: the part of `annotations.storage.ObjectStore` that packing needs."""

    def size_bytes(self, key: str) -> int: ...
    def open(self, key: str) -> AbstractContextManager[BinaryIO]: ...


@dataclass(frozen=True)
class Member:
    """A file in the archive."""

    kind: str
    key: str
    size_bytes: int

    @property
    def name(self) -> str:
        return self.key.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Packed:
    """What was packed, or taken out: a file's name, size and SHA-256 in hexadecimal."""

    name: str
    size_bytes: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class BlockReader(io.RawIOBase):
    """A stream of blocks as a file to read from."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._left: memoryview = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._left = memoryview(block)
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


class Packing:
    """The files of one job on their way into an archive.

    `contents` is there once the stream was read to its end. Raises `annotations.storage.ObjectMissing` when a
    file is not there.
    """

    def __init__(self, source: Source, keys: dict[str, str]) -> None:
        self._source = source
        self._members = [Member(kind, key, source.size_bytes(key)) for kind, key in keys.items()]
        self.contents: dict[str, Packed] = {}

    @property
    def size_bytes(self) -> int:
        sums_bytes = sum(DIGEST_CHARACTERS + len(f"  {member.name}\n".encode()) for member in self._members)
        sizes = [(member.name, member.size_bytes) for member in self._members] + [(SUMS_NAME, sums_bytes)]
        return sum(len(_header(name, size)) + size + _padding(size) for name, size in sizes) + len(END)

    def stream(self) -> BinaryIO:
        """The archive, to be read once."""
        return cast(BinaryIO, io.BufferedReader(BlockReader(self._blocks()), BLOCK_BYTES))

    def _blocks(self) -> Iterator[bytes]:
        for member in self._members:
            yield _header(member.name, member.size_bytes)
            yield from self._file(member)
            yield bytes(_padding(member.size_bytes))
        sums = "".join(f"{packed.sha256}  {packed.name}\n" for packed in self.contents.values()).encode()
        yield _header(SUMS_NAME, len(sums)) + sums + bytes(_padding(len(sums))) + END

    def _file(self, member: Member) -> Iterator[bytes]:
        digest, size = hashlib.sha256(), 0
        with self._source.open(member.key) as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
                size += len(block)
                yield block
        if size != member.size_bytes:
            raise ArchiveCorrupt(f"{member.key} had {member.size_bytes} bytes, and {size} when it was read.")
        self.contents[member.kind] = Packed(member.name, size, digest.hexdigest())


def unpack(blocks: Iterator[Block], folder: Path) -> dict[str, Packed]:
    """Take the files out into the folder, and check them against the archive's own sums. By name.

    Raises ArchiveCorrupt.
    """
    found: dict[str, Packed] = {}
    sums = None
    # Plain stream mode ("r|") reads blocks of 10 KB; larger ones cost less.
    reader = io.BufferedReader(BlockReader(blocks), BLOCK_BYTES)
    try:
        with tarfile.open(fileobj=reader, mode="r|", bufsize=BLOCK_BYTES) as archive:
            for entry in archive:
                file = archive.extractfile(entry)
                if file is None or not _is_plain(entry.name) or entry.name in found:
                    raise ArchiveCorrupt(f"The archive holds {entry.name!r}, which is no plain file.")
                if entry.name == SUMS_NAME:
                    sums = file.read(BLOCK_BYTES).decode()
                else:
                    found[entry.name] = _extract(file, entry, folder)
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise ArchiveCorrupt(f"The archive can't be read: {error}.") from error
    if sums != "".join(f"{packed.sha256}  {name}\n" for name, packed in found.items()):
        raise ArchiveCorrupt(f"The files differ from the archive's {SUMS_NAME}, or it has none.")
    return found


def _extract(file: Any, entry: tarfile.TarInfo, folder: Path) -> Packed:
    digest, size = hashlib.sha256(), 0
    with (folder / entry.name).open("xb") as target:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            target.write(block)
            size += len(block)
    return Packed(entry.name, size, digest.hexdigest())


def _is_plain(name: str) -> bool:
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


def _header(name: str, size_bytes: int) -> bytes:
    """No times, owners or rights: the same files give the same archive."""
    entry = tarfile.TarInfo(name)
    entry.size = size_bytes
    return entry.tobuf(tarfile.PAX_FORMAT)


def _padding(size_bytes: int) -> int:
    return -size_bytes % tarfile.BLOCKSIZE

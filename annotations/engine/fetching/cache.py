"""The download cache: whole files with what is known of them, and parts of files to go on with.

<folder>/<name>            a whole, verified file; <name>.json says whence, of which version, its checksum
<folder>/<name>.part       what has come so far; <name>.part.json says of which version of the file
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from annotations.engine.fetching.addresses import file_name
from annotations.engine.fetching.errors import FetchError


@dataclass(frozen=True)
class Download:
    """A file that was fetched, as the bundle's manifest records it.

    `checksum` is the publisher's, None where it gives none; `sha256` is of what was got; `fetched_at` is
    UTC, ISO 8601. `byte_ranges` names the parts that were taken of a larger file (first byte, one past the
    last), empty when the file was taken whole.
    """

    url: str
    bytes: int
    sha256: str
    checksum: str | None
    fetched_at: str
    etag: str | None
    last_modified: str | None
    byte_ranges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Slot:
    """The place of one file (or of a certain part of it) in the cache."""

    path: Path

    @property
    def part(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    def finished(self) -> Download | None:
        """What is known of the whole file; None when it is not here, or not as it was."""
        noted = _read_json(self.path.with_name(self.path.name + ".json"))
        try:
            ranges = tuple((first, end) for first, end in noted.pop("byte_ranges"))
            download = Download(**noted, byte_ranges=ranges)
            return download if self.path.stat().st_size == download.bytes else None
        except (KeyError, TypeError, ValueError, OSError):
            return None

    def publish(self, download: Download) -> None:
        """Make the part the whole file. The note comes first: a file without one counts for nothing."""
        _write_json(self.path.with_name(self.path.name + ".json"), asdict(download))
        self.part.replace(self.path)
        self._part_note.unlink(missing_ok=True)

    def part_size(self, validator: str | None) -> int:
        """Bytes that have come of the version that `validator` names; 0 when the part is of another one."""
        if not validator or self.part_validator() != validator:
            return 0
        return self.size()

    def size(self) -> int:
        """Bytes that have come, of whatever version."""
        try:
            return self.part.stat().st_size
        except FileNotFoundError:
            return 0

    def part_validator(self) -> str | None:
        return _read_json(self._part_note).get("validator")

    def begin_part(self, url: str, validator: str | None) -> None:
        """Start from the first byte, of the version that `validator` names."""
        self.part.unlink(missing_ok=True)
        _write_json(self._part_note, {"url": url, "validator": validator})

    def discard(self) -> None:
        """Forget the file and its part."""
        for path in (self.path, self.path.with_name(self.path.name + ".json"), self.part, self._part_note):
            path.unlink(missing_ok=True)

    @property
    def _part_note(self) -> Path:
        return self.path.with_name(self.path.name + ".part.json")


class Cache:
    """The folder of downloads. It is outside of any bundle: a fetch that breaks off leaves its parts here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def slot(self, url: str, piece: str = "") -> Slot:
        """Where the file goes; `piece` tells several parts of one file apart."""
        key = sha256(f"{url}#{piece}".encode()).hexdigest()[:12]
        return Slot(self.folder / f"{key}-{file_name(url)}")

    def bytes_of(self, url: str) -> int:
        """How much of the whole file is here already."""
        slot = self.slot(url)
        finished = slot.finished()
        return finished.bytes if finished else slot.size()

    def discard(self, path: Path) -> None:
        """Forget a file of the cache."""
        Slot(path).discard()

    @contextlib.contextmanager
    def work_folder(self) -> Iterator[Path]:
        """An empty folder beside the downloads, gone afterwards; only for whoever holds the cache."""
        folder = self.folder / "work"
        shutil.rmtree(folder, ignore_errors=True)  # of a fetch that was killed
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other fetches out of this folder. Raises FetchError when one is at work in it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise FetchError(f"{self.folder} cannot be written to ({error.strerror}).") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise FetchError(
                f"Another fetch is downloading to {self.folder}. Wait for it to end, or name another folder "
                "with --cache."
            ) from error
        try:
            yield
        finally:
            os.close(lock)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(json.dumps(content, indent=1))
    unfinished.replace(path)

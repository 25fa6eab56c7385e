"""Objects that come in parts, in a folder beside the objects.

Each upload is a folder: `data` grows to the object, each part at its place in it, and `N.json` says of part N
that all of it is there. So completing is a rename, however large the object is.
"""

import fcntl
import hashlib
import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from annotations.storage.port import ObjectMissing, Part, PartsRefused, Span

PARTS = ".parts"
BLOCK_BYTES = 1024 * 1024
NAME_CHARACTERS = 32
# Nobody goes on with an upload as old as that; whoever owns it forgets it before.
STALE_SECONDS = 14 * 24 * 3600


class PartIncomplete(Exception):
    """Fewer or more bytes came than the part has."""


class PartsFolder:
    """The uploads below one folder. Every verb may raise OSError."""

    def __init__(self, root: Path) -> None:
        self._root = root / PARTS

    def begin(self, key: str) -> str:
        self._root.mkdir(parents=True, exist_ok=True)
        _remove_stale(self._root)
        upload = secrets.token_hex(NAME_CHARACTERS // 2)
        folder = self._root / upload
        folder.mkdir()
        (folder / "key").write_text(key)
        (folder / "data").touch()
        return upload

    def receive(self, key: str, upload: str, span: Span, source: BinaryIO) -> Part:
        """Keep the bytes of `source` as a part. Raises ObjectMissing, PartIncomplete."""
        folder = self._folder(key, upload)
        digest = hashlib.md5(usedforsecurity=False)
        # First aside: of two who send the same part, neither may write into what the other has finished.
        with tempfile.TemporaryFile(dir=folder) as draft:
            left = span.size_bytes
            while left > 0 and (block := source.read(min(BLOCK_BYTES, left))):
                draft.write(block)
                digest.update(block)
                left -= len(block)
            if left:
                raise PartIncomplete(f"Of {span.size_bytes} bytes {left} are missing.")
            draft.seek(0)
            with _locked(folder), (folder / "data").open("r+b") as data:
                data.seek(span.start)
                shutil.copyfileobj(draft, data, BLOCK_BYTES)
                etag = f'"{digest.hexdigest()}"'
                mark = {"start": span.start, "size_bytes": span.size_bytes, "etag": etag}
                (folder / f"{span.number}.json").write_text(json.dumps(mark))
        return Part(span.number, span.size_bytes, etag)

    def parts(self, key: str, upload: str) -> list[Part]:
        """Raises ObjectMissing."""
        marks = self._marks(self._folder(key, upload))
        return [Part(number, marks[number]["size_bytes"], marks[number]["etag"]) for number in sorted(marks)]

    def complete(self, key: str, upload: str, parts: list[Part], path: Path) -> None:
        """Rename what came to `path`. Raises ObjectMissing, PartsRefused."""
        folder = self._folder(key, upload)
        with _locked(folder):
            marks = self._marks(folder)
            end = 0
            for number, part in enumerate(sorted(parts, key=lambda part: part.number), start=1):
                mark = marks.get(part.number)
                if mark is None or part.number != number or mark["etag"] != part.etag or mark["start"] != end:
                    raise PartsRefused(f"Part {number} is not there, or not the one that is named.")
                end += mark["size_bytes"]
            data = folder / "data"
            if not parts or data.stat().st_size != end:
                raise PartsRefused("More parts have arrived than are named.")
            path.parent.mkdir(parents=True, exist_ok=True)
            data.replace(path)
        shutil.rmtree(folder, ignore_errors=True)

    def abort(self, key: str, upload: str) -> None:
        with suppress(ObjectMissing):
            shutil.rmtree(self._folder(key, upload), ignore_errors=True)

    def _folder(self, key: str, upload: str) -> Path:
        folder = self._root / upload
        if len(upload) != NAME_CHARACTERS or not upload.isalnum() or not (folder / "data").is_file():
            raise ObjectMissing(key)
        if (folder / "key").read_text() != key:
            raise ObjectMissing(key)
        return folder

    def _marks(self, folder: Path) -> dict[int, dict[str, Any]]:
        return {int(path.stem): json.loads(path.read_text()) for path in folder.glob("*.json")}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_stale(root: Path) -> None:
    for folder in root.iterdir():
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < time.time() - STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

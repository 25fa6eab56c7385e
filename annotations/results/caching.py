"""Copies of tables that are kept elsewhere, in a folder of limited size."""

import fcntl
import hashlib
import os
from pathlib import Path

from django.conf import settings

from annotations.storage import object_store


def cache_folder() -> Path:
    return Path(settings.STATE_DIR) / "result-cache"


def cached(key: str) -> Path:
    """A copy of the object. No key is used a second time, so that the key alone says which copy is right."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()}.parquet"
    with (folder / f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several who ask at once, one fetches
        if not path.exists():
            draft = path.with_suffix(".incoming")
            object_store().fetch(key, draft)
            draft.replace(path)
    os.utime(path)
    _make_room(folder, path)
    return path


def _make_room(folder: Path, newest: Path) -> None:
    """Remove what was longest not asked for. Who reads it just now has it open, or fetches it again."""
    kept = sorted(folder.glob("*.parquet"), key=modified_at, reverse=True)
    total_bytes = 0
    for path in kept:
        total_bytes += _size_bytes(path)
        if total_bytes > settings.RESULT_CACHE_BYTES and path != newest:
            path.unlink(missing_ok=True)
            (folder / f".{path.name}.lock").unlink(missing_ok=True)


def modified_at(path: Path) -> float:
    """When the file was written or asked for, in seconds since 1970; 0 where it is gone meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has removed it
        return 0


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

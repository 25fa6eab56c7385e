"""Temporary folders that never outlive their process, not even one that was killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


def _folder() -> Path:
    return Path(settings.STATE_DIR) / "work"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, removed at the end.

    A lock on the folder says that its process lives. The kernel drops it with the process, however that ends,
    so that `remove_abandoned` needs to guess nothing from ages.
    """
    with _one_at_a_time():
        folder = Path(tempfile.mkdtemp(dir=_folder()))
        life = os.open(folder, os.O_RDONLY)
        fcntl.flock(life, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(life)


def remove_abandoned() -> int:
    """Remove the folders of processes that were killed; how many there were."""
    with _one_at_a_time():
        abandoned = [folder for folder in _folder().iterdir() if folder.is_dir() and not _is_alive(folder)]
        for folder in abandoned:
            shutil.rmtree(folder, ignore_errors=True)
    return len(abandoned)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Between making a folder and locking it, nobody may look."""
    _folder().mkdir(parents=True, exist_ok=True)
    with (_folder() / ".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _is_alive(folder: Path) -> bool:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False

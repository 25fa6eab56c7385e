"""Files on their way into a folder: whoever reads there sees all of one or nothing, and never two copies."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

# A draft this old belongs to a process that was killed while it wrote.
STALE_SECONDS = 24 * 3600


class Draft:
    """A file on its way in."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file = file
        self.path = path

    def sync(self) -> None:
        """Have what was written on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def keep_as(self, path: Path) -> None:
        """Make it the file at `path`, in one step and in place of an older one."""
        self.sync()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path.replace(path)


@contextmanager
def draft_in(folder: Path) -> Iterator[Draft]:
    """A file in the folder, which is made if need be. Unless the draft is kept, nothing of it stays.

    `folder` has to be in the file system of what is kept. Drafts of killed processes go, too. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _remove_stale(folder)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        path = Path(file.name)
        try:
            yield Draft(cast(BinaryIO, file), path)
        finally:
            path.unlink(missing_ok=True)


def _remove_stale(folder: Path) -> None:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - STALE_SECONDS:
                path.unlink()

"""How far a file is, kept between runs of the command: what broke off goes on where it stopped."""

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from annotations.cli.credentials import state_folder

KEPT_SECONDS = 7 * 24 * 3600  # as long as the service keeps an upload


class Memory:
    """What is known of one file at one service: the ids of its upload and of its job.

    It is of this very content, as far as path, size and time of change tell, and of the same options.
    """

    def __init__(self, service: str, path: Path, options: tuple[Any, ...]) -> None:
        status = path.stat()
        facts = [service, str(path.resolve()), status.st_size, status.st_mtime_ns, *options]
        name = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
        self._path = state_folder() / f"{name}.json"

    def recall(self) -> dict[str, str]:
        """`upload_id` and `job_id`, as far as there are any."""
        try:
            known = json.loads(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def note(self, **facts: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_old(self._path.parent)
        draft = self._path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(self.recall() | facts))
        draft.replace(self._path)

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


class Forgetful(Memory):
    """For what can't be known again: standard input."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def recall(self) -> dict[str, str]:
        return self._known

    def note(self, **facts: str) -> None:
        self._known |= facts

    def forget(self) -> None:
        self._known = {}


def _remove_old(folder: Path) -> None:
    for path in folder.glob("*.json"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                path.unlink()

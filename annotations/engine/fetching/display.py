"""What the user sees of a fetch: a bar on a terminal, plain lines in a log."""

import contextlib
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from annotations.engine.fetching.download import Meter
from annotations.engine.fetching.space import readable_size

LINES_PER_DOWNLOAD = 20


class Display:
    """Writes to one stream; a bar is shown where that is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, soft_wrap=True, highlight=False, markup=False, emoji=False)

    def report(self, message: str) -> None:
        self._console.print(message)

    @contextlib.contextmanager
    def meter(self, total_bytes: int) -> Iterator[Meter]:
        """Something to tell of the bytes that come, of `total_bytes` in all."""
        if not self._console.is_terminal:
            yield _Lines(self, total_bytes)
            return
        columns = (
            TextColumn("downloading"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            yield _Bar(progress, progress.add_task("", total=total_bytes))


class _Bar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, count_bytes: int) -> None:
        self._progress.advance(self._task, count_bytes)


class _Lines:
    """A line for every twentieth part, so that a log of a long download stays short."""

    def __init__(self, display: Display, total_bytes: int) -> None:
        self._display = display
        self._total_bytes = max(total_bytes, 1)
        self._done_bytes = 0
        self._told = 0

    def advance(self, count_bytes: int) -> None:
        self._done_bytes += count_bytes
        steps = self._done_bytes * LINES_PER_DOWNLOAD // self._total_bytes
        if steps > self._told:
            self._told = steps
            percent = min(100, 100 * steps // LINES_PER_DOWNLOAD)
            done, total = readable_size(self._done_bytes), readable_size(self._total_bytes)
            self._display.report(f"downloaded {percent} % ({done} of {total})")

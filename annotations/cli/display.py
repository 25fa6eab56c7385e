"""How far each file is: bars on a terminal, a line for each step elsewhere, nothing for --quiet."""

import sys
import threading
from typing import Any


class Board:
    """Lines on stderr, one for each step of each file. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, str] = {}

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def step(self, name: str, step: str, done: int | None = None, total: int | None = None) -> None:
        """`name` is at `step`, and `done` of `total` of it are done."""
        with self._lock:
            if self._steps.get(name) != step:
                self._steps[name] = step
                self._say(f"{name}: {step}")

    def say(self, name: str, message: str) -> None:
        """Something to know, between the steps."""
        with self._lock:
            self._say(f"{name}: {message}")

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class Quiet(Board):
    def _say(self, line: str) -> None:
        return


class Bars(Board):
    """A bar for each file, which goes when all is done."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress: Any = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bars: dict[str, Any] = {}

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self, name: str, step: str, done: int | None = None, total: int | None = None) -> None:
        with self._lock:
            if name not in self._bars:
                self._bars[name] = self._progress.add_task(name, total=None)
            self._progress.update(
                self._bars[name], description=f"{name}: {step}", total=total or None, completed=done or 0
            )

    def _say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)


def board(*, quiet: bool) -> Board:
    """What fits where stderr goes."""
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Board()

"""Whether this worker still asks its queues for messages.

A worker whose event loop is stuck, or has lost one of its queues, looks alive from the outside: its process
runs, its log is silent. So the transport notes each turn of each queue's loop here, the worker touches a file
of its name as long as all of them turn, and whoever supervises it looks at the file's age. A worker that is
told to stop takes its file away: it asks no more, on purpose, while its last task may take an hour.
"""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import bootsteps, signals
from celery.worker.consumer import Consumer
from django.conf import settings

TOUCH_EVERY_SECONDS = 5
# Longer than any poll: 5 s of waiting, or 20 s until curl gives it up, then a pause of 8 s.
TURN_WITHIN_SECONDS = 60
# The loop may wait for a call of botocore's, which ends after three tries of 15 s.
DEAF_AFTER_SECONDS = 120

_turned_at: dict[str, float] = {}
_is_stopping = False


def turned(queue: str) -> None:
    """The loop over this queue has come round."""
    _turned_at[queue] = time.monotonic()


def forget(queue: str) -> None:
    """The queue is no longer asked, on purpose."""
    _turned_at.pop(queue, None)


def all_turn() -> bool:
    """Whether every queue that is asked has been asked lately."""
    return all(time.monotonic() - at < TURN_WITHIN_SECONDS for at in _turned_at.values())


def life_folder() -> Path:
    """Has a file for each of this machine's workers, by the part of its name before the @."""
    return Path(settings.STATE_DIR) / "run" / "workers-alive"


def silent_seconds() -> dict[str, float]:
    """How long ago each of this machine's workers gave its last sign of life."""
    silent = {}
    for path in life_folder().glob("*"):
        with suppress(FileNotFoundError):  # it was told to stop just now
            silent[path.name] = max(0.0, time.time() - path.stat().st_mtime)
    return silent


def deaf_workers() -> list[str]:
    """Those that have stopped asking. One that has not begun to is not deaf."""
    return sorted(name for name, seconds in silent_seconds().items() if seconds > DEAF_AFTER_SECONDS)


def forget_all() -> None:
    """Only for who knows that none is left: what was killed leaves its file behind."""
    for path in life_folder().glob("*"):
        path.unlink(missing_ok=True)


class SignOfLife(bootsteps.StartStopStep):
    """Touches the file while all queues are asked."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._entry: Any = None

    def start(self, consumer: Consumer) -> None:
        name = str(consumer.hostname).partition("@")[0]
        # In the event loop's own timer, so that a loop that is stuck touches nothing.
        self._entry = consumer.timer.call_repeatedly(TOUCH_EVERY_SECONDS, touch, (name,))

    def stop(self, consumer: Consumer) -> None:
        if self._entry is not None:
            self._entry.cancel()


def touch(name: str) -> None:
    if all_turn() and not _is_stopping:
        life_folder().mkdir(parents=True, exist_ok=True)
        (life_folder() / name).touch()


@signals.worker_shutting_down.connect
def fall_silent(sender: str, **_: Any) -> None:
    """`sender` is the worker's name."""
    global _is_stopping  # noqa: PLW0603  a fact about this process
    _is_stopping = True
    (life_folder() / sender.partition("@")[0]).unlink(missing_ok=True)

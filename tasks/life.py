"""Whether this worker still asks its queues for messages.

A worker whose event loop is stuck, or has lost one of its queues, looks alive from the outside: its process
runs, its log is silent. So the transport notes each turn of each queue's loop here, the worker touches a file
as long as all of them turn, and whoever supervises it looks at the file's age.
"""

import time
from pathlib import Path
from typing import Any

from celery import bootsteps
from celery.worker.consumer import Consumer
from django.conf import settings

TOUCH_EVERY_SECONDS = 5
# Longer than any poll: 5 s of waiting, or 20 s until curl gives it up, then a pause of 8 s.
TURN_WITHIN_SECONDS = 60
# The loop may wait for a call of botocore's, which ends after three tries of 15 s.
DEAF_AFTER_SECONDS = 120

_turned_at: dict[str, float] = {}


def turned(queue: str) -> None:
    """The loop over this queue has come round."""
    _turned_at[queue] = time.monotonic()


def forget(queue: str) -> None:
    """The queue is no longer asked, on purpose."""
    _turned_at.pop(queue, None)


def all_turn() -> bool:
    """Whether every queue that is asked has been asked lately."""
    return all(time.monotonic() - at < TURN_WITHIN_SECONDS for at in _turned_at.values())


def life_file() -> Path:
    """Touched by this machine's worker."""
    return Path(settings.STATE_DIR) / "run" / "worker-alive"


def silent_seconds() -> float | None:
    """How long ago the worker gave its last sign of life; None when there never was one."""
    try:
        return max(0.0, time.time() - life_file().stat().st_mtime)
    except FileNotFoundError:
        return None


def is_deaf() -> bool:
    """Whether the worker has stopped asking. One that has not begun to is not deaf."""
    seconds = silent_seconds()
    return seconds is not None and seconds > DEAF_AFTER_SECONDS


class SignOfLife(bootsteps.StartStopStep):
    """Touches the file while all queues are asked."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._entry: Any = None

    def start(self, consumer: Consumer) -> None:
        # In the event loop's own timer, so that a loop that is stuck touches nothing.
        self._entry = consumer.timer.call_repeatedly(TOUCH_EVERY_SECONDS, _touch)

    def stop(self, consumer: Consumer) -> None:
        if self._entry is not None:
            self._entry.cancel()


def _touch() -> None:
    if all_turn():
        life_file().parent.mkdir(parents=True, exist_ok=True)
        life_file().touch()

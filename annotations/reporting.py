"""Tell a record how far its run is, and learn from it whether the run is still wanted."""

import time
from collections.abc import Callable

from annotations.attempts import NotOurs

REPORT_EVERY_SECONDS = 1.0

Send = Callable[[str, int | None, int | None], bool]


class Reporter:
    """Each new stage is sent at once, numbers once a second."""

    def __init__(self, send: Send) -> None:
        """`send` takes stage, variants done and variants in all, and says whether the work is still ours."""
        self._send = send
        self._stage = ""
        self._next_at = 0.0

    def __call__(self, stage: str, variants_done: int | None, variants_total: int | None = None) -> None:
        """Raises NotOurs when the job was cancelled, or is another run's."""
        if stage == self._stage and time.monotonic() < self._next_at:
            return
        self._stage, self._next_at = stage, time.monotonic() + REPORT_EVERY_SECONDS
        if not self._send(stage, variants_done, variants_total):
            raise NotOurs

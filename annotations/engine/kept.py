"""Helpers that wait for another order: the next shard in this process finds its libraries loaded.

A child spends half a second of processor time on loading them, as on 50,000 records. It is kept for half a
minute without an order and for ten minutes in all, so that memory is given back.

Linux ends a child that is bound to its parent's life with the parent's thread that started it. So a thread
gets none but its own.
"""

import atexit
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from annotations.engine.child import Step
from annotations.engine.errors import UnusableInput
from annotations.engine.helpers import Helper

IDLE_SECONDS = 30.0
OLDEST_SECONDS = 600.0  # well within the processor time that a child may use


class _Idle(NamedTuple):
    helper: Helper
    starter: threading.Thread
    since: float  # time.monotonic()


class KeptHelpers:
    """As many as were ever needed at once; one that failed, or was stopped, is not among them."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close_idle)

    @contextmanager
    def lent(self) -> Iterator[Helper]:
        """A helper that nobody else has: one that is kept, or a new one."""
        # of no job's folder, for it outlives the job
        helper = self._take() or Helper(self._step, Path(tempfile.gettempdir()))
        try:
            yield helper
        except UnusableInput:
            self._keep(helper)
            raise
        except BaseException:
            helper.close()
            raise
        self._keep(helper)

    def close_idle(self, longest_seconds: float = 0.0) -> None:
        """End those that have waited for so long."""
        now = time.monotonic()
        with self._lock:
            ending = [idle for idle in self._idle if now - idle.since >= longest_seconds]
            self._idle = [idle for idle in self._idle if now - idle.since < longest_seconds]
        for idle in ending:
            idle.helper.close()

    def _take(self) -> Helper | None:
        while True:
            with self._lock:
                own = [idle for idle in self._idle if idle.starter is threading.current_thread()]
                if not own:
                    return None
                self._idle.remove(own[-1])
            helper = own[-1].helper
            if not helper.finished():
                helper.renew()
                return helper
            helper.close()

    def _keep(self, helper: Helper) -> None:
        if helper.finished() or helper.age_seconds > OLDEST_SECONDS:
            helper.close()
            return
        with self._lock:
            self._idle.append(_Idle(helper, threading.current_thread(), time.monotonic()))
        timer = threading.Timer(IDLE_SECONDS, self.close_idle, (IDLE_SECONDS,))
        timer.daemon = True
        timer.start()

    def _forget(self) -> None:
        """They are the parent's."""
        self._lock = threading.Lock()
        self._idle = []

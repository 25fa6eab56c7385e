"""Keep a lease while its process lives."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

log = structlog.get_logger(__name__)


@contextmanager
def lease_kept(extend: Callable[[], object]) -> Iterator[None]:
    """Call `extend`, which extends the lease of a job or a shard, from a thread, each third of the lease.

    The engine's report of its progress extends it too, but a step over a large file may be silent for longer
    than any lease should be. A run that hangs is ended by its time limit.
    """
    done = threading.Event()
    thread = threading.Thread(target=_extend_until, args=(done, extend), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _extend_until(done: threading.Event, extend: Callable[[], object]) -> None:
    while not done.wait(settings.LEASE_SECONDS / 3):
        try:
            extend()
        except DatabaseError as error:
            log.warning("lease_not_extended", error=str(error))
        finally:
            connection.close()  # this thread's own, which nobody else would close

"""Keep a job's lease while its process lives."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from annotations.models import Job

log = structlog.get_logger(__name__)


@contextmanager
def lease_kept(job_id: str, task_id: str, extend: Callable[[str, str], bool] | None = None) -> Iterator[None]:
    """Extend the lease from a thread, each third of it: the job's own, or by another verb, `extend`.

    The engine's report of its progress extends it too, but a step over a large file may be silent for longer
    than any lease should be. A run that hangs is ended by its time limit.
    """
    done = threading.Event()
    thread = threading.Thread(
        target=_extend_until, args=(done, job_id, task_id, extend or Job.objects.extend_lease), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _extend_until(
    done: threading.Event, job_id: str, task_id: str, extend: Callable[[str, str], bool]
) -> None:
    while not done.wait(settings.LEASE_SECONDS / 3):
        try:
            extend(job_id, task_id)
        except DatabaseError as error:
            log.warning("lease_not_extended", job_id=job_id, error=str(error))
        finally:
            connection.close()  # this thread's own, which nobody else would close

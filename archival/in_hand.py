"""Have a result in hand: nobody else works on it until this is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import structlog
from django.db import InterfaceError, OperationalError

from annotations.lease import lease_kept
from annotations.models import Job
from annotations.storage import StorageError
from archival.storage import ColdStorageError

log = structlog.get_logger(__name__)


class TryLater(Exception):
    """A store or the database is away; the result is in nobody's hand again, and nothing was lost."""


@contextmanager
def in_hand(job_id: str, task_id: str, *, retry_seconds: int) -> Iterator[None]:
    """After a claim was won: keep its lease, and let go of the result whatever happens.

    Raises TryLater: the caller sends the task again in `retry_seconds`.
    """
    try:
        with lease_kept(partial(Job.objects.extend_result_lease, job_id, task_id)):
            yield
    except (StorageError, ColdStorageError) as error:
        log.warning("storage_failed", error=str(error))
        Job.objects.put_off(job_id, task_id, wait_seconds=retry_seconds + 60)
        raise TryLater from error
    except (OperationalError, InterfaceError) as error:
        # Nothing can be written down; whoever retries has the same task id, and wins the claim.
        log.warning("database_failed", error=str(error))
        raise TryLater from error
    except Exception:
        Job.objects.put_off(job_id, task_id, wait_seconds=retry_seconds)
        raise
    except BaseException:
        # The process is being stopped, for no fault of the job.
        Job.objects.put_off(job_id, task_id, wait_seconds=0)
        raise

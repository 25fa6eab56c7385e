"""What runs leave in the object store, and how it goes."""

import structlog

from annotations.models import Job
from annotations.storage import StorageError, object_store

log = structlog.get_logger(__name__)


def job_prefix(job: Job) -> str:
    """Below it is all that runs of the job make; its input stands elsewhere."""
    return f"{job.user_id}/{job.job_id}/"


def exports_prefix(job: Job) -> str:
    """Below it are exports of the job's result."""
    return f"{job_prefix(job)}exports/"


def remove(keys: list[str]) -> None:
    """The job has gone on without these; that they stay for now is no reason to stop."""
    for key in keys:
        try:
            object_store().delete(key)
        except StorageError as error:
            log.warning("file_not_removed", key=key, error=str(error))


def remove_below(prefix: str, keep: frozenset[str] = frozenset()) -> bool:
    """Remove what has `prefix`, such as files of runs that were killed; a run that lives removes its own.

    False when the store could not even be asked.
    """
    found = list_below(prefix, keep)
    remove(found or [])
    return found is not None


def list_below(prefix: str, keep: frozenset[str] = frozenset()) -> list[str] | None:
    """The keys with `prefix`, but for those to keep; None when the store could not be asked."""
    try:
        return sorted(set(object_store().keys(prefix)) - keep)
    except StorageError as error:
        log.warning("leftovers_not_removed", error=str(error))
        return None

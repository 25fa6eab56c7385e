"""What a deleted job leaves behind is deleted too."""

from typing import Any

import structlog

from annotations.enqueue import enqueue_on_commit
from annotations.models import Job
from annotations.storage import StorageError, object_store
from archival.in_hand import TryLater
from archival.storage import ColdStorageError, cold_storage

log = structlog.get_logger(__name__)


def job_leaves(sender: Any, job: Job, **_: Any) -> None:
    """A receiver of `annotations.removing.job_leaves`. While the archive can't be deleted, the job stays.

    One that is being made meanwhile is deleted by who makes it, since there is no record to name it.
    """
    if job.archive_id is None:
        return
    try:
        cold_storage().delete(job.archive_id)
    except ColdStorageError as error:
        raise StorageError(f"The archive could not be deleted: {error}") from error


def job_deleted(sender: Any, instance: Job, **_: Any) -> None:
    """A receiver of Django's `post_delete`, for records that go in another way."""
    keys = [instance.input_key, instance.log_key, instance.result_key, instance.index_key, instance.table_key]
    enqueue_on_commit("discard", instance.job_id, [key for key in keys if key], instance.archive_id)


def discard(job_id: str, keys: list[str], archive_id: str | None) -> None:
    """Delete the objects and the archive that the record of a deleted job named. Raises in_hand.TryLater.

    What a run that is under way makes of the job meanwhile, it removes itself, since there is no record to be
    written; what a run that dies leaves, an audit finds.
    """
    if Job.objects.filter(pk=job_id).exists():
        log.warning("job_not_deleted", job_id=job_id)  # the deletion was undone: a transaction that failed
        return
    try:
        for key in keys:
            object_store().delete(key)
        if archive_id is not None:
            cold_storage().delete(archive_id)
    except (StorageError, ColdStorageError) as error:
        raise TryLater from error

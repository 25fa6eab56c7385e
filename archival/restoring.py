"""Copy a retrieved result back.

Who wins: `claim_restore` puts the result in one task's hand, and `restored` is the moment from which the hot
copy is the result. Before it the archive is whole, after it the hot copy is. Each run writes under a prefix
of its own and, where it has lost, removes that and nothing else.
"""

from pathlib import Path

import structlog
from django.utils import timezone

from annotations.enqueue import enqueue
from annotations.models import Job, ResultState
from annotations.storage import StorageError, object_store
from archival import hot, moving
from archival.in_hand import TryLater, in_hand
from archival.moves import Return
from archival.packing import ArchiveCorrupt, Packed
from archival.planning import due_after, schedule, send_when_due
from archival.storage import ArchiveMissing, ColdStorageError, NotThawed, Progress, cold_storage
from archival.thawing import LOST, next_poll, send_restore_when_expected

log = structlog.get_logger(__name__)

ATTEMPTS_AT_CORRUPT = 4  # what a line has spoilt is right the next time; what cold storage has, is not
CORRUPT = (
    "What came out of the archive is damaged; nothing was changed, and nothing was deleted. "
    "Please tell the people who run this service the job's number."
)


def restore(job_id: str, task_id: str, *, attempt: int, retry_seconds: int) -> None:
    """Copy the result back if cold storage is ready, or finish what another run has left.

    `attempt` counts from 0. Raises in_hand.TryLater.
    """
    job = Job.objects.filter(pk=job_id).first()
    if job is None or job.archive_id is None:
        log.info("nothing_to_restore")
        return
    if job.result_state == ResultState.AVAILABLE:
        _finish(job)
        return
    if job.result_state not in {ResultState.THAWING, ResultState.RESTORING} or not job.retrieval_ticket:
        log.info("not_asked_for", result_state=job.result_state)
        return
    try:
        progress = cold_storage().poll(job.archive_id, job.retrieval_ticket)
    except ArchiveMissing:
        _give_up_missing(job, task_id)
        return
    except ColdStorageError as error:
        raise TryLater from error
    if progress is Progress.PENDING:
        _wait(job)
    elif progress is Progress.EXPIRED:
        _ask_again(job, task_id)
    elif Job.objects.claim_restore(job_id, task_id):
        _copy_back(job, task_id, attempt=attempt, retry_seconds=retry_seconds)


def _copy_back(job: Job, task_id: str, *, attempt: int, retry_seconds: int) -> None:
    with in_hand(job.job_id, task_id, retry_seconds=retry_seconds):
        try:
            _restore(job, task_id)
        except NotThawed:
            _ask_again(job, task_id)
        except ArchiveMissing:
            _give_up_missing(job, task_id)
        except ArchiveCorrupt as error:
            log.exception("archive_corrupt", ref=job.archive_id)
            if attempt + 1 < ATTEMPTS_AT_CORRUPT:
                raise ColdStorageError(str(error)) from error
            Job.objects.give_up_retrieval(job.job_id, task_id, "archive_corrupt", CORRUPT)


def _restore(job: Job, task_id: str) -> None:
    store, prefix = object_store(), hot.new_prefix(job)
    # An adopted archive has no other record of its files' names.
    keys = {kind: f"{prefix}/{Path(key).name}" for kind, key in hot.keys_of(job).items()}
    recorded = [Packed(**fields) for fields in job.archive_contents.values()]
    # 1. Take the files out, check and publish them.
    try:
        size_bytes = moving.bring_back(Return(str(job.archive_id), job.retrieval_ticket, keys, recorded))
    except BaseException:
        hot.remove(store, keys.values())
        raise
    # 2. Say so: from here on the hot copy is the result, or nobody's.
    due_at = due_after(job.user, timezone.now())
    won = (
        Job.objects.restored(job.job_id, task_id, hot.fields_of(keys), due_at)
        or Job.objects.filter(pk=job.job_id, result_key=keys["result"]).exists()
    )
    if not won:
        log.info("restored_in_vain")
        hot.remove(store, keys.values())
        return
    log.info("result_restored", size_bytes=size_bytes)
    # What was archived by a run that died before it had removed this; names that are never used again.
    hot.remove(store, hot.keys_of(job).values())
    # 3. Delete the archive, and tell.
    if back := Job.objects.filter(pk=job.job_id, archive_id__isnull=False).first():
        _finish(back)


def _finish(job: Job) -> None:
    """Delete the archive of a result that is back. Whoever is second finds it done."""
    archive_id = str(job.archive_id)
    try:
        cold_storage().delete(archive_id)
    except ColdStorageError as error:
        raise TryLater from error
    if Job.objects.archive_deleted(job.job_id, archive_id):
        log.info("archive_deleted")
        enqueue("notify_returned", job.job_id)
        if job.archive_due_at is not None:
            send_when_due(job.job_id, job.archive_due_at)
        else:
            # Who left a tier that keeps results, after it was read and before the result was back, had no
            # retention started for this one.
            schedule(job.job_id)


def _wait(job: Job) -> None:
    expected_at = job.retrieval_expected_at or timezone.now()
    if Job.objects.still_thawing(job.job_id, next_poll(expected_at)) and expected_at > timezone.now():
        send_restore_when_expected(job.job_id, expected_at)  # an event or a message came early


def _ask_again(job: Job, task_id: str) -> None:
    if Job.objects.ask_again(job.job_id, task_id, job.retrieval_ticket):
        log.info("retrieval_expired")
        enqueue("thaw_job", job.job_id)


def _give_up_missing(job: Job, task_id: str) -> None:
    """The archive is gone. Where another run has just restored it, the verb finds nothing to give up."""
    try:
        whole = hot.is_whole(object_store(), job)
    except StorageError as error:
        raise TryLater from error
    if Job.objects.give_up_retrieval(job.job_id, task_id, "archive_missing", LOST):
        log.error("archive_missing", ref=job.archive_id, hot_copy_is_whole=whole)
        if whole:
            Job.objects.take_back(job.job_id, job.archive_id)

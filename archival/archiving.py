"""Move a result to cold storage.

Who wins: `claim_archiving` puts the result in one task's hand, and `archived` is the moment from which the
archive is the result. Before it the hot copy is whole, after it the archive is, so that whatever stops a run,
at any point, leaves at least one. The owner's tier is read after the claim: whoever becomes premium before
that is seen here, and whoever becomes so later finds the result ARCHIVING, takes it out of this task's hand
(`keep`), or ARCHIVED, and has it brought back.
"""

import structlog
from django.utils import timezone

from annotations.leftovers import exports_prefix, remove_below
from annotations.models import Job, ResultState
from annotations.storage import ObjectMissing, object_store
from archival import hot, moving
from archival.in_hand import in_hand
from archival.planning import send_when_due
from archival.storage import ColdStorageError, cold_storage
from archival.thawing import bring_back
from billing.tiers import tier_of

log = structlog.get_logger(__name__)


def archive(job_id: str, task_id: str, *, retry_seconds: int) -> None:
    """Archive the result if it is due, or finish what another run has left. Raises in_hand.TryLater."""
    if Job.objects.claim_archiving(job_id, task_id):
        with in_hand(job_id, task_id, retry_seconds=retry_seconds):
            if job := Job.objects.filter(pk=job_id).first():
                _archive(job, task_id)
    elif Job.objects.claim_removal(job_id, task_id):
        with in_hand(job_id, task_id, retry_seconds=retry_seconds):
            if job := Job.objects.filter(pk=job_id).first():
                _remove_hot_copy(job, task_id)
    else:
        _not_due(job_id)


def by_hand(job_id: str) -> bool:
    """The owner wants it archived now. False: there is nothing at hand to archive."""
    if not Job.objects.plan_archive(job_id, timezone.now(), by_hand=True):
        return False
    send_when_due(job_id, timezone.now())
    return True


def _archive(job: Job, task_id: str) -> None:
    # 1. Does it have to be?
    if not job.archived_by_hand and tier_of(job.user).retention is None:
        Job.objects.keep(job.job_id)
        log.info("result_kept", reason="tier")
        return
    # 2. Copy.
    try:
        archived = moving.pack_away(hot.keys_of(job), hot.new_prefix(job))
    except ObjectMissing as missing:
        raise ColdStorageError(f"{missing}: a file of the result is not there; see vault-audit.") from missing
    # 3. Say so: from here on the archive is the result, or nobody's.
    contents = {kind: packed.as_json() for kind, packed in archived.contents.items()}
    # An update that was applied, but whose reply was lost and asked for again, says that it did nothing.
    won = (
        Job.objects.archived(job.job_id, task_id, archived.ref, contents)
        or Job.objects.filter(pk=job.job_id, archive_id=archived.ref).exists()
    )
    if not won:
        log.info("result_kept", reason="no longer in hand")
        _delete_in_vain(archived.ref)
        return
    log.info("result_archived", size_bytes=archived.size_bytes)
    # 4. Remove the hot copy.
    _remove_hot_copy(job, task_id)


def _remove_hot_copy(job: Job, task_id: str) -> None:
    """The names of hot copies are never used again, so this can't meet a copy that was restored meanwhile."""
    store = object_store()
    for key in hot.keys_of(job).values():
        store.delete(key)
    remove_below(exports_prefix(job))
    Job.objects.hot_copy_removed(job.job_id, task_id)
    # Who became premium while the archive was made known may have looked for archived results just before.
    if not job.archived_by_hand and tier_of(job.user).retention is None:
        bring_back(job.job_id)


def _delete_in_vain(ref: str) -> None:
    try:
        cold_storage().delete(ref)
    except ColdStorageError as error:
        log.warning("archive_not_deleted", ref=ref, error=str(error))  # vault-audit will find it


def _not_due(job_id: str) -> None:
    job = Job.objects.filter(pk=job_id, result_state=ResultState.AVAILABLE).first()
    if job is not None and job.archive_due_at is not None and job.archive_due_at > timezone.now():
        send_when_due(job_id, job.archive_due_at)  # the message came early, or the plan has changed
    else:
        log.info("archive_not_due")

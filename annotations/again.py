"""Try a failed job once more; annotate a file anew with a newer reference."""

from annotations.divided import discard_shards
from annotations.enqueue import enqueue_on_commit
from annotations.limits import (
    note_return,
    one_at_a_time,
    wrong_with_another_job,
    wrong_with_one_more_run,
)
from annotations.models import Job, Status, new_job_id
from annotations.storage import ObjectMissing, object_store
from annotations.uploads import OverLimit, UploadRefused, safe_file_name, submit

NOT_WORTH_IT = ("unusable_input", "input_missing")  # it would fail again, for the same reason


def can_be_tried_again(job: Job) -> bool:
    return job.status == Status.FAILED and job.failure_reason not in NOT_WORTH_IT


def try_again_within_limits(job: Job) -> str:
    """As its owner may. Why their tier does not allow it now; empty when it does."""
    with one_at_a_time(job.user):
        if wrong := wrong_with_one_more_run(job.user):
            return wrong
        try_again(job)
    return ""


def try_again(job: Job) -> bool:
    """FAILED → PENDING, and on its way. False when it was not FAILED any more."""
    discard_shards(job)
    if not Job.objects.retry(job.job_id):
        return False
    note_return(job)
    enqueue_on_commit("annotate", job.job_id)
    return True


def annotate_with(job: Job, reference: str) -> Job:
    """A new job for the same file and options; the old one and its result stay as they are.

    It has a copy of the upload: either job can be deleted without the other. Raises UploadRefused.
    """
    if wrong := wrong_with_another_job(job.user, haplotype_aware=job.haplotype_aware):
        raise OverLimit(wrong)
    store = object_store()
    key = f"{job.user_id}/{new_job_id()}~{safe_file_name(job.input_file_name)}"
    try:
        store.copy(job.input_key, key)
    except ObjectMissing:
        raise UploadRefused("The upload is no longer there. Please upload the file again.") from None
    try:
        return submit(job.user, key, reference, haplotype_aware=job.haplotype_aware)
    except UploadRefused:
        store.delete(key)
        raise

"""Try a failed job once more."""

from annotations.divided import discard_shards
from annotations.enqueue import enqueue_on_commit
from annotations.limits import note_return, one_at_a_time, wrong_with_one_more_run
from annotations.models import Job, Status

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

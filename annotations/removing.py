"""Remove jobs with all their files, and all that a user has here.

The order makes a deletion that breaks off half-way one that can be asked for again: first nothing new can
come (the job is over, so a run that is still at work finds it so, and removes what it made), then the files
go, and the record last.
"""

from typing import Any

import structlog
from django.dispatch import Signal

from annotations.divided import discard_shards
from annotations.incoming.models import Upload
from annotations.incoming.parts import abort
from annotations.leftovers import job_prefix
from annotations.models import Job
from annotations.storage import object_store

log = structlog.get_logger(__name__)

# `job` is about to go. Whoever keeps something of it elsewhere removes that now, or raises StorageError.
job_leaves = Signal()


def delete_job(job: Job) -> None:
    """Raises StorageError; the record stays until every file is gone."""
    Job.objects.cancel(job.job_id, job.user)
    discard_shards(job)
    if current := Job.objects.filter(pk=job.job_id).first():
        job_leaves.send(Job, job=current)
    store = object_store()
    for key in [*store.keys(job_prefix(job)), job.input_key]:
        store.delete(key)
    Job.objects.filter(pk=job.job_id).delete()
    log.info("job_deleted", job_id=job.job_id)


def delete_all_of(user: Any) -> None:
    """Every job of a user, and uploads that became none. Raises StorageError."""
    for upload in Upload.objects.of(user):
        abort(upload)
    for job in Job.objects.of(user):
        delete_job(job)
    store = object_store()
    for key in list(store.keys(f"{user.pk}/")):
        store.delete(key)

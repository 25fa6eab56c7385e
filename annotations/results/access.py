"""Who may look at a job's result: each page, plot, export and file of one asks here and nowhere else."""

from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from annotations.models import Job


def viewable_job(request: HttpRequest, job_id: UUID) -> Job:
    """The job, for whoever may see its result.

    404, not 403, for anybody else: whether it exists is nobody else's business.
    """
    return get_object_or_404(Job, pk=str(job_id), user=request.user)

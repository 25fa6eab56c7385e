"""Archive and retrieve by hand, for users whose tier keeps results."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from annotations.models import Job
from archival import archiving, thawing
from billing.tiers import tier_of


@login_required
@require_POST
def archive(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Move the result to the archive now."""
    job = _own_job(request, job_id)
    if not archiving.by_hand(job.job_id):
        messages.info(request, "There is no result at hand that could be archived.")
    return redirect(job)


@login_required
@require_POST
def retrieve(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Have the result brought back from the archive."""
    job = _own_job(request, job_id)
    if not thawing.bring_back(job.job_id):
        messages.info(request, "The result is not in the archive, or is on its way back already.")
    return redirect(job)


def _own_job(request: HttpRequest, job_id: UUID) -> Job:
    """404 for another's job, 403 for an owner whose tier does not include this."""
    job = get_object_or_404(Job, pk=str(job_id), user=request.user)
    if tier_of(request.user).retention is not None:
        raise PermissionDenied
    return job

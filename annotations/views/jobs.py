"""A user's jobs: the list, one job as it proceeds, its log and its files."""

from typing import Any
from uuid import UUID

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotations import removing
from annotations.again import annotate_with, can_be_tried_again, try_again_within_limits
from annotations.limits import limits_of
from annotations.models import Job, ResultState, Status
from annotations.paging import page_of
from annotations.provenance import document_of
from annotations.references import newer_than
from annotations.results.access import for_viewers, is_owner, viewable_job
from annotations.results.files import LOG, TABLE, files_of
from annotations.sharing.grants import link_of
from annotations.storage.port import ObjectMissing, StorageError, object_store
from annotations.summary import Summary
from annotations.uploads import UploadRefused

log = structlog.get_logger(__name__)

JOBS_ON_A_PAGE = 25
LOG_SHOWN_BYTES = 1024 * 1024
DOWNLOAD_LINK_SECONDS = 300


@login_required
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Own jobs, newest first."""
    page = page_of(
        Job.objects.of(request.user),
        JOBS_ON_A_PAGE,
        before=request.GET.get("before"),
        after=request.GET.get("after"),
    )
    return render(request, "annotations/jobs.html", {"page": page})


@for_viewers
@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job; the page asks `job_status` for news while there may be some.

    Who comes by a link sees the result, and neither what its owner can do nor how.
    """
    job = viewable_job(request, job_id)
    if is_owner(request, job):
        return render(request, "annotations/job.html", _context(job))
    return render(request, "sharing/result.html", _context(job) | {"link": link_of(request, job.job_id)})


@require_safe
def job_status(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The changing part of the job's page, or 204 where `seen` says that the page shows it already."""
    if not request.user.is_authenticated:
        # A redirect to the log-in page would be swapped into the middle of this one.
        return HttpResponseClientRefresh()
    context = _context(_own_job(request, job_id))
    seen = request.GET.get("seen", "")
    if seen == context["state"]:
        return HttpResponse(status=204)
    # Screen readers are told of a new status or stage, not of every thousand variants.
    context["announce"] = seen.split(".")[:2] != context["state"].split(".")[:2]
    return render(request, "annotations/_job_news.html", context)


@login_required
@require_POST
def cancel_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Stop the job; one that is over stays as it is, and its page shows how it ended."""
    job = _own_job(request, job_id)
    if Job.objects.cancel(job.job_id, request.user):
        log.info("job_cancelled", job_id=job.job_id)
    return redirect(job)


@login_required
@require_POST
def retry_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Try a failed job once more; any other stays as it is."""
    job = _own_job(request, job_id)
    if can_be_tried_again(job) and (wrong := try_again_within_limits(job)):
        messages.error(request, wrong)
    return redirect(job)


@login_required
@require_POST
def annotate_anew(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A job for the same file with the newest version of its reference; the page of that one, or why not.

    With `same`, where there is no newer version, with the same one: the result is of an earlier service.
    """
    job = _own_job(request, job_id)
    reference = newer_than(job.reference) or (job.reference if request.POST.get("same") else None)
    if reference is None or job.status != Status.COMPLETED:
        messages.info(request, "There is no newer version of this result's reference.")
        return redirect(job)
    try:
        return redirect(annotate_with(job, reference))
    except UploadRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(job)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """GET asks whether it is meant; POST removes the job with all its files."""
    job = _own_job(request, job_id)
    if request.method != "POST":
        return render(request, "annotations/delete_job.html", {"job": job})
    try:
        removing.delete_job(job)
    except StorageError as error:
        log.warning("storage_failed", error=str(error))
        messages.error(request, "The files could not be deleted just now. Please try again in some minutes.")
        return redirect(job)
    messages.success(request, f"{job.input_file_name} is deleted, with its results.")
    return redirect("annotations:jobs")


@for_viewers
@require_safe
def job_log(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The log as text on a page; of a long one its beginning."""
    job = viewable_job(request, job_id)
    if not job.log_key:
        raise Http404
    try:
        with object_store().open(job.log_key) as file:
            shown = file.read(LOG_SHOWN_BYTES + 1)
    except ObjectMissing:
        raise Http404 from None
    context = {
        "job": job,
        "text": shown[:LOG_SHOWN_BYTES].decode(errors="replace"),
        "is_cut": len(shown) > LOG_SHOWN_BYTES,
        "shown_bytes": LOG_SHOWN_BYTES,
        "file": next(file for file in files_of(job) if file.kind == LOG),
    }
    return render(request, "annotations/job_log.html", context)


@for_viewers
@require_safe
def job_file(request: HttpRequest, job_id: UUID, kind: str) -> HttpResponse:
    """Send the browser to a fresh, short-lived address of one of the job's files."""
    file = next((file for file in files_of(viewable_job(request, job_id)) if file.kind == kind), None)
    if file is None:
        raise Http404
    return redirect(
        object_store().download_url(file.key, file_name=file.name, expires_seconds=DOWNLOAD_LINK_SECONDS)
    )


@for_viewers
@require_safe
def job_provenance(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What the result was made of and by, as a JSON file."""
    job = viewable_job(request, job_id)
    if job.status != Status.COMPLETED:
        raise Http404
    response = JsonResponse(document_of(job), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{job.job_id}.provenance.json"'
    return response


def _own_job(request: HttpRequest, job_id: UUID) -> Job:
    """404, not 403, for another's job: whether it exists is nobody else's business."""
    return get_object_or_404(Job, pk=str(job_id), user=request.user)


def _context(job: Job) -> dict[str, Any]:
    state = f"{job.status}.{job.stage}.{job.variants_done}.{job.result_state}"
    if job.retrieval_expected_at:  # known some time after the result began to be retrieved
        state += f".{job.retrieval_expected_at.timestamp():.0f}"
    return {
        "job": job,
        "state": state,
        "news_seconds": _news_seconds(job),
        "files": files_of(job),
        "newer_reference": newer_than(job.reference) if job.status == Status.COMPLETED else None,
        "has_table": any(file.kind == TABLE for file in files_of(job)),
        "can_be_tried_again": can_be_tried_again(job),
        "summary": Summary.of(job.summary),
        "took": job.completed_at and job.completed_at - job.submitted_at,
        "limits": limits_of(job.user),
    }


def _news_seconds(job: Job) -> int:
    """How often the page asks for news; 0: there will be none."""
    if not job.is_finished:
        return 2
    if job.result_is_moving:
        return 5
    # Whoever subscribes has the result brought back, as soon as Stripe has confirmed the payment.
    return 20 if job.result_state == ResultState.ARCHIVED else 0

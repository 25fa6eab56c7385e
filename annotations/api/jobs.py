"""/jobs: submit, list, look, cancel, delete, the log and the files."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import ninja
import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from ninja import Query, Router

from annotations import uploads
from annotations.again import can_be_tried_again, try_again
from annotations.api.authentication import caller_of, scoped
from annotations.api.models import Scope
from annotations.api.problems import Problem
from annotations.api.refusals import refused_by_tier, too_large
from annotations.api.repeating import Answer, IdempotencyKey, done_once
from annotations.api.schemas import JobOut, JobPage, JobQuery, JobRequest, job_out
from annotations.incoming.models import Upload
from annotations.incoming.parts import settle
from annotations.limits import wrong_with_another_job
from annotations.models import Job
from annotations.paging import page_of
from annotations.removing import delete_job
from annotations.results.files import LOG, files_of
from annotations.storage.port import ObjectMissing, object_store

log = structlog.get_logger(__name__)
router = Router(tags=["jobs"])

LINK_SECONDS = 300
BLOCK_BYTES = 64 * 1024


@router.post("", response={201: JobOut}, auth=scoped(Scope.WRITE), url_name="jobs")
def submit(request: HttpRequest, body: JobRequest, idempotency_key: IdempotencyKey = None) -> HttpResponse:
    """Have an upload annotated. The same upload again gives the same job."""
    user = caller_of(request)
    return done_once(request, user, idempotency_key, lambda: _submitted(user, body))


def _submitted(user: Any, body: JobRequest) -> Answer:
    key = _key_of(user, str(body.upload_id))
    if (job := uploads.job_of(user, key)) is None:
        if wrong := wrong_with_another_job(user, haplotype_aware=body.haplotype_aware):
            raise refused_by_tier(user, wrong, haplotype_aware=body.haplotype_aware)
        try:
            job = uploads.submit(user, key, body.reference, haplotype_aware=body.haplotype_aware)
        except uploads.OverLimit as error:
            raise refused_by_tier(user, str(error), haplotype_aware=body.haplotype_aware) from error
        except uploads.UploadRefused as error:
            raise Problem("invalid", str(error), errors=[{"where": "body", "message": str(error)}]) from error
        log.info("job_submitted", job_id=job.job_id, by="api")
    out = job_out(job)
    return Answer(201, out, {"Location": f"/api/v1/jobs/{out.id}"})


@router.get("", response=JobPage, auth=scoped(Scope.READ), url_name="jobs")
def list_jobs(
    request: HttpRequest,
    response: HttpResponse,
    wanted: Query[JobQuery],
) -> JobPage:
    """Your jobs, newest first, a page at a time."""
    jobs = Job.objects.of(caller_of(request))
    if wanted.status:
        jobs = jobs.filter(status=wanted.status)
    page = page_of(jobs, wanted.limit, before=wanted.cursor)
    if page.older:
        query = request.GET.copy()
        query["cursor"] = page.older
        response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return JobPage(items=[job_out(job) for job in page.jobs], next_cursor=page.older)


@router.get("/{uuid:job_id}", response=JobOut, auth=scoped(Scope.READ), url_name="job")
def get_job(request: HttpRequest, job_id: UUID) -> JobOut:
    """One job and how far it is."""
    return job_out(own_job(request, job_id))


@router.post("/{uuid:job_id}/cancel", response=JobOut, auth=scoped(Scope.WRITE), url_name="cancel_job")
def cancel_job(request: HttpRequest, job_id: UUID) -> JobOut:
    """Stop a job that waits or runs. One that is cancelled stays so; any other that is over is a conflict."""
    job = own_job(request, job_id)
    if Job.objects.cancel(job.job_id, caller_of(request)):
        log.info("job_cancelled", job_id=job.job_id)
    job = own_job(request, job_id)
    if job.status != "CANCELLED":
        raise Problem("conflict", f"The job is {job.status} already, and can't be cancelled any more.")
    return job_out(job)


@router.post("/{uuid:job_id}/retry", response=JobOut, auth=scoped(Scope.WRITE), url_name="retry_job")
def retry_job(request: HttpRequest, job_id: UUID) -> JobOut:
    """Try a failed job once more, unless its input itself is what is wrong."""
    job = own_job(request, job_id)
    if not can_be_tried_again(job) or not try_again(job):
        raise Problem("conflict", f"The job is {job.status}, and another try would change nothing.")
    return job_out(own_job(request, job_id))


@router.delete("/{uuid:job_id}", response={204: None}, auth=scoped(Scope.WRITE), url_name="job")
def delete(request: HttpRequest, job_id: UUID) -> ninja.Status:
    """Delete a job with all its files, whatever its state. There is no way back."""
    delete_job(own_job(request, job_id))
    return ninja.Status(204, None)


@router.get(
    "/{uuid:job_id}/log",
    auth=scoped(Scope.READ),
    url_name="job_log",
    openapi_extra={
        "responses": {
            200: {"description": "The log.", "content": {"text/plain": {"schema": {"type": "string"}}}}
        }
    },
)
def get_log(request: HttpRequest, job_id: UUID) -> StreamingHttpResponse:
    """The count log of a job as plain text."""
    job = own_job(request, job_id)
    if not job.log_key:
        raise Problem("conflict", f"The job is {job.status} and has no log.")
    store = object_store()
    try:
        store.size_bytes(job.log_key)
    except ObjectMissing:
        raise Problem("not-found", "The log is no longer there.") from None

    def blocks() -> Iterator[bytes]:
        with store.open(job.log_key) as file:
            while block := file.read(BLOCK_BYTES):
                yield block

    return StreamingHttpResponse(blocks(), content_type="text/plain; charset=utf-8")


@router.get(
    "/{uuid:job_id}/files/{slug:kind}",
    auth=scoped(Scope.READ),
    url_name="job_file",
    openapi_extra={"responses": {302: {"description": "To the file, for a few minutes."}}},
)
def get_file(request: HttpRequest, job_id: UUID, kind: str) -> HttpResponseRedirect:
    """Leads to a file of the job: `result` (annotated VCF), `index`, `table` (Parquet) or `log`.

    The address in `Location` needs no token: leave yours out when you follow it (`curl -L` does).
    """
    job = own_job(request, job_id)
    file = next((file for file in files_of(job) if file.kind == kind), None)
    if file is None:
        raise _no_such_file(job, kind)
    return HttpResponseRedirect(
        object_store().download_url(file.key, file_name=file.name, expires_seconds=LINK_SECONDS)
    )


def own_job(request: HttpRequest, job_id: UUID) -> Job:
    """Raises Problem: not-found for another's job, too, for whether it exists is nobody else's business."""
    job = Job.objects.filter(pk=str(job_id), user=caller_of(request)).first()
    if job is None:
        raise Problem("not-found", f"You have no job {job_id}.")
    return job


def _no_such_file(job: Job, kind: str) -> Problem:
    if kind not in {"result", "index", "table", LOG}:
        return Problem("not-found", f"A job has the files result, index, table and log, and no {kind}.")
    if job.status != "COMPLETED":
        return Problem("conflict", f"The job is {job.status} and has no {kind}.")
    return Problem(
        "conflict",
        f"The {kind} is {job.result_state}. Have it retrieved first.",
        result_state=job.result_state,
    )


def _key_of(user: Any, upload_id: str) -> str:
    upload = Upload.objects.of(user).filter(pk=upload_id).first()
    if upload is None:
        raise Problem("not-found", f"You have no upload {upload_id}.")
    try:
        upload = settle(upload)
    except uploads.OverLimit as error:
        raise too_large(user, str(error)) from error
    except uploads.UploadRefused as error:
        raise Problem("conflict", str(error)) from error
    if upload.state != Upload.State.READY:
        raise Problem("conflict", f"The upload is {upload.state}. Submit it when it is READY.")
    return upload.key

"""Who may look at a job's result: each page, plot, export and file of one asks here and nowhere else."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control

from annotations.models import Job
from annotations.sharing.grants import shared_job

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, UUID, Arguments], HttpResponseBase]


def viewable_job(request: HttpRequest, job_id: UUID) -> Job:
    """The job, for whoever may see its result: its owner, and who comes by a link and only reads.

    404, not 403, for anybody else: whether it exists is nobody else's business.
    """
    if request.user.is_authenticated and (
        job := Job.objects.filter(pk=str(job_id), user=request.user).first()
    ):
        return job
    if job := shared_job(request, str(job_id)):
        return job
    raise Http404


def is_owner(request: HttpRequest, job: Job) -> bool:
    """Whether what changes the job, or tells of its owner, is shown."""
    return bool(request.user.pk == job.user_id)


def for_viewers(view: View[Arguments]) -> View[Arguments]:
    """In the place of `login_required`: a link lets in who has no account, to read this one job."""

    @wraps(view)
    def let_in(
        request: HttpRequest, job_id: UUID, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponseBase:
        if not request.user.is_authenticated and shared_job(request, str(job_id)) is None:
            return redirect_to_login(request.get_full_path())
        response = view(request, job_id, *args, **kwargs)
        # What a link shows is kept by no cache and found by no search engine.
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return let_in

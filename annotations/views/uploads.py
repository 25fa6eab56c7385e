"""From choosing a file to a job on its way.

With JavaScript one page does it all: it asks for a form, sends the file with a progress bar, then submits.
Without it the file goes by a plain form, and a second page asks for the rest.
"""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations import references, uploads
from annotations.forms import AnnotationForm
from annotations.limits import limits_of, usage_of, wrong_with_another_job


@login_required
@require_safe
def new(request: HttpRequest) -> HttpResponse:
    """Choose a file, a reference and options."""
    return _upload_page(request, AnnotationForm())


@login_required
@require_safe
def sample(request: HttpRequest, name: str) -> FileResponse:
    """A file to try a reference with."""
    path = references.sample(name)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/plain")


@login_required
@require_POST
def begin(request: HttpRequest) -> JsonResponse:
    """A form for the file whose name is in `file_name`: {"url", "fields"}; 409 {"message"}: no room."""
    if wrong := wrong_with_another_job(request.user, haplotype_aware="haplotype_aware" in request.POST):
        return JsonResponse({"message": wrong}, status=409)
    form = uploads.begin(request.user, request.POST.get("file_name", ""))
    return JsonResponse({"url": form.url, "fields": form.fields})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: HttpRequest) -> HttpResponse:
    """GET, where the storage sends the browser after an upload: ask for the rest. POST: make the job."""
    if request.method == "POST":
        form = AnnotationForm(request.POST)
        if not form.is_valid():
            return _ask(request, request.POST.get("key", ""), form)
        try:
            job = uploads.submit(request.user, **form.cleaned_data)
        except uploads.OverLimit as refusal:
            return _ask(request, form.cleaned_data["key"], form, refusal)  # the file may wait for its turn
        except uploads.UploadRefused as refusal:
            return _upload_page(request, AnnotationForm(), refusal)
        return redirect(job)
    key = request.GET.get("key", "")
    if submitted := uploads.job_of(request.user, key):
        return redirect(submitted)
    return _ask(request, key, AnnotationForm(initial={"key": key}))


def _ask(
    request: HttpRequest, key: str, form: AnnotationForm, over_limit: uploads.OverLimit | None = None
) -> HttpResponse:
    try:
        upload = uploads.arrived(request.user, key)
    except uploads.UploadRefused as refusal:
        return _upload_page(request, form, refusal)
    context = {
        "form": form,
        "upload": upload,
        "limits": limits_of(request.user),
        "refusal": over_limit,
        "over_limit": over_limit is not None,
    }
    return render(request, "annotations/submit.html", context, status=400 if form.is_bound else 200)


def _upload_page(
    request: HttpRequest, form: AnnotationForm, refusal: uploads.UploadRefused | None = None
) -> HttpResponse:
    back = request.build_absolute_uri(reverse("annotations:submit"))
    context = {
        "form": form,
        "refusal": refusal,
        "over_limit": isinstance(refusal, uploads.OverLimit),
        "usage": usage_of(request.user),
        "upload_form": uploads.begin(request.user, redirect_url=back),
        "limits": limits_of(request.user),
        "part_bytes": settings.UPLOAD_PART_BYTES,
        "samples": sorted({bundle.name for bundle in form.bundles if references.sample(bundle.name)}),
    }
    return render(request, "annotations/new.html", context, status=400 if refusal else 200)

"""Exports of a result's rows: made at once, or asked for and followed."""

from typing import Any
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.models import Job
from annotations.results.access import for_viewers, viewable_job
from annotations.results.exports import background
from annotations.results.exports.batches import Wanted
from annotations.results.exports.formats import FORMATS, file_name, is_made_at_once, require_format, write
from annotations.results.exports.refusing import ExportRefused
from annotations.results.filters import ResultFilter
from annotations.results.problems import FilterRefused
from annotations.results.rows import count
from annotations.results.tables import ResultTable
from annotations.scratch import scratch_folder
from annotations.storage import object_store
from annotations.views.results import frame, with_table

DOWNLOAD_LINK_SECONDS = 300


@for_viewers
@require_http_methods(["GET", "HEAD", "POST"])
@with_table
def result_export(request: HttpRequest, job: Job, table: ResultTable) -> HttpResponseBase:
    """What can be exported, and the exports there are; by POST, `format` of what `query` finds."""
    if request.method == "POST":
        return _asked(request, job, table)
    try:
        wanted = ResultFilter.parse(request.GET)
        context = _page(job, table, wanted)
    except FilterRefused as refused:
        context = {**_page(job, table, ResultFilter()), "problems": refused.problems}
        return render(request, "annotations/results/export.html", context, status=400)
    return render(request, "annotations/results/export.html", context)


@login_required
@require_safe
def result_exports(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The list of exports, for the page that shows how they proceed."""
    job = viewable_job(request, job_id)
    return render(request, "annotations/results/_exports.html", {"job": job, **_exports(job)})


@login_required
@require_safe
def result_export_file(request: HttpRequest, job_id: UUID, export_id: str) -> HttpResponse:
    """Send the browser to a fresh, short-lived address of the export's file."""
    export = background.find(viewable_job(request, job_id), export_id)
    if export is None or not export.key:
        raise Http404
    return redirect(
        object_store().download_url(
            export.key, file_name=export.file_name, expires_seconds=DOWNLOAD_LINK_SECONDS
        )
    )


@login_required
@require_POST
def cancel_export(request: HttpRequest, job_id: UUID, export_id: str) -> HttpResponse:
    """Stop the export, or remove its file."""
    job = viewable_job(request, job_id)
    export = background.find(job, export_id)
    if export is None:
        raise Http404
    background.cancel(job, export_id)
    return redirect(f"{reverse('annotations:result_export', args=[job.job_id])}?{export.query}")


def _asked(request: HttpRequest, job: Job, table: ResultTable) -> HttpResponseBase:
    name = request.POST.get("format", "")
    wanted = ResultFilter()
    try:
        require_format(name)
        wanted = ResultFilter.parse(parse_qs(request.POST.get("query", "")))
        if is_made_at_once(name, Wanted(table, wanted)):
            return _made_at_once(name, job, Wanted(table, wanted))
        background.begin(job, name, Wanted(table, wanted), count(table, wanted).rows)
    except (ExportRefused, FilterRefused) as refused:
        context = {**_page(job, table, wanted), "refusal": str(refused)}
        return render(request, "annotations/results/export.html", context, status=400)
    address = reverse("annotations:result_export", args=[job.job_id])
    return redirect(f"{address}?{urlencode(wanted.parameters())}")


def _made_at_once(name: str, job: Job, wanted: Wanted) -> FileResponse:
    with scratch_folder() as folder:
        path = folder / file_name(job, name)
        write(name, job, wanted, path)
        file = path.open("rb")  # what is open can be read to its end after the folder has gone
    return FileResponse(file, as_attachment=True, filename=path.name, content_type=FORMATS[name].content_type)


def _page(job: Job, table: ResultTable, wanted: ResultFilter) -> dict[str, Any]:
    return {
        **frame(job, table, wanted, "export"),
        "counted": count(table, wanted),
        "formats": FORMATS.items(),
        **_exports(job),
    }


def _exports(job: Job) -> dict[str, Any]:
    exports = background.all_of(job)
    return {"exports": exports, "exports_run": any(not export.is_over for export in exports)}

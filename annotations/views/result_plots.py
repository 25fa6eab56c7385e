"""Plots of a result: the page, each plot's numbers, and these as a file."""

import csv
import io
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotations.models import Job
from annotations.results.access import for_viewers
from annotations.results.exports.text import tsv_cell
from annotations.results.filters import ResultFilter
from annotations.results.plots.catalogue import PLOTS, numbers_of
from annotations.results.plots.numbers import Numbers
from annotations.results.problems import FilterRefused
from annotations.results.rows import Counted, count
from annotations.results.tables import ResultTable
from annotations.views.results import frame, with_table


@for_viewers
@require_safe
@with_table
def result_plots(request: HttpRequest, job: Job, table: ResultTable) -> HttpResponse:
    """Places for all plots; the page asks for each by itself, and without JavaScript links to it."""
    try:
        wanted = ResultFilter.parse(request.GET)
        context = {**_page(job, table, wanted), "counted": count(table, wanted), "plots": PLOTS.items()}
    except FilterRefused as refused:
        return _refused(request, job, table, refused)
    return render(request, "annotations/results/plots.html", context)


@for_viewers
@require_safe
@with_table
def result_plot(request: HttpRequest, job: Job, table: ResultTable, name: str) -> HttpResponse:
    """One plot with the table of its numbers: as a page, or as a part of the page of all."""
    if name not in PLOTS:
        raise Http404
    try:
        wanted = ResultFilter.parse(request.GET)
        numbers = numbers_of(name, table, wanted)
    except FilterRefused as refused:
        return _refused(request, job, table, refused)
    context = {"job": job, "name": name, "plot": PLOTS[name], "numbers": numbers, "query": wanted.query()}
    if request.headers.get("HX-Request") == "true":
        return render(
            request, "annotations/results/_plot.html", {**context, "has_charts": settings.HAS_ASSETS}
        )
    context |= _page(job, table, wanted) | {"counted": count(table, wanted)}
    return render(request, "annotations/results/plot.html", context)


@for_viewers
@require_safe
@with_table
def result_plot_numbers(
    request: HttpRequest, job: Job, table: ResultTable, name: str, form: str
) -> HttpResponse:
    """A plot's numbers as CSV or JSON."""
    if name not in PLOTS or form not in {"csv", "json"}:
        raise Http404
    try:
        numbers = numbers_of(name, table, ResultFilter.parse(request.GET))
    except FilterRefused as refused:
        return JsonResponse({"problems": [str(problem) for problem in refused.problems]}, status=400)
    if form == "json":
        return JsonResponse({"title": PLOTS[name].title, **asdict(numbers)}, json_dumps_params={"indent": 1})
    response = HttpResponse(_csv(numbers), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _csv(numbers: Numbers) -> str:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(numbers.columns)
    lines.writerows([tsv_cell(cell) for cell in row] for row in numbers.rows)
    return text.getvalue()


def _page(job: Job, table: ResultTable, wanted: ResultFilter) -> dict[str, Any]:
    return {**frame(job, table, wanted, "plots"), "has_charts": settings.HAS_ASSETS}


def _refused(request: HttpRequest, job: Job, table: ResultTable, refused: FilterRefused) -> HttpResponse:
    context = {**_page(job, table, ResultFilter()), "problems": refused.problems, "counted": Counted(0, 0)}
    return render(request, "annotations/results/plots.html", context, status=400)

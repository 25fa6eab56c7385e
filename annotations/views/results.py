"""A result's rows: the table, and one allele in full."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

import structlog
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from annotations.models import Job
from annotations.results import browsing
from annotations.results.access import for_viewers, is_owner, viewable_job
from annotations.results.database import QueryTooCostly, TableUnreadable
from annotations.results.detail import detail_of
from annotations.results.filters import ResultFilter
from annotations.results.layout import TableOutdated
from annotations.results.problems import FilterProblem, FilterRefused
from annotations.results.reading import ParameterReader
from annotations.results.rows import FILE_ORDER, Counted, Row, Slice, counted_page
from annotations.results.tables import NoTable, ResultTable, open_table
from annotations.storage import StorageError

log = structlog.get_logger(__name__)
Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, UUID, Arguments], HttpResponseBase]
TableView = Callable[Concatenate[HttpRequest, Job, ResultTable, Arguments], HttpResponseBase]
FURTHEST_PAGE = 10**9


def with_table(view: TableView[Arguments]) -> View[Arguments]:
    """Gives the view the job and its table, for whoever may see them.

    Where the result is not at hand, the job's own page says where it is.
    """

    @wraps(view)
    def find_table(
        request: HttpRequest, job_id: UUID, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponseBase:
        job = viewable_job(request, job_id)
        try:
            return view(request, job, open_table(job), *args, **kwargs)
        except NoTable:
            return redirect(job)
        except TableOutdated as error:
            log.info("result_outdated", job_id=job.job_id, error=str(error))
            context = {"job": job, "is_outdated": True, "may_renew": is_owner(request, job)}
            return render(request, "annotations/results/trouble.html", context, status=409)
        except (StorageError, TableUnreadable) as error:
            log.exception("result_unreadable", job_id=job.job_id, error=str(error))
            context = {"job": job, "message": "The result can't be read just now. Please try again later."}
            return render(request, "annotations/results/trouble.html", context, status=503)
        except QueryTooCostly as error:
            log.warning("result_query_stopped", job_id=job.job_id, query=request.GET.urlencode())
            context = {"job": job, "message": f"{error} Please narrow the filter."}
            return render(request, "annotations/results/trouble.html", context, status=503)

    return find_table


@for_viewers
@require_safe
@with_table
def result(request: HttpRequest, job: Job, table: ResultTable) -> HttpResponse:
    """The rows that the filter in the address finds, a page at a time."""
    problems: list[FilterProblem] = []
    rows: list[Row] = []
    wanted, counted = ResultFilter(), Counted(0, 0)
    sort, number = FILE_ORDER, 1
    try:
        wanted = ResultFilter.parse(request.GET, besides=("page", "sort"))
        sort, number = _place(request)
        part = Slice(sort, (number - 1) * browsing.ROWS_ON_A_PAGE, browsing.ROWS_ON_A_PAGE)
        counted, rows = counted_page(table, wanted, part, browsing.shown_columns(table.layout))
    except FilterRefused as refused:
        problems = list(refused.problems)
    context = {
        **frame(job, table, wanted, "rows"),
        "problems": problems,
        "counted": counted,
        "rows": browsing.shown(rows, table.layout),
        "headings": list(browsing.headings(wanted, table.layout, sort)),
        "sort": sort,
        "paging": _paging(wanted, sort, browsing.Paging(number, counted.rows)),
    }
    return render(request, "annotations/results/rows.html", context, status=400 if problems else 200)


@for_viewers
@require_safe
@with_table
def result_row(request: HttpRequest, job: Job, table: ResultTable, number: int) -> HttpResponse:
    """One allele: as a page, or as a part of one for the row that is opened in the table."""
    detail = detail_of(table, job, number)
    if detail is None:
        raise Http404
    opened_in_table = request.headers.get("HX-Request") == "true"
    template = "annotations/results/_row_detail.html" if opened_in_table else "annotations/results/row.html"
    return render(request, template, {"job": job, "detail": detail, "values": detail.row.values})


def frame(job: Job, table: ResultTable, wanted: ResultFilter, tab: str) -> dict[str, Any]:
    """What every page of a result shows around its own part."""
    return {
        "job": job,
        "layout": table.layout,
        "filter": wanted,
        "query": wanted.query(),
        "tab": tab,
        "chips": browsing.chips(wanted),
        "presets": browsing.presets(table.layout),
        "form": browsing.form(wanted, table.layout),
    }


def _place(request: HttpRequest) -> tuple[str, int]:
    """Sort key and number of the page. Raises FilterRefused."""
    read = ParameterReader(request.GET)
    sort = read.text("sort") or FILE_ORDER
    number = int(read.number("page", 1, FURTHEST_PAGE) or 1)
    if read.problems:
        raise FilterRefused(read.problems)
    return sort, number


def _paging(wanted: ResultFilter, sort: str, paging: browsing.Paging) -> dict[str, Any]:
    order = browsing.sort_query(sort)
    newer = wanted.query(**order, page=paging.number - 1) if paging.number > 1 else ""
    older = wanted.query(**order, page=paging.number + 1) if paging.number < paging.last else ""
    return {"at": paging, "previous": newer, "next": older, "order": order}

"""/jobs/ID/results: the rows of a result, with the filters of the site."""

import math
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field, create_model

from annotations.api.authentication import scoped
from annotations.api.jobs import own_job
from annotations.api.models import Scope
from annotations.api.problems import Problem
from annotations.models import Job
from annotations.results import rows
from annotations.results.database import QueryTooCostly, TableUnreadable
from annotations.results.filters import PARAMETERS, ResultFilter
from annotations.results.layout import TableOutdated
from annotations.results.presets import PRESETS
from annotations.results.problems import FilterRefused
from annotations.results.tables import NoTable, ResultTable, open_table

router = Router(tags=["results"])
OWN = ("cursor", "limit", "sort", "columns", "count")
DEEPEST_ROW = 10**9


class PageQuery(Schema):
    """Which part of the rows."""

    sort: str = Field(
        rows.FILE_ORDER, max_length=60, description="A sort key of /results/about; - for descending."
    )
    cursor: str | None = Field(
        None, max_length=20, pattern=r"^[0-9]{1,9}$", description="`next_cursor` of the page before."
    )
    limit: int = Field(50, ge=1, le=1000)
    columns: str | None = Field(
        None, max_length=5000, description="Names with commas between them; all without it."
    )
    count: bool = Field(False, description="Also count all that the filter finds.")


# The filter's own parser reads these, and says what is wrong with them; here they are for the description.
_FILTER_FIELDS: dict[str, Any] = {
    name: (list[str] | None, Field(None, description=f"Filter `{name}`; may be repeated.", max_length=100))
    for name in (*PARAMETERS, "preset")
}
RowQuery = create_model("RowQuery", __base__=PageQuery, **_FILTER_FIELDS)


class RowPage(Schema):
    """Rows, one for each ALT allele, as the table has them."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    rows: int | None = Field(description="Alleles that the filter finds, where `count` is asked for.")
    records: int | None = Field(description="Records of the annotated VCF that these are of.")


class ColumnOut(Schema):
    name: str
    type: str


class ContigOut(Schema):
    name: str
    rows: int


class ResultAbout(Schema):
    """What there is to filter and sort by."""

    rows: int
    records: int
    columns: list[ColumnOut]
    contigs: list[ContigOut]
    samples: list[str]
    sources: list[str]
    frequency_columns: list[str]
    filters: list[str]
    sort_keys: list[str]
    presets: list[str]


@router.get("/{uuid:job_id}/results", response=RowPage, auth=scoped(Scope.READ), url_name="results")
def list_rows(request: HttpRequest, response: HttpResponse, job_id: UUID, wanted: Query[RowQuery]) -> RowPage:  # type: ignore[valid-type]
    """The variants of a result, a page at a time, by the filters of the site: an address of its table, with
    the same parameters, works here too."""
    page: Any = wanted
    job = own_job(request, job_id)
    try:
        found = ResultFilter.parse(dict(request.GET.lists()), besides=OWN)
        table = open_table(job)
        columns = _columns(page.columns, table)
        offset = int(page.cursor or 0)
        # One more than asked for tells whether there is another page.
        part = rows.Slice(sort=page.sort, offset=offset, limit=page.limit + 1)
        items = rows.page_of_rows(table, found, part, columns)
        counted = rows.count(table, found) if page.count else None
    except FilterRefused as refusal:
        raise filter_refused(refusal) from refusal
    except (NoTable, TableUnreadable) as error:
        raise no_table(job, error) from error
    except QueryTooCostly as error:
        raise Problem("unavailable", f"{error} Filter for less.") from error
    more = len(items) > page.limit
    next_cursor = str(offset + page.limit) if more and offset + page.limit < DEEPEST_ROW else None
    if next_cursor:
        query = request.GET.copy()
        query["cursor"] = next_cursor
        response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return RowPage(
        items=[{name: _plain(value) for name, value in row.values.items()} for row in items[: page.limit]],
        next_cursor=next_cursor,
        rows=counted.rows if counted else None,
        records=counted.records if counted else None,
    )


@router.get(
    "/{uuid:job_id}/results/about", response=ResultAbout, auth=scoped(Scope.READ), url_name="results_about"
)
def about_results(request: HttpRequest, job_id: UUID) -> ResultAbout:
    """The columns, samples, sources, sort keys and presets of a result."""
    job = own_job(request, job_id)
    try:
        layout = open_table(job).layout
    except (NoTable, TableUnreadable) as error:
        raise no_table(job, error) from error
    except QueryTooCostly as error:
        raise Problem("unavailable", str(error)) from error
    return ResultAbout(
        rows=layout.rows,
        records=layout.records,
        columns=[ColumnOut(name=name, type=kind) for name, kind in layout.columns.items()],
        contigs=[ContigOut(name=contig.chrom, rows=contig.rows) for contig in layout.contigs],
        samples=list(layout.samples),
        sources=list(layout.sources),
        frequency_columns=list(layout.frequency_columns),
        filters=list(layout.filters),
        sort_keys=list(rows.sort_keys(layout)),
        presets=list(PRESETS),
    )


def filter_refused(refusal: FilterRefused) -> Problem:
    errors = [
        {"where": f"query.{problem.parameter}", "message": str(problem)} for problem in refusal.problems
    ]
    return Problem("invalid", str(refusal), errors=errors)


def no_table(job: Job, error: Exception) -> Problem:
    if isinstance(error, TableOutdated):
        message = "This result was made by an earlier version of the service. Annotate the file again."
        return Problem("conflict", f"{message} {error}")
    return Problem(
        "conflict",
        f"The job is {job.status} and its result {job.result_state}: there is no table at hand.",
        result_state=job.result_state,
    )


def _columns(names: str | None, table: ResultTable) -> list[str] | None:
    if names is None:
        return None
    wanted = list(dict.fromkeys(name for name in names.split(",") if name))
    unknown = [name for name in wanted if name not in table.layout.columns]
    if unknown or not wanted:
        shown = unknown[0][:60] if unknown else ""
        message = f"There is no column “{shown}”. /results/about lists them."
        raise Problem("invalid", message, errors=[{"where": "query.columns", "message": message}])
    return wanted


def _plain(value: Any) -> Any:
    """JSON has no numbers that are none."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value

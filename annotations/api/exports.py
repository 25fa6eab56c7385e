"""/jobs/ID/exports: the rows that a filter finds as one file, made by a task."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import parse_qs
from uuid import UUID

from django.http import HttpRequest, HttpResponseRedirect
from ninja import Router, Schema, Status
from ninja.params.functions import Path
from pydantic import Field

from annotations.api.authentication import scoped
from annotations.api.jobs import LINK_SECONDS, own_job
from annotations.api.models import Scope
from annotations.api.problems import Problem
from annotations.api.results import filter_refused, no_table
from annotations.api.schemas import Request
from annotations.models import Job
from annotations.results.database import QueryTooCostly, TableUnreadable
from annotations.results.exports import background
from annotations.results.exports.batches import Wanted
from annotations.results.exports.formats import is_made_at_once
from annotations.results.exports.refusing import ExportRefused
from annotations.results.filters import ResultFilter
from annotations.results.problems import FilterRefused
from annotations.results.rows import count
from annotations.results.tables import NoTable, open_table
from annotations.storage.port import object_store

router = Router(tags=["results"])
ExportId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class ExportFormat(StrEnum):
    """The forms that an export can have."""

    VCF = "vcf"
    TSV = "tsv"
    XLSX = "xlsx"
    JSON = "json"
    PARQUET = "parquet"


class ExportRequest(Request):
    format: ExportFormat
    filter: str = Field(
        "",
        max_length=5000,
        pattern=r"^[^\x00-\x1f]*$",
        description="As the query of /results or of the site's table; all rows without it.",
        examples=["impact=HIGH&known=novel"],
    )


class ExportOut(Schema):
    """An export; its file is there when it `is_over` without a failure."""

    id: str
    format: ExportFormat
    filter: str
    asked_at: datetime
    rows: int
    records: int
    records_done: int
    is_over: bool
    size_bytes: int | None
    failure: str | None


class ExportList(Schema):
    items: list[ExportOut]


@router.post(
    "/{uuid:job_id}/exports", response={202: ExportOut}, auth=scoped(Scope.WRITE), url_name="exports"
)
def begin_export(request: HttpRequest, job_id: UUID, body: ExportRequest) -> Status:
    """Have an export made. Asking for the same again gives the same; the oldest of more than five goes."""
    job = own_job(request, job_id)
    try:
        found = ResultFilter.parse(parse_qs(body.filter))
        wanted = Wanted(open_table(job), found)
        is_made_at_once(body.format, wanted)  # refuses what the form can't hold
        export = background.begin(job, body.format.value, wanted, count(wanted.table, found).rows)
    except FilterRefused as refusal:
        raise filter_refused(refusal) from refusal
    except ExportRefused as refusal:
        raise Problem(
            "invalid", str(refusal), errors=[{"where": "body.format", "message": str(refusal)}]
        ) from refusal
    except (NoTable, TableUnreadable) as error:
        raise no_table(job, error) from error
    except QueryTooCostly as error:
        raise Problem("unavailable", f"{error} Filter for less.") from error
    return Status(202, _out(export))


@router.get("/{uuid:job_id}/exports", response=ExportList, auth=scoped(Scope.READ), url_name="exports")
def list_exports(request: HttpRequest, job_id: UUID) -> ExportList:
    """The exports of a job, the newest first."""
    return ExportList(items=[_out(export) for export in background.all_of(own_job(request, job_id))])


@router.get(
    "/{uuid:job_id}/exports/{export_id}", response=ExportOut, auth=scoped(Scope.READ), url_name="export"
)
def get_export(request: HttpRequest, job_id: UUID, export_id: ExportId) -> ExportOut:
    """How far an export is."""
    return _out(_found(own_job(request, job_id), export_id))


@router.get(
    "/{uuid:job_id}/exports/{export_id}/file",
    auth=scoped(Scope.READ),
    url_name="export_file",
    openapi_extra={"responses": {302: {"description": "To the file, for a few minutes."}}},
)
def get_export_file(request: HttpRequest, job_id: UUID, export_id: ExportId) -> HttpResponseRedirect:
    """Leads to the file of an export, at an address that needs no token."""
    export = _found(own_job(request, job_id), export_id)
    if not export.key:
        raise Problem("conflict", export.failure or "The export is not made yet.")
    return HttpResponseRedirect(
        object_store().download_url(export.key, file_name=export.file_name, expires_seconds=LINK_SECONDS)
    )


@router.delete(
    "/{uuid:job_id}/exports/{export_id}", response={204: None}, auth=scoped(Scope.WRITE), url_name="export"
)
def delete_export(request: HttpRequest, job_id: UUID, export_id: ExportId) -> Status:
    """Stop an export, or remove its file."""
    job = own_job(request, job_id)
    background.cancel(job, _found(job, export_id).export_id)
    return Status(204, None)


def _found(job: Job, export_id: str) -> background.Export:
    export = background.find(job, export_id)
    if export is None:
        raise Problem("not-found", f"The job has no export {export_id}.")
    return export


def _out(export: background.Export) -> ExportOut:
    return ExportOut(
        id=export.export_id,
        format=ExportFormat(export.format),
        filter=export.query,
        asked_at=datetime.fromtimestamp(export.asked_at, UTC),
        rows=export.rows,
        records=export.records,
        records_done=export.records_done,
        is_over=export.is_over,
        size_bytes=export.size_bytes or None,
        failure=export.failure or None,
    )

"""What goes over the wire: requests and answers of the API, and how they come from the models."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

from annotations.models import Job, ResultState, Status
from annotations.results.files import files_of

# Text without control characters: a NUL can't be kept by every database, and a line break not by a header.
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reference = Annotated[
    str,
    Field(
        max_length=120,
        pattern=r"^[^\x00-\x1f\x7f/]+/[^\x00-\x1f\x7f/]+$",
        description="NAME/VERSION, as /references lists them.",
        examples=["demo/1"],
    ),
]


class Request(Schema):
    """A body. What it does not know it refuses: a misspelt option must not be lost silently."""

    model_config = ConfigDict(extra="forbid")


class JobRequest(Request):
    """What to annotate, and with what."""

    upload_id: UUID = Field(description="An upload that has arrived.")
    reference: Reference
    haplotype_aware: bool = False


class JobQuery(Schema):
    """Which jobs to list."""

    cursor: str | None = Field(
        None,
        max_length=60,
        pattern=r"^[0-9]{1,17}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="`next_cursor` of the page before.",
    )
    limit: int = Field(25, ge=1, le=100)
    status: Status | None = None


class FileOut(Schema):
    """A file that can be downloaded now. `kind` names it in addresses."""

    kind: str
    name: str
    size_bytes: int | None
    url: str = Field(description="Leads to the file: a redirect to an address that holds for a few minutes.")


class FindingOut(Schema):
    """A kind of fault in a file: where it was met first, and how often it was."""

    code: str = Field(description="The kind of fault, in a word that stays the same.")
    line: int | None = Field(
        description="From 1, of the unpacked text; None where it is the file as a whole."
    )
    column: str = Field(description="A column's name, with /KEY for INFO and FORMAT; empty: the whole line.")
    byte: int | None = Field(description="Where in the uploaded file, if there is no line.")
    count: int = Field(description="Lines that have the fault.")
    message: str = Field(description="What was expected, what was found and what to do.")


class Failure(Schema):
    """Why a job failed: a word for programs, and a message that says what to do.

    Of a file that cannot be used, `findings` has up to a hundred kinds of fault, and `problems` their texts.
    """

    reason: str
    message: str
    problems: list[str]
    findings: list[FindingOut]


class JobOut(Schema):
    """A job and how far it is."""

    id: UUID
    file_name: str
    input_bytes: int
    reference: str
    haplotype_aware: bool
    status: Status
    stage: str = Field(description="What is being done, while it runs.")
    variants_done: int | None
    variants_total: int | None
    submitted_at: datetime
    completed_at: datetime | None
    result_state: ResultState
    result_bytes: int | None
    summary: dict[str, Any] = Field(description="Counts of the annotation, once it is completed.")
    failure: Failure | None
    files: list[FileOut]
    page: str = Field(description="The job's page on the site.")


class JobPage(Schema):
    """Jobs, newest first. `next_cursor` leads to older ones; None: there are none."""

    items: list[JobOut]
    next_cursor: str | None


class KnownSourceOut(Schema):
    """A source of known variants in a bundle."""

    name: str
    version: str | None


class ReferenceOut(Schema):
    """A reference bundle to annotate against."""

    reference: str = Field(description="NAME/VERSION, as a job wants it.")
    name: str
    version: str
    description: str
    checksum: str = Field(description="SHA-256 of the bundle's manifest, which holds those of its files.")
    contigs: list[str]
    known: list[KnownSourceOut]


class ReferenceList(Schema):
    items: list[ReferenceOut]


class Usage(Schema):
    """What the caller's tier gives, and how much of it is used."""

    email: str
    tier: str
    upload_max_bytes: int
    retention_seconds: int | None = Field(description="How long results stay at hand; None: for ever.")
    haplotype_aware: bool
    jobs_at_once: int
    jobs_at_once_used: int
    jobs_a_day: int
    jobs_a_day_used: int
    requests_a_minute: int
    upgrade_url: str | None


def _failure(job: Job) -> Failure:
    return Failure(
        reason=job.failure_reason,
        message=job.failure_message,
        problems=job.problems,
        findings=[FindingOut(**asdict(finding)) for finding in job.findings],
    )


def job_out(job: Job) -> JobOut:
    return JobOut(
        id=UUID(job.job_id),
        file_name=job.input_file_name,
        input_bytes=job.input_bytes,
        reference=job.reference,
        haplotype_aware=job.haplotype_aware,
        status=Status(job.status),
        stage=job.stage,
        variants_done=job.variants_done,
        variants_total=job.variants_total,
        submitted_at=job.submitted_at,
        completed_at=job.completed_at,
        result_state=ResultState(job.result_state),
        result_bytes=job.result_bytes,
        summary={} if job.status == "FAILED" else job.summary,
        failure=_failure(job) if job.status == "FAILED" else None,
        files=[
            FileOut(
                kind=file.kind,
                name=file.name,
                size_bytes=file.size_bytes,
                url=f"{settings.SITE_URL}/api/v1/jobs/{job.job_id}/files/{file.kind}",
            )
            for file in files_of(job)
        ],
        page=settings.SITE_URL + job.get_absolute_url(),
    )

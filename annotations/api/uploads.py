"""/uploads: send a file in parts or by a form, have it fetched from an address, or type variants in."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from annotations import uploads
from annotations.api.authentication import caller_of, scoped
from annotations.api.models import Scope
from annotations.api.problems import Problem
from annotations.api.refusals import too_large
from annotations.api.repeating import Answer, IdempotencyKey, done_once
from annotations.api.schemas import Line, Reference, Request
from annotations.incoming import fetching, parts, pasting
from annotations.incoming.models import Upload, UploadState
from annotations.limits import limits_of
from annotations.outbound import AddressRefused
from annotations.storage.port import object_store

log = structlog.get_logger(__name__)
router = Router(tags=["uploads"])

MOST_PARTS_AT_ONCE = 100


class UploadRequest(Request):
    """A file that is going to be sent in parts."""

    file_name: Line
    size_bytes: int = Field(ge=1, le=1 << 50)


class FormRequest(Request):
    file_name: Line


class UrlRequest(Request):
    """A file that this service fetches itself."""

    url: str = Field(min_length=1, max_length=2000, description="https, and publicly reachable.")
    file_name: Line | None = Field(None, description="Left out: the last part of the address.")


class VariantsRequest(Request):
    """A few variants, typed in."""

    variants: str = Field(
        min_length=1,
        max_length=pasting.MOST_CHARACTERS,
        description="A variant a line: chrom-pos-ref-alt, an rsID, genomic HGVS, or a line of a VCF.",
        examples=["21-25891784-C-T\nrs75932628"],
    )
    reference: Reference
    file_name: Line = "pasted.vcf"


class PartNumbers(Request):
    numbers: list[int] = Field(min_length=1, max_length=MOST_PARTS_AT_ONCE)


class PartEtag(Request):
    number: int = Field(ge=1)
    etag: str = Field(max_length=100)


class CompleteRequest(Request):
    """The ETags that each part's PUT was answered with; left out, what has arrived is taken as it is."""

    parts: list[PartEtag] | None = Field(None, max_length=parts.MOST_PARTS)


class PartOut(Schema):
    number: int
    size_bytes: int
    etag: str


class PartUrl(Schema):
    """PUT the `size_bytes` bytes of the file from `start` on to `url`, without your token."""

    number: int
    start: int
    size_bytes: int
    url: str


class PartUrls(Schema):
    items: list[PartUrl]
    expires_seconds: int


class UploadOut(Schema):
    """An upload. READY: it can be submitted. `parts` are those that have arrived."""

    id: UUID
    file_name: str
    state: UploadState
    created_at: datetime
    expires_at: datetime
    size_bytes: int | None
    received_bytes: int
    part_bytes: int | None = Field(description="The size of all parts but the last; None: not in parts.")
    part_count: int | None
    parts: list[PartOut]
    source_url: str | None
    failure: str | None


class UploadList(Schema):
    items: list[UploadOut]


class FormOut(Schema):
    """POST `fields`, then the file as `file`, as multipart/form-data to `url`, without your token."""

    upload: UploadOut
    url: str
    fields: dict[str, str]


@router.post("", response={201: UploadOut}, auth=scoped(Scope.WRITE), url_name="uploads")
def begin_upload(
    request: HttpRequest, body: UploadRequest, idempotency_key: IdempotencyKey = None
) -> HttpResponse:
    """Begin to send a file in parts, so that what breaks off can go on."""
    user = caller_of(request)
    return done_once(
        request,
        user,
        idempotency_key,
        lambda: _created(
            upload_out(_refusals(user, lambda: parts.begin(user, body.file_name, body.size_bytes)))
        ),
    )


@router.get("", response=UploadList, auth=scoped(Scope.READ), url_name="uploads")
def list_uploads(request: HttpRequest) -> UploadList:
    """Your uploads that are not finished, the newest first: what can be gone on with."""
    found = Upload.objects.of(caller_of(request)).unfinished()
    return UploadList(items=[upload_out(upload, with_parts=False) for upload in found])


@router.post("/form", response={201: FormOut}, auth=scoped(Scope.WRITE), url_name="upload_form")
def begin_form(
    request: HttpRequest, body: FormRequest, idempotency_key: IdempotencyKey = None
) -> HttpResponse:
    """A form that takes a file in one piece: `curl -F`."""
    user = caller_of(request)

    def make() -> Answer:
        upload = _refusals(user, lambda: parts.new_upload(user, body.file_name))
        form = object_store().upload_form(
            upload.key,
            max_bytes=limits_of(user).upload_max_bytes,
            redirect_url=None,
            expires_seconds=uploads.FORM_SECONDS,
        )
        upload.save(force_insert=True)
        return _created(
            FormOut(upload=upload_out(upload), url=request.build_absolute_uri(form.url), fields=form.fields)
        )

    return done_once(request, user, idempotency_key, make)


@router.post("/from-url", response={202: UploadOut}, auth=scoped(Scope.WRITE), url_name="upload_from_url")
def fetch_upload(
    request: HttpRequest, body: UrlRequest, idempotency_key: IdempotencyKey = None
) -> HttpResponse:
    """Have a file fetched. Ask for the upload until it is READY or FAILED."""
    user = caller_of(request)

    def make() -> Answer:
        try:
            upload = _refusals(user, lambda: fetching.begin(user, body.url, body.file_name))
        except AddressRefused as refusal:
            raise Problem(
                "invalid", str(refusal), errors=[{"where": "body.url", "message": str(refusal)}]
            ) from refusal
        return Answer(202, out := upload_out(upload), {"Location": f"/api/v1/uploads/{out.id}"})

    return done_once(request, user, idempotency_key, make)


@router.post("/variants", response={201: UploadOut}, auth=scoped(Scope.WRITE), url_name="upload_variants")
def paste_variants(
    request: HttpRequest, body: VariantsRequest, idempotency_key: IdempotencyKey = None
) -> HttpResponse:
    """Make a VCF of variants that are typed in."""
    user = caller_of(request)

    def make() -> Answer:
        try:
            upload = _refusals(
                user, lambda: pasting.begin(user, body.variants, body.reference, body.file_name)
            )
        except pasting.LinesRefused as refusal:
            errors = [
                {"where": f"body.variants, line {fault.line}", "message": fault.message}
                for fault in refusal.faults
            ]
            raise Problem("invalid", str(refusal), errors=errors) from refusal
        return _created(upload_out(upload))

    return done_once(request, user, idempotency_key, make)


@router.get("/{uuid:upload_id}", response=UploadOut, auth=scoped(Scope.READ), url_name="upload")
def get_upload(request: HttpRequest, upload_id: UUID) -> UploadOut:
    """How far an upload is."""
    upload = own_upload(request, upload_id)
    with suppress(uploads.UploadRefused):  # nothing has come by the form yet
        upload = parts.settle(upload)
    return upload_out(upload)


@router.delete("/{uuid:upload_id}", response={204: None}, auth=scoped(Scope.WRITE), url_name="upload")
def delete_upload(request: HttpRequest, upload_id: UUID) -> Status:
    """Give an upload up, and forget what has arrived of it. A job made of it stays, with its input."""
    parts.abort(own_upload(request, upload_id))
    return Status(204, None)


@router.post("/{uuid:upload_id}/parts", response=PartUrls, auth=scoped(Scope.WRITE), url_name="upload_parts")
def part_urls(request: HttpRequest, upload_id: UUID, body: PartNumbers) -> PartUrls:
    """Addresses to send parts to, which hold for an hour."""
    upload = own_upload(request, upload_id)
    urls = _refusals(upload.user, lambda: parts.part_urls(upload, body.numbers))
    return PartUrls(
        items=[
            PartUrl(
                number=span.number,
                start=span.start,
                size_bytes=span.size_bytes,
                url=request.build_absolute_uri(url),
            )
            for span, url in urls
        ],
        expires_seconds=parts.PART_URL_SECONDS,
    )


@router.post(
    "/{uuid:upload_id}/complete", response=UploadOut, auth=scoped(Scope.WRITE), url_name="upload_complete"
)
def complete_upload(request: HttpRequest, upload_id: UUID, body: CompleteRequest | None = None) -> UploadOut:
    """Put the parts together. Doing it again changes nothing."""
    upload = own_upload(request, upload_id)
    etags = {part.number: part.etag for part in body.parts} if body and body.parts is not None else None
    return upload_out(_refusals(upload.user, lambda: parts.complete(upload, etags)))


def own_upload(request: HttpRequest, upload_id: UUID) -> Upload:
    """Raises Problem: not-found for another's, too."""
    upload = Upload.objects.select_related("user").filter(pk=str(upload_id), user=caller_of(request)).first()
    if upload is None:
        raise Problem("not-found", f"You have no upload {upload_id}.")
    return upload


def upload_out(upload: Upload, *, with_parts: bool = True) -> UploadOut:
    there = parts.arrived_parts(upload) if with_parts else []
    return UploadOut(
        id=UUID(upload.upload_id),
        file_name=upload.file_name,
        state=UploadState(upload.state),
        created_at=upload.created_at,
        expires_at=upload.created_at + parts.KEPT,
        size_bytes=upload.size_bytes,
        received_bytes=sum(part.size_bytes for part in there) or upload.received_bytes,
        part_bytes=upload.part_bytes,
        part_count=len(parts.spans(upload)) if upload.is_in_parts else None,
        parts=[PartOut(**vars(part)) for part in there],
        source_url=upload.source_url or None,
        failure=upload.failure or None,
    )


def _refusals(user: Any, do: Any) -> Any:
    """What `do` gives, with refusals as problems."""
    try:
        return do()
    except uploads.OverLimit as refusal:
        raise too_large(user, str(refusal)) from refusal
    except (parts.NotReceiving, parts.TooManyUnfinished) as refusal:
        raise Problem("conflict", str(refusal)) from refusal
    except uploads.UploadRefused as refusal:
        raise Problem(
            "invalid", str(refusal), errors=[{"where": "body", "message": str(refusal)}]
        ) from refusal


def _created(body: UploadOut | FormOut) -> Answer:
    upload = body.upload if isinstance(body, FormOut) else body
    return Answer(201, body, {"Location": f"/api/v1/uploads/{upload.id}"})

"""The local storage's two addresses: one takes the signed upload form, the other gives objects."""

from typing import BinaryIO, cast
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.limits import limits_of
from annotations.storage.local import (
    FILE_NAME_VARIABLE,
    DownloadGrant,
    GrantRefused,
    LocalObjectStore,
    PartGrant,
    UploadGrant,
    unseal,
)
from annotations.storage.local_parts import PartIncomplete
from annotations.storage.port import ObjectMissing, StorageError
from annotations.storage.receiving import DraftUploadHandler
from annotations.storage.serving import file_response

# What the form's other fields and the boundaries may add to the file itself.
FORM_OVERHEAD_BYTES = 64 * 1024
# So much of a refused body is read, for a browser shows no answer before it has sent its file.
READ_OF_REFUSED_BYTES = 256 * 1024 * 1024
TOO_LARGE = "EntityTooLarge"  # as S3 calls it


class UploadRefused(Exception):
    """An error of S3's form: status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@csrf_exempt  # the seal in the address is the permission, and scripts have no cookie
@require_POST
def receive_upload(request: HttpRequest) -> HttpResponseBase:
    """Take one file. The answers are those of S3's POST Object."""
    try:
        return _receive(request)
    except UploadRefused as refusal:
        return _refusal(request, refusal)
    except StorageError:
        return _refusal(
            request,
            UploadRefused(503, "ServiceUnavailable", "The file could not be stored. Please try again later."),
        )


def _receive(request: HttpRequest) -> HttpResponse:
    grant = _upload_grant(request)
    store = LocalObjectStore()
    with store.draft() as draft:
        handler = DraftUploadHandler(request, draft, grant.max_bytes)
        request.upload_handlers = [handler]
        try:
            fields = request.POST
        except (MultiPartParserError, UnreadablePostError):
            raise UploadRefused(
                400, "MalformedPOSTRequest", "The upload broke off. Please try again."
            ) from None
        if handler.is_too_large:
            raise _too_large(grant)
        if handler.received_name is None:
            raise UploadRefused(400, "InvalidArgument", "No file was chosen. Please go back and choose one.")
        if not handler.is_complete:
            raise UploadRefused(400, "IncompleteBody", "The upload broke off. Please try again.")
        if fields.get("key") != grant.key or fields.get("success_action_redirect") != grant.redirect_url:
            raise UploadRefused(403, "AccessDenied", "The form was changed on its way.")
        key = grant.key.replace(FILE_NAME_VARIABLE, handler.received_name)
        try:
            store.receive(draft, key)
        except SuspiciousFileOperation:
            raise UploadRefused(
                400, "InvalidArgument", "The file's name can't be used. Please give it another one."
            ) from None
    return _accepted(grant, key, handler.etag)


def _upload_grant(request: HttpRequest) -> UploadGrant:
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    try:
        grant = unseal(UploadGrant, request.GET.get("policy", ""))
        if length > grant.max_bytes + FORM_OVERHEAD_BYTES:
            raise _too_large(grant)
    except (GrantRefused, UploadRefused) as refusal:
        _read_away(request, min(length, READ_OF_REFUSED_BYTES))
        if isinstance(refusal, UploadRefused):
            raise
        message = f"{refusal} Please load the upload page again."
        raise UploadRefused(403, "AccessDenied", message) from None
    return grant


def _too_large(grant: UploadGrant) -> UploadRefused:
    return UploadRefused(
        400, TOO_LARGE, f"The file is larger than the {filesizeformat(grant.max_bytes)} allowed."
    )


def _read_away(request: HttpRequest, length: int) -> None:
    while length > 0 and (block := request.read(min(length, 1024 * 1024))):
        length -= len(block)


def _accepted(grant: UploadGrant, key: str, etag: str) -> HttpResponse:
    if grant.redirect_url is None:
        return HttpResponse(status=204, headers={"ETag": etag})
    query = urlencode({"bucket": settings.INPUTS_BUCKET, "key": key, "etag": etag})
    joint = "&" if urlsplit(grant.redirect_url).query else "?"
    # Not a redirect of Django's: those are 302, after which a client may repeat the POST.
    return HttpResponse(status=303, headers={"Location": f"{grant.redirect_url}{joint}{query}", "ETag": etag})


def _refusal(request: HttpRequest, refusal: UploadRefused) -> HttpResponse:
    if "text/html" in request.headers.get("Accept", ""):
        context = {"message": refusal.message, "upgrade_url": _upgrade_url(request, refusal)}
        return render(request, "annotations/upload_refused.html", context, status=refusal.status)
    return HttpResponse(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message></Error>",
        content_type="application/xml",
        status=refusal.status,
    )


def _upgrade_url(request: HttpRequest, refusal: UploadRefused) -> str | None:
    if refusal.code != TOO_LARGE or not request.user.is_authenticated:
        return None
    return limits_of(request.user).upgrade_url


@csrf_exempt  # as above
@require_http_methods(["PUT"])
def receive_part(request: HttpRequest) -> HttpResponseBase:
    """Take the bytes of one part. The answers are those of S3's UploadPart."""
    try:
        grant = unseal(PartGrant, request.GET.get("part", ""))
        _same_length(request, grant)
        part = LocalObjectStore().receive_part(grant, cast(BinaryIO, request))
    except GrantRefused as refusal:
        return _refusal(request, UploadRefused(403, "AccessDenied", str(refusal)))
    except UploadRefused as refusal:
        return _refusal(request, refusal)
    except (PartIncomplete, UnreadablePostError):
        return _refusal(request, UploadRefused(400, "IncompleteBody", "The part broke off. Send it again."))
    except ObjectMissing:
        return _refusal(request, UploadRefused(404, "NoSuchUpload", "The upload is over, or was given up."))
    except StorageError:
        return _refusal(request, UploadRefused(503, "ServiceUnavailable", "The part could not be stored."))
    return HttpResponse(headers={"ETag": part.etag})


def _same_length(request: HttpRequest, grant: PartGrant) -> None:
    sent = request.headers.get("Content-Length") or "0"
    if sent != str(grant.size_bytes):
        raise UploadRefused(
            400, "IncompleteBody", f"The part has {grant.size_bytes} bytes, and {sent} were announced."
        )


@require_safe
def download(request: HttpRequest) -> HttpResponseBase:
    """Give an object to the holder of its address: always as a file to keep, never as a page to show."""
    try:
        grant = unseal(DownloadGrant, request.GET.get("grant", ""))
    except GrantRefused as refusal:
        context = {"message": f"{refusal} The job's own page has a fresh link."}
        return render(request, "annotations/download_refused.html", context, status=403)
    try:
        return file_response(request, LocalObjectStore().path_of(grant.key), grant.file_name)
    except (ObjectMissing, FileNotFoundError):
        context = {"message": "The file is no longer here. The job's own page says where it went."}
        return render(request, "annotations/download_refused.html", context, status=404)

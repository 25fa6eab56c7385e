"""Uploads by address: the worker fetches the file, as large as the tier takes, from the public internet."""

import time
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import structlog
from django.db import transaction
from django.template.defaultfilters import filesizeformat

from annotations.enqueue import enqueue, enqueue_on_commit
from annotations.incoming.models import Upload
from annotations.incoming.parts import new_upload
from annotations.incoming.queries import MOST_FETCHES
from annotations.limits import limits_of
from annotations.outbound import AddressRefused, AnswerTooLarge, Unreachable, checked_url, open_url
from annotations.scratch import scratch_folder
from annotations.storage.port import StorageError, object_store

log = structlog.get_logger(__name__)

REPORT_EVERY_SECONDS = 2.0
LONGEST_FETCH_SECONDS = 3000.0  # below the time limit of a task
RETRIED = {408, 425, 429, 500, 502, 503, 504}
MOST_AT_ONCE = 100


class TryLater(Exception):
    """The server, or the storage, may answer another time; the upload is free for another task."""


class _Unusable(Exception):
    """No other try will help; the message says what to do."""


def begin(user: Any, url: str, file_name: str | None = None) -> Upload:
    """An upload that a worker is going to fetch. Raises AddressRefused, TooManyUnfinished."""
    parts = checked_url(url)
    name = file_name or unquote(PurePosixPath(parts.path).name) or "download.vcf"
    upload = new_upload(user, name, state=Upload.State.FETCHING, source_url=url)
    with transaction.atomic():
        upload.save(force_insert=True)
        enqueue_on_commit("fetch_upload", upload.upload_id)
    return upload


def fetch(upload_id: str, task_id: str, *, retry_seconds: int) -> None:
    """Fetch the file, unless it is there or in another task's hands. Raises TryLater."""
    if not Upload.objects.claim_fetch(upload_id, task_id):
        log.info("upload_not_free", upload_id=upload_id)
        return
    upload = Upload.objects.select_related("user").get(pk=upload_id)
    try:
        size_bytes = _fetched(upload, task_id)
    except (_Unusable, AddressRefused, AnswerTooLarge) as refusal:
        message = _too_large(upload) if isinstance(refusal, AnswerTooLarge) else str(refusal)
        Upload.objects.fail_fetch(upload_id, message)
        log.info("upload_not_fetched", upload_id=upload_id, reason=message)
    except (Unreachable, StorageError) as error:
        if upload.attempts >= MOST_FETCHES:
            Upload.objects.fail_fetch(
                upload_id, f"{error} It was tried {MOST_FETCHES} times. Try again later."
            )
            return
        Upload.objects.release_fetch(upload_id, task_id, wait_seconds=retry_seconds)
        raise TryLater(str(error)) from error
    else:
        if size_bytes is not None and Upload.objects.arrive(upload_id, size_bytes):
            log.info("upload_fetched", upload_id=upload_id, size_bytes=size_bytes)


def resend_lost() -> None:
    """Send anew what nobody fetches, and give up what was begun too often."""
    for upload in Upload.objects.nobody_fetches().order_by("queued_at")[:MOST_AT_ONCE]:
        if upload.attempts >= MOST_FETCHES:
            Upload.objects.fail_fetch(upload.upload_id, "The file could not be fetched. Try again later.")
        elif Upload.objects.resend(upload) and not enqueue("fetch_upload", upload.upload_id):
            return  # the broker is away


def _fetched(upload: Upload, task_id: str) -> int | None:
    """The object's size; None when the upload is no longer this task's."""
    limit_bytes = limits_of(upload.user).upload_max_bytes
    reported_at, received = time.monotonic(), 0
    with (
        scratch_folder() as folder,
        open_url(
            "GET",
            upload.source_url,
            limit_bytes=limit_bytes,
            wait_seconds=30,
            total_seconds=LONGEST_FETCH_SECONDS,
        ) as answer,
    ):
        _must_be_a_file(answer.status)
        path = folder / "fetched"
        with path.open("wb") as file:
            for chunk in answer.chunks:
                file.write(chunk)
                received += len(chunk)
                if time.monotonic() - reported_at > REPORT_EVERY_SECONDS:
                    reported_at = time.monotonic()
                    if not Upload.objects.report_fetch(
                        upload.upload_id, task_id, received, answer.size_bytes
                    ):
                        return None
        if received == 0:
            raise _Unusable("The server sent an empty file.")
        if answer.size_bytes is not None and received < answer.size_bytes:
            raise Unreachable("The connection broke off.")
        object_store().publish(path, upload.key)
    return received


def _must_be_a_file(status: int) -> None:
    if status == HTTPStatus.OK:
        return
    if 300 <= status < 400:
        raise _Unusable("The address leads on to another one. Name that one: redirects are not followed.")
    if status in RETRIED:
        raise Unreachable(f"The server answered {status}.")
    raise _Unusable(
        f"The server answered {status} instead of the file. Open the address in a browser to see why."
    )


def _too_large(upload: Upload) -> str:
    limits = limits_of(upload.user)
    return (
        f"The file has more than the {filesizeformat(limits.upload_max_bytes)} of the {limits.label} tier. "
        "Compress it with bgzip, or split it by chromosome."
    )

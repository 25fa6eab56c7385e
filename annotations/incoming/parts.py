"""Uploads in parts: what broke off goes on where it stopped, for as long as a week.

The contract is that of S3's multipart uploads. The object store gives an address for each part; which parts
have arrived, it knows itself. Each part's size is part of its address, so that no more can come than the tier
allows, and what was put together is measured once more.
"""

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from annotations import uploads
from annotations.incoming.models import Upload
from annotations.limits import limits_of
from annotations.models import new_job_id
from annotations.storage.port import ObjectMissing, Part, PartsRefused, Span, object_store

PART_URL_SECONDS = 3600
KEPT = timedelta(days=7)
MOST_UNFINISHED = 50
MOST_PARTS = 10_000  # S3 takes no more


class TooManyUnfinished(uploads.UploadRefused):
    """The user has to end or give up some first."""


class NotReceiving(uploads.UploadRefused):
    """The upload is over."""


def begin(user: Any, file_name: str, size_bytes: int) -> Upload:
    """A new upload of so many bytes. Raises UploadRefused, OverLimit, TooManyUnfinished, StorageError."""
    if size_bytes == 0:
        raise uploads.UploadRefused(f"{file_name} is empty. Please upload a VCF file that has content.")
    upload = new_upload(user, file_name, size_bytes=size_bytes)
    upload.part_bytes = max(settings.UPLOAD_PART_BYTES, math.ceil(size_bytes / MOST_PARTS))
    upload.store_upload = object_store().begin_parts(upload.key)
    upload.save(force_insert=True)
    return upload


def new_upload(user: Any, file_name: str, *, size_bytes: int | None = None, **fields: Any) -> Upload:
    """An upload that is not saved yet. Raises OverLimit, TooManyUnfinished."""
    if Upload.objects.of(user).unfinished().count() >= MOST_UNFINISHED:
        raise TooManyUnfinished(
            f"You have {MOST_UNFINISHED} uploads that are not finished. Finish or delete some of them first."
        )
    name = uploads.safe_file_name(file_name)
    if size_bytes is not None:
        refuse_too_large(user, name, size_bytes)
    upload_id = new_job_id()
    return Upload(
        upload_id=upload_id,
        user=user,
        file_name=name,
        key=uploads.key_of(user, upload_id, name),
        size_bytes=size_bytes,
        **fields,
    )


def refuse_too_large(user: Any, file_name: str, size_bytes: int) -> None:
    """Raises OverLimit for more bytes than the user's tier allows."""
    limits = limits_of(user)
    if size_bytes > limits.upload_max_bytes:
        raise uploads.OverLimit(
            f"{file_name} has {filesizeformat(size_bytes)}; on the {limits.label} tier a file may have up to "
            f"{filesizeformat(limits.upload_max_bytes)}. Compress it with bgzip, or split it by chromosome."
        )


def spans(upload: Upload) -> list[Span]:
    """The parts that the file is to be sent in."""
    assert upload.size_bytes is not None and upload.part_bytes is not None  # noqa: S101  it is in parts
    starts = range(0, upload.size_bytes, upload.part_bytes)
    return [
        Span(number, start, min(upload.part_bytes, upload.size_bytes - start))
        for number, start in enumerate(starts, start=1)
    ]


def part_urls(upload: Upload, numbers: Iterable[int]) -> list[tuple[Span, str]]:
    """An address for each of these parts. Raises NotReceiving, and UploadRefused for an unknown part."""
    _must_receive(upload)
    by_number = {span.number: span for span in spans(upload)}
    store, urls = object_store(), []
    for number in numbers:
        if (span := by_number.get(number)) is None:
            raise uploads.UploadRefused(
                f"The file has the parts 1 to {len(by_number)}, and no part {number}."
            )
        url = store.part_url(upload.key, upload.store_upload, span, expires_seconds=PART_URL_SECONDS)
        urls.append((span, url))
    return urls


def arrived_parts(upload: Upload) -> list[Part]:
    """The parts that are there. Raises StorageError."""
    if not upload.is_in_parts or upload.state != Upload.State.RECEIVING:
        return []
    try:
        return object_store().parts(upload.key, upload.store_upload)
    except ObjectMissing:
        return []


def complete(upload: Upload, etags: dict[int, str] | None = None) -> Upload:
    """Put the parts together. `etags`: those that the sender was given, to make sure that it is their file.

    Doing it again changes nothing. Raises NotReceiving, UploadRefused, OverLimit, StorageError.
    """
    if upload.state == Upload.State.READY:
        return upload
    _must_receive(upload)
    store = object_store()
    try:
        parts = store.parts(upload.key, upload.store_upload)
        _refuse_gaps(upload, parts, etags)
        store.complete_parts(upload.key, upload.store_upload, parts)
    except PartsRefused as refusal:
        raise uploads.UploadRefused(f"{refusal} Send what is missing, then complete again.") from None
    except ObjectMissing:
        pass  # another completed it meanwhile, or nobody did: `arrived` looks
    arrived = uploads.arrived(upload.user, upload.key)
    Upload.objects.arrive(upload.upload_id, arrived.size_bytes)
    upload.refresh_from_db()
    return upload


def abort(upload: Upload) -> None:
    """Forget the upload, and what has arrived of it. Raises StorageError."""
    store = object_store()
    if upload.is_in_parts and upload.state == Upload.State.RECEIVING:
        store.abort_parts(upload.key, upload.store_upload)
    elif uploads.job_of(upload.user, upload.key) is None:
        store.delete(upload.key)
    upload.delete()


def forget_old(most: int = 200) -> None:
    """Uploads that nobody goes on with. Raises StorageError."""
    for upload in Upload.objects.filter(created_at__lt=timezone.now() - KEPT).order_by("created_at")[:most]:
        abort(upload)


def settle(upload: Upload) -> Upload:
    """An upload by a form is ready as soon as its file is there. Raises UploadRefused."""
    if upload.state == Upload.State.RECEIVING and not upload.is_in_parts:
        arrived = uploads.arrived(upload.user, upload.key)
        Upload.objects.arrive(upload.upload_id, arrived.size_bytes)
        upload.refresh_from_db()
    return upload


def _refuse_gaps(upload: Upload, parts: list[Part], etags: dict[int, str] | None) -> None:
    there = {part.number: part for part in parts}
    missing = [
        span.number
        for span in spans(upload)
        if span.number not in there or there[span.number].size_bytes != span.size_bytes
    ]
    if missing:
        raise PartsRefused(f"Parts are missing: {_short(missing)}.")
    if etags is not None:
        wrong = [
            number for number, part in there.items() if _plain(etags.get(number, "")) != _plain(part.etag)
        ]
        if wrong:
            raise PartsRefused(f"Other bytes have arrived than the named ETags say: {_short(wrong)}.")


def _must_receive(upload: Upload) -> None:
    if not upload.is_in_parts:
        raise NotReceiving("This upload does not come in parts.")
    if upload.state != Upload.State.RECEIVING:
        raise NotReceiving(f"The upload is {upload.state}, and takes no more parts.")


def _plain(etag: str) -> str:
    return etag.strip('"').lower()


def _short(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    return shown + (f" and {len(numbers) - 10} more" if len(numbers) > 10 else "")

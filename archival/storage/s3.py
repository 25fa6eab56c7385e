"""Cold storage in an S3 bucket of its own, in one of the Glacier storage classes.

Archives are uploaded straight into their class: no lifecycle rule could do that within minutes. Each part of
an upload bears its SHA-256, which S3 compares with what arrived.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from typing import Any, BinaryIO

from botocore.exceptions import ClientError
from django.conf import settings
from django.utils import timezone

from archival.storage import port
from archival.storage.aws import (
    RETRIEVED_KEPT_DAYS,
    TYPICAL,
    client,
    code_of,
    in_ranges,
    translated,
    whole_range,
)

SUFFIX = ".tar"
PART_BYTES = 5 * 1024 * 1024  # the smallest that S3 takes
READ_BYTES = 2 * 1024 * 1024  # at a time
MOST_PARTS = 10_000  # of one upload, in S3
NO_THAW_NEEDED = "at hand"  # the ticket for classes that can be read at any time

MISSING = {"NoSuchKey": port.ArchiveMissing, "404": port.ArchiveMissing, "NotFound": port.ArchiveMissing}
READING = MISSING | {"InvalidObjectState": port.NotThawed, "403": port.NotThawed}
ASKING = MISSING | {"GlacierExpeditedRetrievalNotAvailable": port.CapacityUnavailable}
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
ASKED_ALREADY = "RestoreAlreadyInProgress"
_RESTORE = re.compile(r'ongoing-request="(?P<ongoing>true|false)"(?:,\s*expiry-date="(?P<expires>[^"]+)")?')


class _Gone(Exception):
    """What was to be ended has ended."""


class S3Archive:
    """Implements `port.ColdStorage`. A ref is the object's key."""

    def __init__(self, part_bytes: int = PART_BYTES) -> None:
        self._bucket: str = settings.ARCHIVE_BUCKET
        self._storage_class: str = settings.ARCHIVE_STORAGE_CLASS
        self._part_bytes = part_bytes

    @cached_property
    def _s3(self) -> Any:
        return client("s3", attempts=4)

    @cached_property
    def _s3_once(self) -> Any:
        """botocore would try the 503 of an expedited request that can't be had again and again."""
        return client("s3", attempts=1)

    def archive(self, content: BinaryIO, size_bytes: int, token: str) -> str:
        key = token + SUFFIX
        as_wanted = {"StorageClass": self._storage_class, "ChecksumAlgorithm": "SHA256"}
        with translated(key, {}):
            if size_bytes <= self._part_bytes:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=content.read(), **as_wanted)
            else:
                upload = self._s3.create_multipart_upload(Bucket=self._bucket, Key=key, **as_wanted)
                self._send_parts(content, self._bytes_of_a_part(size_bytes), key, upload["UploadId"])
            stored_bytes = self._head(key)["ContentLength"]
        if stored_bytes != size_bytes:
            raise port.ColdStorageError(
                f"{key}: {size_bytes} bytes were announced, {stored_bytes} were stored."
            )
        return key

    def request_thaw(self, ref: str, option: port.RetrievalOption, token: str) -> port.Retrieval:
        if self._storage_class not in TYPICAL:  # GLACIER_IR, and those that are not cold
            return port.Retrieval(NO_THAW_NEEDED, timezone.now())
        typical = TYPICAL[self._storage_class].get(option)
        if typical is None:
            raise port.CapacityUnavailable(f"{self._storage_class} has no {option} retrievals.")
        s3 = self._s3_once if option is port.RetrievalOption.EXPEDITED else self._s3
        with translated(ref, ASKING):
            try:
                s3.restore_object(
                    Bucket=self._bucket,
                    Key=ref,
                    RestoreRequest={
                        "Days": RETRIEVED_KEPT_DAYS,
                        "GlacierJobParameters": {"Tier": option.value},
                    },
                )
            except ClientError as error:
                if code_of(error) != ASKED_ALREADY:
                    raise
        # S3 gives a retrieval no name: its key is name enough.
        return port.Retrieval(f"{option.value} {timezone.now():%Y-%m-%dT%H:%M:%SZ}", timezone.now() + typical)

    def poll(self, ref: str, ticket: str) -> port.Progress:
        with translated(ref, MISSING):
            return _progress(self._head(ref))

    def restore(self, ref: str, ticket: str) -> Iterator[port.Block]:
        with translated(ref, MISSING):
            head = self._head(ref)
        if _progress(head) is not port.Progress.READY:
            raise port.NotThawed(ref)

        def read(first: int, last: int) -> port.Block:
            with translated(ref, READING):
                answer = self._s3.get_object(
                    Bucket=self._bucket, Key=ref, Range=f"bytes={first}-{last}", IfMatch=head["ETag"]
                )
                return whole_range(answer["Body"], first, last)

        yield from in_ranges(head["ContentLength"], READ_BYTES, read)

    def delete(self, ref: str) -> None:
        with translated(ref, {}):
            self._s3.delete_object(Bucket=self._bucket, Key=ref)

    def inventory(self) -> port.Inventory:
        return port.Inventory(timezone.now(), self._stored())

    def abandoned(self, older_than: timedelta) -> Iterator[port.Abandoned]:
        """S3 keeps the parts of uploads that nobody has finished, and has them paid for."""
        with translated(self._bucket, {}):
            for page in self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket):
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < timezone.now() - older_than:
                        end = partial(self._end, upload["Key"], upload["UploadId"])
                        yield port.Abandoned(upload["Key"].removesuffix(SUFFIX), end)

    def _end(self, key: str, upload_id: str) -> None:
        with suppress(_Gone), translated(key, {"NoSuchUpload": _Gone}):
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)

    def _stored(self) -> Iterator[port.StoredArchive]:
        with translated(self._bucket, {}):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
                for entry in page.get("Contents", ()):
                    yield port.StoredArchive(entry["Key"], entry["Key"].removesuffix(SUFFIX))

    def _head(self, key: str) -> Any:
        return self._s3.head_object(Bucket=self._bucket, Key=key)

    def _send_parts(self, content: BinaryIO, part_bytes: int, key: str, upload_id: str) -> None:
        """One after the other: boto3's own uploads keep several parts in memory, and a record of each."""
        upload = {"Bucket": self._bucket, "Key": key, "UploadId": upload_id}
        try:
            parts: list[dict[str, Any]] = []
            while part := self._send_part(content, part_bytes, upload | {"PartNumber": len(parts) + 1}):
                parts.append(part)
            self._s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        except BaseException:
            self._end(key, upload_id)
            raise

    def _send_part(self, content: BinaryIO, part_bytes: int, where: dict[str, Any]) -> dict[str, Any] | None:
        """What S3 wants to be told of the part at the end; None when there is nothing left to send."""
        if not (body := content.read(part_bytes)):
            return None
        answer = self._s3.upload_part(**where, Body=body, ChecksumAlgorithm="SHA256")
        told = {name: answer[name] for name in ("ETag", "ChecksumSHA256") if name in answer}
        return told | {"PartNumber": where["PartNumber"]}

    def _bytes_of_a_part(self, size_bytes: int) -> int:
        return max(self._part_bytes, -(-size_bytes // MOST_PARTS))


def _progress(head: Mapping[str, Any]) -> port.Progress:
    if head.get("StorageClass", "STANDARD") not in TYPICAL:
        return port.Progress.READY
    match = _RESTORE.search(head.get("Restore", ""))
    if match is None:
        return port.Progress.EXPIRED
    if match["ongoing"] == "true":
        return port.Progress.PENDING
    expired = match["expires"] and parsedate_to_datetime(match["expires"]) <= datetime.now(UTC)
    return port.Progress.EXPIRED if expired else port.Progress.READY

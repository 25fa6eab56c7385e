"""Cold storage in a Glacier vault, for accounts that have one: since 2025-12-15 new customers get none.

An archive's id is made by the vault. What the archive is, its description says: the token it was made with.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, BinaryIO

from django.conf import settings
from django.utils import timezone

from archival.storage import port
from archival.storage.aws import TYPICAL, client, in_ranges, translated, whole_range
from archival.storage.tree_hash import leaves, root

MEBIBYTE = 1024 * 1024
# Powers of two of MiB, so that tree hashes fit: parts of an upload, ranges of an output.
PART_BYTES = 4 * MEBIBYTE
READ_BYTES = 2 * MEBIBYTE
MOST_PARTS = 10_000
INVENTORY_HOURS = 5

# https://docs.aws.amazon.com/amazonglacier/latest/dev/api-error-responses.html
ASKING = {
    "InsufficientCapacityException": port.CapacityUnavailable,
    "ResourceNotFoundException": port.ArchiveMissing,
}
READING = {"ResourceNotFoundException": port.NotThawed, "InvalidParameterValueException": port.NotThawed}


class _Gone(Exception):
    """What was asked for by its id is not there."""


class GlacierVault:
    """Implements `port.ColdStorage`. A ref is the archive's id, a ticket the retrieval job's."""

    def __init__(self, part_bytes: int = PART_BYTES, vault_client: Any = None) -> None:
        self._vault: dict[str, str] = {"accountId": "-", "vaultName": settings.GLACIER_VAULT}
        self._topic: str = settings.GLACIER_TOPIC
        self._part_bytes = part_bytes
        self._given_client = vault_client

    @cached_property
    def _glacier(self) -> Any:
        return self._given_client or client("glacier", attempts=4)

    @cached_property
    def _glacier_once(self) -> Any:
        """botocore would try an expedited request that can't be had again and again."""
        return self._given_client or client("glacier", attempts=1)

    def archive(self, content: BinaryIO, size_bytes: int, token: str) -> str:
        with translated(token, {}):
            if size_bytes <= self._part_bytes:
                return self._upload(content, size_bytes, token)
            return self._upload_in_parts(content, size_bytes, token)

    def request_thaw(self, ref: str, option: port.RetrievalOption, token: str) -> port.Retrieval:
        if (running := self._running_retrieval(ref)) is not None:
            return running
        glacier = self._glacier_once if option is port.RetrievalOption.EXPEDITED else self._glacier
        wanted = {
            "Type": "archive-retrieval",
            "ArchiveId": ref,
            "Tier": option.value,
            "Description": token,
            **({"SNSTopic": self._topic} if self._topic else {}),
        }
        with translated(ref, ASKING):
            answer = glacier.initiate_job(**self._vault, jobParameters=wanted)
        return port.Retrieval(answer["jobId"], timezone.now() + TYPICAL["GLACIER"][option])

    def poll(self, ref: str, ticket: str) -> port.Progress:
        try:
            with translated(ref, {"ResourceNotFoundException": _Gone}):
                job = self._glacier.describe_job(**self._vault, jobId=ticket)
        except _Gone:
            return port.Progress.EXPIRED  # the vault forgets a retrieval about a day after it is ready
        if not job["Completed"]:
            return port.Progress.PENDING
        return port.Progress.READY if job["StatusCode"] == "Succeeded" else port.Progress.EXPIRED

    def restore(self, ref: str, ticket: str) -> Iterator[port.Block]:
        if self.poll(ref, ticket) is not port.Progress.READY:
            raise port.NotThawed(ref)
        with translated(ref, READING):
            job = self._glacier.describe_job(**self._vault, jobId=ticket)

        def read(first: int, last: int) -> port.Block:
            with translated(ref, READING):
                answer = self._glacier.get_job_output(
                    **self._vault, jobId=ticket, range=f"bytes={first}-{last}"
                )
                body = whole_range(answer["body"], first, last)
            # Sent with ranges that begin and end where the tree does, as ours do.
            if (wanted := answer.get("checksum")) and root(leaves(body)) != wanted:
                raise port.ColdStorageError(f"{ref}: bytes {first} to {last} came with another checksum.")
            return body

        yield from in_ranges(job["ArchiveSizeInBytes"], READ_BYTES, read)

    def delete(self, ref: str) -> None:
        with suppress(_Gone), translated(ref, {"ResourceNotFoundException": _Gone}):
            self._glacier.delete_archive(**self._vault, archiveId=ref)

    def inventory(self) -> port.Inventory:
        """From the newest inventory retrieval; when there is none, it is asked for, which takes hours."""
        jobs = [job for job in self._jobs() if job["Action"] == "InventoryRetrieval"]
        ready = [job for job in jobs if job["Completed"] and job["StatusCode"] == "Succeeded"]
        if ready:
            newest = max(ready, key=lambda job: job["CreationDate"])
            with translated(newest["JobId"], {}):
                answer = self._glacier.get_job_output(**self._vault, jobId=newest["JobId"])
                listed = json.loads(answer["body"].read())
            archives = [
                port.StoredArchive(entry["ArchiveId"], entry["ArchiveDescription"])
                for entry in listed["ArchiveList"]
            ]
            return port.Inventory(_date(listed.get("InventoryDate") or newest["CreationDate"]), archives)
        if not jobs:
            with translated("inventory", {}):
                self._glacier.initiate_job(**self._vault, jobParameters={"Type": "inventory-retrieval"})
        raise port.InventoryNotReady(
            f"The vault is making its inventory, which takes up to {INVENTORY_HOURS} hours. Ask again then."
        )

    def abandoned(self, older_than: timedelta) -> Iterator[port.Abandoned]:
        """The vault itself ends uploads on which nothing has happened for a day, sooner or later."""
        with translated("unfinished uploads", {}):
            for page in self._glacier.get_paginator("list_multipart_uploads").paginate(**self._vault):
                for upload in page["UploadsList"]:
                    if _date(upload["CreationDate"]) < timezone.now() - older_than:
                        end = partial(self._end, upload["MultipartUploadId"])
                        yield port.Abandoned(upload["ArchiveDescription"], end)

    def _end(self, upload_id: str) -> None:
        with suppress(_Gone), translated(upload_id, {"ResourceNotFoundException": _Gone}):
            self._glacier.abort_multipart_upload(**self._vault, uploadId=upload_id)

    def _upload(self, content: BinaryIO, size_bytes: int, token: str) -> str:
        body = content.read()
        _check_size(token, len(body), size_bytes)
        answer = self._glacier.upload_archive(
            **self._vault, archiveDescription=token, checksum=root(leaves(body)), body=body
        )
        ref: str = answer["archiveId"]
        return ref

    def _upload_in_parts(self, content: BinaryIO, size_bytes: int, token: str) -> str:
        part_bytes = self._part_bytes
        while part_bytes * MOST_PARTS < size_bytes:
            part_bytes *= 2
        upload_id = self._glacier.initiate_multipart_upload(
            **self._vault, archiveDescription=token, partSize=str(part_bytes)
        )["uploadId"]
        try:
            tree, sent = self._send_parts(content, upload_id, part_bytes)
            _check_size(token, sent, size_bytes)
            ref: str = self._glacier.complete_multipart_upload(
                **self._vault, uploadId=upload_id, archiveSize=str(size_bytes), checksum=root(tree)
            )["archiveId"]
        except BaseException:
            self._end(upload_id)
            raise
        return ref

    def _send_parts(self, content: BinaryIO, upload_id: str, part_bytes: int) -> tuple[list[bytes], int]:
        tree: list[bytes] = []
        sent = 0
        while part := content.read(part_bytes):
            hashes = leaves(part)
            self._glacier.upload_multipart_part(
                **self._vault,
                uploadId=upload_id,
                range=f"bytes {sent}-{sent + len(part) - 1}/*",
                checksum=root(hashes),
                body=part,
            )
            tree += hashes
            sent += len(part)
        return tree, sent

    def _running_retrieval(self, ref: str) -> port.Retrieval | None:
        """A retrieval of the archive that was asked for before, perhaps by a process that did not live on."""
        for job in self._jobs():
            if job.get("ArchiveId") == ref and job["StatusCode"] != "Failed":
                option = port.RetrievalOption(job.get("Tier") or port.RetrievalOption.STANDARD)
                return port.Retrieval(job["JobId"], _date(job["CreationDate"]) + TYPICAL["GLACIER"][option])
        return None

    def _jobs(self) -> Iterator[Any]:
        with translated("the vault's jobs", {}):
            for page in self._glacier.get_paginator("list_jobs").paginate(**self._vault):
                yield from page["JobList"]


def _check_size(token: str, found_bytes: int, size_bytes: int) -> None:
    if found_bytes != size_bytes:
        raise port.ColdStorageError(f"{token}: {size_bytes} bytes were announced, {found_bytes} came.")


def _date(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)

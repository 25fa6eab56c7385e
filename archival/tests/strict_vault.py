"""A stand-in for boto3's client of a Glacier vault, with what moto's lacks.

Uploads in parts, the tree hash compared on arrival, output in ranges, the errors of the real API.
It is driven by the adapter's own calls.
"""

import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from archival.storage.tree_hash import LEAF_BYTES, leaves, root


def refusal(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "vault")


@dataclass
class Upload:
    description: str
    part_bytes: int
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class OnePage:
    """What boto3's `get_paginator` gives, of one page."""

    page: Callable[[], Any]

    def paginate(self, **_: Any) -> Iterator[Any]:
        yield self.page()


class StrictVault:
    """`no_capacity` refuses expedited retrievals; a retrieval is ready once `finish` was called."""

    def __init__(self) -> None:
        self.archives: dict[str, bytes] = {}
        self.descriptions: dict[str, str] = {}
        self.uploads: dict[str, Upload] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.no_capacity = False
        self.initiated: list[str] = []
        self._ids = itertools.count(1)

    def finish(self) -> None:
        for job in self.jobs.values():
            job.update(Completed=True, StatusCode="Succeeded")

    def expire(self) -> None:
        self.jobs.clear()

    def upload_archive(self, *, archiveDescription: str, checksum: str, body: bytes, **_: Any) -> Any:
        return {"archiveId": self._keep(archiveDescription, body, checksum)}

    def initiate_multipart_upload(self, *, archiveDescription: str, partSize: str, **_: Any) -> Any:
        mebibytes, rest = divmod(int(partSize), LEAF_BYTES)
        if rest or mebibytes & (mebibytes - 1):
            raise refusal("InvalidParameterValueException")
        upload_id = f"upload-{next(self._ids)}"
        self.uploads[upload_id] = Upload(archiveDescription, int(partSize))
        return {"uploadId": upload_id}

    def upload_multipart_part(
        self,
        *,
        uploadId: str,
        range: str,
        checksum: str,
        body: bytes,
        **_: Any,
    ) -> Any:
        first, last = (int(part) for part in range.removeprefix("bytes ").removesuffix("/*").split("-"))
        upload = self.uploads[uploadId]
        fits = last - first + 1 == len(body) <= upload.part_bytes and first % upload.part_bytes == 0
        if not fits or root(leaves(body)) != checksum:
            raise refusal("InvalidParameterValueException")
        upload.parts[first] = body
        return {"checksum": checksum}

    def complete_multipart_upload(
        self,
        *,
        uploadId: str,
        archiveSize: str,
        checksum: str,
        **_: Any,
    ) -> Any:
        upload = self.uploads.pop(uploadId)
        body = b"".join(upload.parts[first] for first in sorted(upload.parts))
        if len(body) != int(archiveSize):
            raise refusal("InvalidParameterValueException")
        return {"archiveId": self._keep(upload.description, body, checksum)}

    def abort_multipart_upload(self, *, uploadId: str, **_: Any) -> None:
        self.uploads.pop(uploadId, None)

    def initiate_job(self, *, jobParameters: dict[str, str], **_: Any) -> Any:
        if jobParameters["Type"] == "inventory-retrieval":
            return {"jobId": self._job("InventoryRetrieval", {})}
        ref, tier = jobParameters["ArchiveId"], jobParameters["Tier"]
        self.initiated.append(tier)
        if ref not in self.archives:
            raise refusal("ResourceNotFoundException", 404)
        if self.no_capacity and tier == "Expedited":
            raise refusal("InsufficientCapacityException", 503)
        facts = {"ArchiveId": ref, "Tier": tier, "ArchiveSizeInBytes": len(self.archives[ref])}
        facts["JobDescription"] = jobParameters["Description"]
        return {"jobId": self._job("ArchiveRetrieval", facts)}

    def describe_job(self, *, jobId: str, **_: Any) -> Any:
        if jobId not in self.jobs:
            raise refusal("ResourceNotFoundException", 404)
        return self.jobs[jobId]

    def get_job_output(self, *, jobId: str, range: str = "", **_: Any) -> Any:
        job = self.describe_job(jobId=jobId)
        if not job["Completed"]:
            raise refusal("ResourceNotFoundException", 404)
        if job["Action"] == "InventoryRetrieval":
            listed = [
                {"ArchiveId": ref, "ArchiveDescription": text} for ref, text in self.descriptions.items()
            ]
            body = json.dumps({"InventoryDate": "2026-01-02T03:04:05Z", "ArchiveList": listed}).encode()
            return {"body": io.BytesIO(body)}
        first, last = (int(part) for part in range.removeprefix("bytes=").split("-"))
        part = self.archives[job["ArchiveId"]][first : last + 1]
        return {"body": io.BytesIO(part), "checksum": root(leaves(part))}

    def delete_archive(self, *, archiveId: str, **_: Any) -> None:
        if self.archives.pop(archiveId, None) is None:
            raise refusal("ResourceNotFoundException", 404)
        del self.descriptions[archiveId]

    def get_paginator(self, operation: str) -> Any:
        pages: dict[str, Any] = {
            "list_jobs": lambda: {"JobList": list(self.jobs.values())},
            "list_multipart_uploads": lambda: {
                "UploadsList": [
                    {
                        "MultipartUploadId": upload_id,
                        "ArchiveDescription": upload.description,
                        "CreationDate": "2026-01-02T03:04:05.000Z",
                    }
                    for upload_id, upload in self.uploads.items()
                ]
            },
        }
        return OnePage(pages[operation])

    def _keep(self, description: str, body: bytes, checksum: str) -> str:
        if root(leaves(body)) != checksum:
            raise refusal("InvalidParameterValueException")
        ref = f"archive-{next(self._ids)}"
        self.archives[ref], self.descriptions[ref] = body, description
        return ref

    def _job(self, action: str, facts: dict[str, Any]) -> str:
        job_id = f"job-{next(self._ids)}"
        self.jobs[job_id] = facts | {
            "JobId": job_id,
            "Action": action,
            "Completed": False,
            "StatusCode": "InProgress",
            "CreationDate": "2026-01-02T03:04:05Z",
        }
        return job_id

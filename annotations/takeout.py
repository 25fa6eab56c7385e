"""All that a user has here, as one archive that is made while it is sent."""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from annotations.api.models import Token
from annotations.incoming.models import Upload
from annotations.models import Job
from annotations.results.files import files_of
from annotations.sharing.models import ShareLink
from annotations.storage import ObjectMissing, object_store
from annotations.webhooks.models import Delivery, Webhook

BLOCK_BYTES = 256 * 1024
# How the service does its work is no data of the user's.
INTERNAL = {"user_id", "claimed_by", "lease_expires_at", "attempts", "queued_at", "scatter_id", "shard_count"}


class _Sink(io.RawIOBase):
    """What `zipfile` writes to; `take` gives what has come since the last time."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._blocks.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._blocks = b"".join(self._blocks), []
        return taken


def belongings(user: Any) -> dict[str, Any]:
    """What there is of the user's besides jobs; never the secrets, of which mostly only hashes are kept."""
    of_user = {"user_id": user.pk}
    return {
        "tokens": _rows(
            Token, ("name", "hint", "scopes", "created_at", "expires_at", "last_used_at"), of_user
        ),
        "uploads": _rows(
            Upload, ("file_name", "state", "size_bytes", "source_url", "failure", "created_at"), of_user
        ),
        "webhooks": [
            {
                **_values(webhook, ("url", "is_active", "created_at", "failing_since", "disabled_reason")),
                "messages": _rows(
                    Delivery,
                    ("event", "job_id", "state", "created_at", "attempts", "status", "outcome"),
                    {"webhook": webhook},
                ),
            }
            for webhook in Webhook.objects.of(user)
        ],
        "links": _rows(
            ShareLink, ("job_id", "note", "created_at", "expires_at", "revoked_at", "opened_at"), of_user
        ),
    }


def _rows(model: Any, fields: Sequence[str], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    return [_values(one, fields) for one in model.objects.filter(**wanted)]


def _values(one: Any, fields: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in fields}


def stream(user: Any, about: dict[str, Any]) -> Iterator[bytes]:
    """A ZIP file, in blocks: `about` as account.json, jobs.json, and a folder of files for each job.

    The files are stored as they are: nearly all of them are compressed already. One that has gone meanwhile
    is left out.
    """
    jobs = list(Job.objects.of(user))
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("account.json", _as_json(about))
        archive.writestr("jobs.json", _as_json([_described(job) for job in jobs]))
        for job in jobs:
            inputs = [(job.input_key, f"input/{job.input_file_name.rsplit('/', 1)[-1]}")]
            for key, name in inputs + [(file.key, file.name) for file in files_of(job)]:
                yield from _added(archive, sink, key, f"{job.job_id}/{name}")
    yield sink.take()


def _added(archive: zipfile.ZipFile, sink: _Sink, key: str, name: str) -> Iterator[bytes]:
    try:
        source = object_store().open(key)
    except ObjectMissing:
        return
    with source as file, archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target:
        while block := file.read(BLOCK_BYTES):
            target.write(block)
            yield sink.take()


def _described(job: Job) -> dict[str, Any]:
    fields = [field.attname for field in job._meta.concrete_fields if field.attname not in INTERNAL]
    return {name: getattr(job, name) for name in fields}


def _as_json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, indent=1)

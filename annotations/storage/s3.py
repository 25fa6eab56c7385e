"""Object storage in two S3 buckets: uploads in one, all that the service makes in the other.

Browsers and scripts send and fetch files themselves, by addresses that this process signs; boto3 signs them
without asking AWS.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage

from annotations.storage.port import ObjectMissing, Part, Span, StorageError, UploadForm
from annotations.storage.s3_parts import S3Parts

CLIENT = Config(
    signature_version="s3v4",  # the older one has no regions, and newer buckets refuse it
    s3={"addressing_style": "virtual"},  # else addresses outside of us-east-1 are redirected at first
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
)
# boto3 would take ten threads, each of which costs 3 MB of memory; four fill a host's line.
UPLOAD = TransferConfig(max_concurrency=4)
ENCRYPTION = {"ServerSideEncryption": "AES256"}
ENCRYPTION_FIELD = {"x-amz-server-side-encryption": "AES256"}
MISSING = {"NoSuchKey", "404", "NotFound"}
KEY_MAX_BYTES = 1024
_UPLOAD = re.compile(r"[^/]+/[^/]*~[^/]*")  # USER/JOB~NAME, as `annotations.uploads` names them


class S3ObjectStore:
    """Implements `port.ObjectStore`."""

    def __init__(self) -> None:
        self._inputs = S3Storage(bucket_name=settings.INPUTS_BUCKET, client_config=CLIENT)
        self._results = S3Storage(bucket_name=settings.RESULTS_BUCKET, client_config=CLIENT)

    def upload_form(
        self, key: str, *, max_bytes: int, redirect_url: str | None, expires_seconds: int
    ) -> UploadForm:
        """What the policy does not name, S3 refuses; a key with `${filename}` it lets end in any name."""
        fields = dict(ENCRYPTION_FIELD)
        if redirect_url is not None:
            fields["success_action_redirect"] = redirect_url
        conditions: list[Any] = [{name: value} for name, value in fields.items()]
        conditions.append(["content-length-range", 0, max_bytes])
        bucket = self._bucket(key)
        form = bucket.meta.client.generate_presigned_post(
            bucket.name, key, Fields=fields, Conditions=conditions, ExpiresIn=expires_seconds
        )
        return UploadForm(form["url"], form["fields"])

    def download_url(self, key: str, *, file_name: str, expires_seconds: int) -> str:
        bucket = self._bucket(key)
        parameters = {
            "Bucket": bucket.name,
            "Key": key,
            "ResponseContentDisposition": content_disposition_header(True, file_name) or "attachment",
            "ResponseContentType": "application/octet-stream",
        }
        return str(
            bucket.meta.client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=expires_seconds
            )
        )

    @cached_property
    def origins(self) -> tuple[str, ...]:
        """Those of the buckets: pages send files there."""
        urls = (urlsplit(self.download_url(key, file_name="x", expires_seconds=1)) for key in ("x/x~x", "x"))
        return tuple(dict.fromkeys(f"{url.scheme}://{url.netloc}" for url in urls))

    def size_bytes(self, key: str) -> int:
        with _translated(key):
            return int(self._bucket(key).Object(key).content_length)

    def modified_at(self, key: str) -> datetime:
        with _translated(key):
            return cast(datetime, self._bucket(key).Object(key).last_modified)

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        with _translated(key):
            body = self._bucket(key).Object(key).get()["Body"]
        return _reading(key, body)

    def fetch(self, key: str, path: Path) -> None:
        with _translated(key):
            self._bucket(key).download_file(key, str(path))

    def local_path(self, key: str) -> Path | None:
        self.size_bytes(key)
        return None

    def local_root(self) -> Path | None:
        return None

    def publish(self, path: Path, key: str) -> None:
        with _translated(key):
            self._bucket(key).upload_file(str(path), key, ExtraArgs=ENCRYPTION, Config=UPLOAD)

    def copy(self, key: str, to_key: str) -> None:
        source = {"Bucket": self._bucket(key).name, "Key": key}
        with _translated(key):
            self._bucket(to_key).copy(source, to_key, ExtraArgs=ENCRYPTION)

    def delete(self, key: str) -> None:
        with _translated(key):
            self._bucket(key).Object(key).delete()

    def keys(self, prefix: str) -> Iterator[str]:
        # Uploads lie directly below their user, so a longer prefix leads to none of them.
        for storage in (self._results,) if prefix.count("/") > 1 else (self._inputs, self._results):
            with _translated(prefix):
                for entry in storage.bucket.objects.filter(Prefix=prefix):
                    yield str(entry.key)

    def begin_parts(self, key: str) -> str:
        return self._parts(key).begin_parts(key)

    def part_url(self, key: str, upload: str, span: Span, *, expires_seconds: int) -> str:
        return self._parts(key).part_url(key, upload, span, expires_seconds=expires_seconds)

    def parts(self, key: str, upload: str) -> list[Part]:
        return self._parts(key).parts(key, upload)

    def complete_parts(self, key: str, upload: str, parts: list[Part]) -> None:
        self._parts(key).complete_parts(key, upload, parts)

    def abort_parts(self, key: str, upload: str) -> None:
        self._parts(key).abort_parts(key, upload)

    def _parts(self, key: str) -> S3Parts:
        bucket = self._bucket(key)
        return S3Parts(bucket.meta.client, bucket.name)

    def _bucket(self, key: str) -> Any:
        """Raises SuspiciousFileOperation for what can be no key."""
        if not key or "\0" in key or len(key.encode()) > KEY_MAX_BYTES:
            raise SuspiciousFileOperation(f"{key!r} is no object key.")
        return (self._inputs if _UPLOAD.fullmatch(key) else self._results).bucket


@contextmanager
def _reading(key: str, body: Any) -> Iterator[BinaryIO]:
    """A body that breaks off in the midst of it is the storage's fault, too."""
    with _translated(key):
        try:
            yield cast(BinaryIO, body)
        finally:
            body.close()


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in MISSING:
            raise ObjectMissing(key) from None
        raise StorageError(f"{key}: {error}") from error
    except (BotoCoreError, Boto3Error, OSError) as error:
        raise StorageError(f"{key}: {error}") from error

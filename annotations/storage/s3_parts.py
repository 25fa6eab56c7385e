"""Objects that come to S3 in parts: multipart uploads, whose parts go to presigned addresses."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from annotations.storage.port import ObjectMissing, Part, PartsRefused, Span, StorageError

_WRONG_PARTS = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"}


class S3Parts:
    """The part of the port `ObjectStore` that is about parts, for one bucket.

    The client has to sign with `s3v4`: older signatures leave the length out.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def begin_parts(self, key: str) -> str:
        answer = self._call("create_multipart_upload", Key=key, ContentType="application/octet-stream")
        return str(answer["UploadId"])

    def part_url(self, key: str, upload: str, span: Span, *, expires_seconds: int) -> str:
        url: str = self._client.generate_presigned_url(
            "upload_part",
            # The length is signed, too: S3 takes no other.
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "UploadId": upload,
                "PartNumber": span.number,
                "ContentLength": span.size_bytes,
            },
            ExpiresIn=expires_seconds,
        )
        return url

    def parts(self, key: str, upload: str) -> list[Part]:
        found: list[Part] = []
        marker = 0
        while True:
            answer = self._call("list_parts", Key=key, UploadId=upload, PartNumberMarker=marker)
            found += [
                Part(part["PartNumber"], part["Size"], part["ETag"]) for part in answer.get("Parts", ())
            ]
            if not answer.get("IsTruncated"):
                return found
            marker = answer["NextPartNumberMarker"]

    def complete_parts(self, key: str, upload: str, parts: list[Part]) -> None:
        named = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        self._call("complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload={"Parts": named})

    def abort_parts(self, key: str, upload: str) -> None:
        try:
            self._call("abort_multipart_upload", Key=key, UploadId=upload)
        except ObjectMissing:
            return

    def _call(self, verb: str, **options: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, verb)(Bucket=self._bucket, **options)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "NoSuchUpload":
                raise ObjectMissing(options["Key"]) from error
            if code in _WRONG_PARTS:
                raise PartsRefused("The parts that arrived are not those that are named.") from error
            raise StorageError(f"{verb}: {code}") from error
        except BotoCoreError as error:
            raise StorageError(f"{verb}: {error}") from error
        return answer

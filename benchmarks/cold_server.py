"""A server that speaks enough of S3 and of Glacier vaults to archive files of any size against it.

The emulators hold objects in memory, several times over while parts are joined; this one appends what comes
to a file, and holds clients to the limits of the real thing: parts of at least 5 MiB and at most 5 GiB, at
most 10,000 of them, a checksum with each, no object read before it was asked for. Retrievals are ready at
once.

    python -m benchmarks.cold_server FOLDER

prints the port that it listens on, at 127.0.0.1.
"""

import hashlib
import json
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO, Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from archival.storage.tree_hash import leaves, root

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_LEAST_BYTES = 5 * MEBIBYTE
PUT_MOST_BYTES = 5 * GIBIBYTE
MOST_PARTS = 10_000


class Refused(Exception):
    """What the client did is against the rules of the real service."""


@dataclass
class Stored:
    """An object or archive, or one that is being made: its bytes are the file's."""

    name: str
    path: Path
    parts_bytes: list[int] = field(default_factory=list)
    is_thawed: bool = False

    @property
    def size_bytes(self) -> int:
        return sum(self.parts_bytes)

    def append(self, body: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(body)
        self.parts_bytes.append(len(body))

    def read(self, wanted: str) -> bytes:
        """`wanted`: a Range header."""
        first, last = (int(number) for number in wanted.removeprefix("bytes=").split("-"))
        with self.path.open("rb") as file:
            file.seek(first)
            return file.read(last - first + 1)


class Shelves:
    """What is stored, by key or id, and what is being uploaded."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._ids = folder, count(1)
        self.stored: dict[str, Stored] = {}
        self.uploads: dict[str, Stored] = {}
        self.retrievals: dict[str, str] = {}

    def new_id(self) -> str:
        return f"id-{next(self._ids)}"

    def begin(self, name: str) -> str:
        upload_id = self.new_id()
        self.uploads[upload_id] = Stored(name, self._folder / upload_id)
        return upload_id

    def keep(self, upload_id: str, ref: str) -> Stored:
        self.stored[ref] = self.uploads.pop(upload_id)
        return self.stored[ref]

    def delete(self, ref: str) -> None:
        self.stored.pop(ref).path.unlink()


class Handler(BaseHTTPRequestHandler):
    """Answers both; vaults have a `-` for the account at the beginning of their paths."""

    protocol_version = "HTTP/1.1"
    shelves: Shelves

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""

    def do_PUT(self) -> None:
        self._do()

    do_POST = do_GET = do_HEAD = do_DELETE = do_PUT  # noqa: N815  the names that http.server asks for

    def _do(self) -> None:
        address = urlsplit(self.path)
        self.words = unquote(address.path).strip("/").split("/")
        self.query = {
            name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()
        }
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self._vault() if self.words[0] == "-" else self._s3()
        except (Refused, KeyError) as reason:
            self._answer(400, repr(reason).encode())

    def _s3(self) -> None:
        key = "/".join(self.words[1:])
        match self.command, self.query:
            case "POST", {"uploads": _}:
                upload_id = self.shelves.begin(key)
                self._answer(200, f"<R><UploadId>{upload_id}</UploadId></R>".encode())
            case "PUT", {"partNumber": number, "uploadId": upload_id}:
                self._take_part(self.shelves.uploads[upload_id], int(number))
            case "POST", {"uploadId": upload_id}:
                if any(size < PART_LEAST_BYTES for size in self.shelves.uploads[upload_id].parts_bytes[:-1]):
                    raise Refused("EntityTooSmall")
                self.shelves.keep(upload_id, key)
                self._answer(200, b'<R><ETag>"e"</ETag></R>')
            case "PUT", _:
                upload_id = self.shelves.begin(key)
                self._take_part(self.shelves.uploads[upload_id], 1)
                self.shelves.keep(upload_id, key)
            case "POST", {"restore": _}:
                self.shelves.stored[key].is_thawed = True
                self._answer(202)
            case "HEAD", _:
                self._head(self.shelves.stored[key])
            case "GET", _:
                self._range(self.shelves.stored[key])
            case "DELETE", _:
                self.shelves.delete(key)
                self._answer(204)

    def _take_part(self, upload: Stored, number: int) -> None:
        if number != len(upload.parts_bytes) + 1 or number > MOST_PARTS or len(self.body) > PUT_MOST_BYTES:
            raise Refused("InvalidPart")
        digest = b64encode(hashlib.sha256(self.body).digest()).decode()
        if self.headers["x-amz-checksum-sha256"] != digest:
            raise Refused("BadDigest")
        upload.append(self.body)
        self._answer(200, headers={"ETag": '"e"', "x-amz-checksum-sha256": digest})

    def _head(self, stored: Stored) -> None:
        restore = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2112 00:00:00 GMT"'
        thawed = {"x-amz-restore": restore} if stored.is_thawed else {}
        length = {"Content-Length": str(stored.size_bytes), "ETag": '"e"', "x-amz-storage-class": "GLACIER"}
        self._answer(200, headers=length | thawed)

    def _range(self, stored: Stored) -> None:
        if not stored.is_thawed:
            raise Refused("InvalidObjectState")
        part = stored.read(self.headers["Range"])
        self._answer(206, part, {"ETag": '"e"', "x-amz-sha256-tree-hash": root(leaves(part))})

    def _vault(self) -> None:
        _, _, _, *rest = self.words
        description = self.headers.get("x-amz-archive-description", "")
        match self.command, rest:
            case "POST", ["archives"]:
                upload_id = self.shelves.begin(description)
                self._take_vault_part(self.shelves.uploads[upload_id])
                self._keep_archive(upload_id)
            case "POST", ["multipart-uploads"]:
                self._answer(201, headers={"x-amz-multipart-upload-id": self.shelves.begin(description)})
            case "PUT", ["multipart-uploads", upload_id]:
                self._take_vault_part(self.shelves.uploads[upload_id])
                self._answer(204, headers={"x-amz-sha256-tree-hash": self.headers["x-amz-sha256-tree-hash"]})
            case "POST", ["multipart-uploads", upload_id]:
                if int(self.headers["x-amz-archive-size"]) != self.shelves.uploads[upload_id].size_bytes:
                    raise Refused("InvalidParameterValueException")
                self._keep_archive(upload_id)
            case "GET", ["jobs"]:
                self._answer(200, b'{"JobList": []}')
            case "POST", ["jobs"]:
                retrieval = self.shelves.new_id()
                self.shelves.retrievals[retrieval] = json.loads(self.body)["ArchiveId"]
                self.shelves.stored[self.shelves.retrievals[retrieval]].is_thawed = True
                self._answer(202, headers={"x-amz-job-id": retrieval})
            case "GET", ["jobs", retrieval]:
                stored = self.shelves.stored[self.shelves.retrievals[retrieval]]
                facts = {
                    "Completed": True,
                    "StatusCode": "Succeeded",
                    "ArchiveSizeInBytes": stored.size_bytes,
                }
                self._answer(200, json.dumps(facts).encode())
            case "GET", ["jobs", retrieval, "output"]:
                self._range(self.shelves.stored[self.shelves.retrievals[retrieval]])
            case "DELETE", ["archives", ref]:
                self.shelves.delete(ref)
                self._answer(204)

    def _take_vault_part(self, upload: Stored) -> None:
        if self.headers["x-amz-sha256-tree-hash"] != root(leaves(self.body)):
            raise Refused("InvalidParameterValueException")
        upload.append(self.body)

    def _keep_archive(self, upload_id: str) -> None:
        self.shelves.keep(upload_id, upload_id)
        self._answer(201, headers={"x-amz-archive-id": upload_id})

    def _answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | dict(headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def cold_server(folder: Path) -> Iterator[str]:
    """Its address; it keeps its files in the folder, and runs in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.cold_server", str(folder)]
    with Popen(command, stdout=PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(cast(IO[str], process.stdout).readline())}"
        finally:
            process.kill()


def main() -> None:
    Handler.shelves = Shelves(Path(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

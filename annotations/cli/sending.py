"""From a file on this machine to an upload: in parts, and only those that are not there yet."""

import hashlib
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from annotations.cli.client import Client, PartRefused, Refused
from annotations.cli.errors import CommandError, Stopped
from annotations.cli.memory import Memory

URLS_AT_ONCE = 20
MOST_REFUSALS = 5
Progress = Callable[[int, int], None]


class _Slice(io.RawIOBase):
    """A stretch of a file as a stream; says how much of it was read, and notices Ctrl-C."""

    def __init__(self, path: Path, start: int, size: int, stop: threading.Event, read: Callable[[int], None]):
        self._file = path.open("rb")
        self._file.seek(start)
        self._left = size
        self._size = size
        self._stop, self._read = stop, read

    def __len__(self) -> int:
        return self._size

    def tell(self) -> int:
        return self._size - self._left

    def read(self, size: int = -1) -> bytes:
        if self._stop.is_set():
            raise Stopped
        block = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        self._read(self._size - self._left)
        return block

    def close(self) -> None:
        self._file.close()
        super().close()


def send(  # noqa: PLR0913  what a file needs on its way, each named by the caller
    client: Client, path: Path, name: str, memory: Memory, *, stop: threading.Event, progress: Progress
) -> str:
    """The id of an upload that is READY. Raises CommandError, Stopped."""
    size = path.stat().st_size
    if size == 0:
        raise CommandError(f"{path} is empty.")
    upload = _known(client, memory)
    if upload is None:
        upload = client.post("/uploads", {"file_name": name, "size_bytes": size})
        memory.note(upload_id=upload["id"])
    if upload["state"] == "READY":
        progress(size, size)
        return str(upload["id"])
    missing, refusals = _missing(path, upload), 0
    while missing:
        try:
            _send_parts(client, path, upload, missing[:URLS_AT_ONCE], stop=stop, progress=progress)
        except PartRefused as refusal:
            refusals += 1
            if refusals > MOST_REFUSALS:
                raise CommandError(
                    f"{path} can't be sent: {refusal}. Run the same command again."
                ) from refusal
        else:
            missing = missing[URLS_AT_ONCE:]
    upload = client.get(f"/uploads/{upload['id']}")
    parts = [{"number": part["number"], "etag": part["etag"]} for part in upload["parts"]]
    client.post(f"/uploads/{upload['id']}/complete", {"parts": parts})
    return str(upload["id"])


def _known(client: Client, memory: Memory) -> Any:
    upload_id = memory.recall().get("upload_id")
    if upload_id is None:
        return None
    try:
        upload = client.get(f"/uploads/{upload_id}")
    except Refused as refusal:
        if refusal.status != 404:
            raise
        memory.forget()  # given up, or too old
        return None
    return upload if upload["state"] in {"RECEIVING", "READY"} else None


def _missing(path: Path, upload: Any) -> list[int]:
    """The numbers of the parts that are not there, or are there with other bytes than the file has."""
    there = {part["number"]: part["etag"].strip('"') for part in upload["parts"]}
    size = upload["part_bytes"]
    with path.open("rb") as file:
        return [
            number
            for number in range(1, upload["part_count"] + 1)
            if number not in there or there[number] != _digest(file, (number - 1) * size, size)
        ]


def _digest(file: BinaryIO, start: int, size: int) -> str:
    """The MD5 of a part, which is its ETag."""
    file.seek(start)
    return hashlib.md5(file.read(size), usedforsecurity=False).hexdigest()


def _send_parts(  # noqa: PLR0913  as above
    client: Client, path: Path, upload: Any, numbers: list[int], *, stop: threading.Event, progress: Progress
) -> None:
    urls = client.post(f"/uploads/{upload['id']}/parts", {"numbers": numbers})["items"]
    for part in urls:
        start, size = part["start"], part["size_bytes"]

        def opened(start: int = start, size: int = size) -> BinaryIO:
            def read(sent: int) -> None:
                progress(start + sent, upload["size_bytes"])

            return cast(BinaryIO, _Slice(path, start, size, stop, read))

        client.put_part(part["url"], opened)

"""The checksums that publishers give, in the forms that they give them in.

- `md5`, `sha256`: a sidecar file or a list as md5sum writes it, `<hex>  <name>` (NCBI, EVA)
- `sum`: a list as BSD's sum writes it, `<checksum> <blocks> <name>` (Ensembl's CHECKSUMS)
- `x-goog-hash`: the header of Google's storage, `crc32c=…,md5=<base64>` (gnomAD)
"""

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from annotations.engine.fetching.errors import FetchError

READ_BYTES = 4 << 20
SUM_TIMEOUT_SECONDS = 3600
SUM_BLOCK_BYTES = 1024
_HEX = re.compile(r"^(?:[0-9a-f]{32}|[0-9a-f]{64})$", re.IGNORECASE)
_MD5SUM_LINE = re.compile(r"^\\?([0-9a-f]{32}|[0-9a-f]{64})(?:\s+\*?(.+?))?\s*$", re.IGNORECASE)
_BSD_LINE = re.compile(r"^MD5\s*\((.+)\)\s*=\s*([0-9a-f]{32})$", re.IGNORECASE)
_SUM_LINE = re.compile(r"^(\d{1,5})\s+(\d+)\s+(\S+)$")


@dataclass(frozen=True)
class Checksum:
    """`value` is lower-case hexadecimal for md5 and sha256, `<checksum> <blocks of 1,024 bytes>` for sum."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


def given(text: str) -> Checksum:
    """A checksum written into a recipe: `md5 …` or `sha256 …`, in hexadecimal."""
    kind, _, value = text.partition(" ")
    if {"md5": 32, "sha256": 64}.get(kind) != len(value) or not _HEX.match(value):
        raise FetchError(
            f"{text!r} is no checksum. Expected 'sha256 <64 hex digits>' or 'md5 <32 hex digits>'."
        )
    return Checksum(kind, value.lower())


def listed(content: bytes, name: str, url: str) -> Checksum:
    """The checksum of the file `name` in the list or sidecar file `content`, which stood at `url`.

    Raises FetchError where there is none.
    """
    lines = [line.strip() for line in content.decode("utf-8", "replace").splitlines() if line.strip()]
    for line in lines:
        if found := _of_line(line, name):
            return found
    if len(lines) == 1 and (only := _MD5SUM_LINE.match(lines[0])):
        return _by_length(only[1])  # a sidecar may name the file as it was called before it was published
    raise FetchError(
        f"{url} gives no checksum of {name}. Expected a line with its MD5, SHA-256 or sum; found "
        f"{len(lines)} lines, the first {lines[0][:80] if lines else ''!r}."
    )


def in_goog_header(headers: Mapping[str, str], url: str) -> Checksum:
    """The MD5 in the answer's x-goog-hash. Raises FetchError where there is none."""
    values = {name.lower(): value for name, value in headers.items()}.get("x-goog-hash", "")
    for value in values.split(","):
        kind, _, digest = value.strip().partition("=")
        if kind == "md5":
            return Checksum("md5", base64.b64decode(digest).hex())
    raise FetchError(f"{url}: expected the MD5 in the header x-goog-hash, found {values!r}")


def digest_of(path: Path, kind: str) -> Checksum:
    """The checksum of a file, of the kind md5, sha256 or sum."""
    if kind == "sum":
        return Checksum(kind, bsd_sum(path))
    with path.open("rb") as file:
        return Checksum(kind, hashlib.file_digest(file, lambda: _hasher(kind)).hexdigest())


def bsd_sum(path: Path) -> str:
    """The 16-bit rotating checksum of BSD's sum and its blocks, as `13420 7`.

    Each byte's step needs the one before, so that Python takes a minute a gigabyte: coreutils' sum does it
    where it is installed.
    """
    if tool := shutil.which("sum"):
        with path.open("rb") as file:
            finished = subprocess.run(
                [tool], stdin=file, capture_output=True, timeout=SUM_TIMEOUT_SECONDS, check=True, text=True
            )
        checksum, blocks = finished.stdout.split()[:2]
        return f"{int(checksum)} {int(blocks)}"
    return bsd_sum_in_python(path)


def bsd_sum_in_python(path: Path) -> str:
    """The same as `bsd_sum`, on machines without coreutils."""
    checksum = size = 0
    with path.open("rb") as file:
        while chunk := file.read(READ_BYTES):
            size += len(chunk)
            for byte in chunk:
                checksum = ((checksum >> 1) + ((checksum & 1) << 15) + byte) & 0xFFFF
    return f"{checksum} {-(-size // SUM_BLOCK_BYTES)}"


def _of_line(line: str, name: str) -> Checksum | None:
    if (match := _SUM_LINE.match(line)) and _same_file(match[3], name):
        return Checksum("sum", f"{int(match[1])} {int(match[2])}")
    if (match := _MD5SUM_LINE.match(line)) and match[2] and _same_file(match[2], name):
        return _by_length(match[1])
    if (match := _BSD_LINE.match(line)) and _same_file(match[1], name):
        return Checksum("md5", match[2].lower())
    return None


def _same_file(listed_name: str, name: str) -> bool:
    return listed_name.rsplit("/", 1)[-1] == name


def _by_length(digits: str) -> Checksum:
    return Checksum("md5" if len(digits) == 32 else "sha256", digits.lower())


def _hasher(kind: str) -> "hashlib._Hash":
    return hashlib.new(kind, usedforsecurity=False)

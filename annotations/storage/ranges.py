"""Byte ranges of HTTP (RFC 9110, section 14): genome browsers read the part of a VCF that they show."""

import re
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 256 * 1024


class RangeOutside(Exception):
    """The range asked for begins behind the end of the object."""


def requested_range(header: str, size_bytes: int) -> range | None:
    """The bytes that a Range header asks for; None: all of them.

    Several ranges at once, or a header that can't be read, give the whole object, as the RFC allows.
    Raises RangeOutside.

    >>> requested_range("bytes=0-99", 1000)
    range(0, 100)
    >>> requested_range("bytes=-10", 1000)
    range(990, 1000)
    >>> requested_range("bytes=0-1,5-6", 1000) is None
    True
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.replace(" ", ""), re.ASCII)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size_bytes - int(last))
    stop = min(int(last) + 1, size_bytes) if first and last else size_bytes
    if start >= stop:
        raise RangeOutside
    return range(start, stop)


def blocks(file: BinaryIO, part: range) -> Iterator[bytes]:
    """The bytes of the part, block by block; closes the file at the end."""
    with file:
        file.seek(part.start)
        left = len(part)
        while left > 0 and (block := file.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block

"""Open the files that a bundle is built from, and say what a wrong one is instead."""

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from annotations.engine.bundle import BundleError

BUFFER_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"

# How files begin that get mistaken for one another; packed kinds are looked at as they stand on disk,
# the others after unpacking.
_PACKED = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"BZh": "a bzip2 file: unpack it with bunzip2 first",
    b"\xfd7zXZ\x00": "an xz file: unpack it with unxz first",
    b"\x28\xb5\x2f\xfd": "a Zstandard file: unpack it with unzstd first",
    b"CRAM": "a CRAM file",
    b"\x89PNG": "a PNG picture",
    b"%PDF": "a PDF document",
}
_CONTENT = {
    b"##fileformat=VCF": "a VCF",
    b"##gff-version": "a GFF3",
    b"BAM\x01": "a BAM file",
    b"BCF\x02": "a BCF file: turn it into a VCF with `bcftools view -Oz`",
    b"<!doctype": "an HTML page: the download address may have answered with an error page",
    b"<html": "an HTML page: the download address may have answered with an error page",
    b">": "a FASTA",
    b"@": "a FASTQ file",
    b"#!genome-build": "a GTF",
}


@contextlib.contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """The unpacked bytes of a plain, gzip or BGZF file.

    Raises BundleError where the file cannot be read, is packed otherwise, or (while reading) is cut off.
    """
    try:
        packed = path.open("rb")
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}). Check its name and rights.") from error
    with packed:
        start = packed.read(8)
        packed.seek(0)
        for magic, kind in _PACKED.items():
            if start.startswith(magic):
                raise BundleError(f"{path} is {kind}. Expected plain text, gzip or BGZF.")
        if not start:
            raise BundleError(f"{path} is empty. Download or make it again.")
        if not start.startswith(_GZIP):
            yield packed
            return
        try:
            unpacked = cast(io.RawIOBase, gzip.GzipFile(fileobj=packed))
            yield io.BufferedReader(unpacked, BUFFER_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BundleError(
                f"{path} is cut off or damaged: its compressed data ends or breaks in the middle ({error}). "
                "Download it again and compare its checksum."
            ) from error


def kind_of(start: bytes) -> str:
    """What a file with these first bytes seems to be, for an error message."""
    lowered = start.lstrip().lower()
    for magic, kind in _CONTENT.items():
        if lowered.startswith(magic.lower()):
            return kind
    if b"\x00" in start:
        return "a binary file"
    first_line = start.lstrip().split(b"\n", 1)[0][:60]
    return f"a file that starts with {first_line.decode('utf-8', 'replace')!r}"

"""Open an upload whatever it is packed in, and read it as blocks of whole lines."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from annotations.engine.errors import UnusableInput

BLOCK_BYTES = 3 << 18  # a block is the most that is worked on at once: memory follows it
UTF8_BOM = b"\xef\xbb\xbf"
GZIP_MAGIC = b"\x1f\x8b"

# First bytes of what people upload by mistake, and what to tell them.
_STRANGERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a PNG image", "Upload the variants themselves, as a VCF file."),
    (b"\xff\xd8\xff", "a JPEG image", "Upload the variants themselves, as a VCF file."),
    (b"%PDF", "a PDF document", "Upload the variants themselves, as a VCF file."),
    (b"PK\x03\x04", "a ZIP archive (or a spreadsheet)", "Unpack it and upload the VCF file inside."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it and upload the VCF, plain or compressed with gzip or bgzip."),
    (b"BZh", "a bzip2 archive", "Unpack it and upload the VCF, plain or compressed with gzip or bgzip."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Unpack it and upload the VCF, plain or bgzip-compressed."),
    (b"BAM\x01", "a BAM file of aligned reads", "Call variants from it first, and upload the VCF."),
    (b"CRAM", "a CRAM file of aligned reads", "Call variants from it first, and upload the VCF."),
    (b"BCF\x02", "a BCF file", "Convert it with: bcftools view -Oz -o NAME.vcf.gz NAME.bcf"),
    (b"@HD\t", "a SAM file of aligned reads", "Call variants from it first, and upload the VCF."),
    (b"@SQ\t", "a SAM file of aligned reads", "Call variants from it first, and upload the VCF."),
    (b"<!DOCTYPE", "a web page (HTML)", "Download the VCF itself, not the page that links to it."),
    (b"<html", "a web page (HTML)", "Download the VCF itself, not the page that links to it."),
    (b">", "a FASTA file of sequences", "Upload the variants, as a VCF file."),
)


@dataclass
class Mended:
    """What was put right while reading; each goes into the count log."""

    byte_order_mark: bool = False
    windows_line_ends: bool = False


def open_upload(path: Path) -> IO[bytes]:
    """The upload's text, unpacked from gzip or BGZF where it is packed.

    Raises UnusableInput when it is empty or something else than text.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise UnusableInput("The file is empty. Upload a VCF file with a header and at least one variant.")
    if start.startswith(GZIP_MAGIC):
        _refuse_strangers(_first_unpacked_bytes(path), packed=True)
        return gzip.open(path, "rb")  # type: ignore[return-value]  # GzipFile reads like any binary file
    _refuse_strangers(start, packed=False)
    return path.open("rb")


def line_blocks(path: Path, mended: Mended, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The upload as blocks of whole lines, each line ended by a single newline.

    Notes in `mended` what it put right. Raises UnusableInput where the compressed data end too early or
    are damaged.
    """
    rest = b""
    bytes_read = 0
    with open_upload(path) as file:
        while True:
            try:
                block = file.read(block_bytes)
            except EOFError as error:
                raise UnusableInput(
                    f"The compressed file ends in the middle, after {bytes_read:,} bytes of text: "
                    "it was cut off in a transfer. Upload it again."
                ) from error
            except (OSError, zlib.error) as error:
                raise UnusableInput(
                    f"The compressed file is damaged after {bytes_read:,} bytes of text ({error}). "
                    "Compress it again with bgzip or gzip and upload that."
                ) from error
            if not block:
                break
            if not bytes_read and block.startswith(UTF8_BOM):
                block = block[len(UTF8_BOM) :]
                mended.byte_order_mark = True
            bytes_read += len(block)
            head, newline, tail = block.rpartition(b"\n")
            if not newline:
                rest += block
                continue
            yield _with_unix_line_ends(rest + head + newline, mended)
            rest = tail
    if rest:
        yield _with_unix_line_ends(rest + b"\n", mended)


def _with_unix_line_ends(block: bytes, mended: Mended) -> bytes:
    if b"\r\n" not in block:
        return block
    mended.windows_line_ends = True
    return block.replace(b"\r\n", b"\n")


def _first_unpacked_bytes(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as file:
            start = file.read(512)
    except EOFError:
        return b"#"  # cut off: reading on says so, with how far it got
    except (OSError, zlib.error) as error:
        raise UnusableInput(
            f"The file starts like gzip but cannot be unpacked ({error}). Compress it again and upload that."
        ) from error
    if not start:
        raise UnusableInput("The compressed file has nothing in it. Upload a VCF file with variants.")
    return start


def _refuse_strangers(start: bytes, *, packed: bool) -> None:
    text = start.removeprefix(UTF8_BOM)
    for magic, what, advice in _STRANGERS:
        if text[: len(magic)].lower() == magic.lower():
            raise UnusableInput(f"This is {'compressed ' if packed else ''}{what}, not a VCF file. {advice}")
    if b"\0" in text and not text.startswith(b"##fileformat"):
        raise UnusableInput(
            "This is a binary file, not a VCF file, which is text that starts with ##fileformat=VCF. "
            "Upload the VCF, plain or compressed with gzip or bgzip."
        )

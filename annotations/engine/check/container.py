"""What an upload is packed in, and its text as blocks of whole lines."""

import codecs
import zlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from annotations.engine import child
from annotations.engine.check.limits import Limits
from annotations.engine.check.report import Finding, Unreadable, quoted
from annotations.engine.check.text import count_lines
from annotations.engine.errors import EngineFailure

BLOCK_BYTES = 4 << 20
READ_BYTES = 64 << 10
GZIP_MAGIC = b"\x1f\x8b"
BCF_MAGIC = b"BCF\x02"
# The empty block that ends every BGZF file: SAM specification, section 4.1.2.
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
MANY_MEMBERS = 10_000
SMALL_MEMBER_BYTES = 1024

_UNPACK = "Unpack it and upload the VCF file inside, plain or compressed with bgzip or gzip."
_CALL = "Call variants from it first, and upload the VCF."
STRANGER_ADVICE = "Upload the variants themselves, as a VCF file."
# First bytes of what people upload by mistake, and what to tell them.
STRANGERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a PNG image", STRANGER_ADVICE),
    (b"\xff\xd8\xff", "a JPEG image", STRANGER_ADVICE),
    (b"GIF8", "a GIF image", STRANGER_ADVICE),
    (b"%PDF", "a PDF document", STRANGER_ADVICE),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet", _UNPACK),
    (b"PK\x05\x06", "an empty ZIP archive", STRANGER_ADVICE),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet or Word document", "Save it as VCF text, divided by tabs."),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"\xfd7zXZ", "an xz archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"BAM\x01", "a BAM file of aligned reads", _CALL),
    (b"CRAM", "a CRAM file of aligned reads", _CALL),
    (b"BCF\x04", "a BCF file of version 1", "Convert it with: bcftools view -Oz -o NAME.vcf.gz NAME.bcf"),
    (b"TBI\x01", "a tabix index", "Upload the VCF that it is the index of."),
    (b"CSI\x01", "a CSI index", "Upload the VCF that it is the index of."),
    (b"@HD\t", "a SAM file of aligned reads", _CALL),
    (b"@SQ\t", "a SAM file of aligned reads", _CALL),
    (b"##gff-version", "a GFF file of gene models", STRANGER_ADVICE),
    (b"<!doctype", "a web page (HTML)", "Download the VCF itself, not the page that links to it."),
    (b"<html", "a web page (HTML)", "Download the VCF itself, not the page that links to it."),
    (b"<?xml", "an XML document", STRANGER_ADVICE),
    (b"{", "a JSON document", STRANGER_ADVICE),
    (b">", "a FASTA file of sequences", STRANGER_ADVICE),
)


@dataclass
class Container:
    """How the text was packed, and what was put right while reading it; filled in as it is read."""

    kind: str = "plain text"
    byte_order_mark: bool = False
    windows_line_ends: bool = False
    mac_line_ends: bool = False
    no_last_newline: bool = False


def line_blocks(
    path: Path, scratch: Path, limits: Limits, container: Container
) -> Generator[bytes, None, None]:
    """The upload's text in blocks of whole lines, each line ended by a single newline.

    A BCF is converted into `scratch` first, in a child process. The next block is unpacked in a thread while
    one is being looked at. Raises Unreadable where the text ends before the file does.
    """
    return _read_ahead(_blocks(path, scratch, limits, container))


def _read_ahead(blocks: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="unpack") as unpacker:
            waiting = unpacker.submit(next, blocks, b"")
            while block := waiting.result():
                waiting = unpacker.submit(next, blocks, b"")
                yield block
    finally:
        blocks.close()


def _blocks(path: Path, scratch: Path, limits: Limits, container: Container) -> Generator[bytes, None, None]:
    packed, start = _first_bytes(path)
    if start.startswith(BCF_MAGIC):
        container.kind = "BCF"
        vcf = scratch / "from-bcf.vcf"
        try:
            _bcf_to_vcf(path, vcf, scratch, limits)
            yield from _text_blocks(vcf, limits, container, packed=False)
        finally:
            vcf.unlink(missing_ok=True)
    else:
        _refuse_strangers(start, packed=packed)
        yield from _text_blocks(path, limits, container, packed=packed)


def _text_blocks(path: Path, limits: Limits, container: Container, *, packed: bool) -> Iterator[bytes]:
    with path.open("rb") as file:
        pieces = _unpack(file, limits, container) if packed else iter(lambda: file.read(BLOCK_BYTES), b"")
        yield from _whole_lines(_mend(_count(pieces, limits), container), limits, container)


def _first_bytes(path: Path) -> tuple[bool, bytes]:
    """Whether the file is gzip, and the first bytes of its (unpacked) content."""
    with path.open("rb") as file:
        start = file.read(READ_BYTES)
    if not start:
        raise _unreadable(
            "empty", "The file is empty. Upload a VCF file with a header and at least one variant."
        )
    if not start.startswith(GZIP_MAGIC):
        return False, start
    try:
        inside = zlib.decompressobj(31).decompress(start, READ_BYTES)
    except zlib.error as error:
        raise _unreadable(
            "damaged-compression",
            f"The file starts like gzip but cannot be unpacked ({error}). Compress it again and upload that.",
            byte=0,
        ) from error
    return True, inside


def _refuse_strangers(start: bytes, *, packed: bool) -> None:
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    for magic, what, advice in STRANGERS:
        if text[: len(magic)].lower() == magic.lower():
            raise _unreadable(
                "not-a-vcf", f"This is {what}{' (compressed)' if packed else ''}, not a VCF file. {advice}"
            )
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _unreadable(
            "not-utf8", "The text is encoded as UTF-16; a VCF is UTF-8. Save it as UTF-8 and upload that."
        )
    if start.startswith(GZIP_MAGIC):
        raise _unreadable("packed-twice", "The file is compressed twice. Unpack it once and upload that.")
    if b"\0" in start[:1024] and not start.startswith(b"##fileformat"):
        raise _unreadable(
            "not-a-vcf",
            "This is a binary file, not a VCF file, which is text that starts with ##fileformat=VCF. "
            "Upload the VCF, plain or compressed with bgzip or gzip.",
        )


def _unpack(file: IO[bytes], limits: Limits, container: Container) -> Iterator[bytes]:
    """Unpack gzip or BGZF, member by member, a bounded piece at a time."""
    inflate = None
    position = members = unpacked = member_start = 0
    data = b""
    while data or (data := file.read(READ_BYTES)):
        if inflate is None:
            data += file.read(1) if len(data) == 1 else b""
            if not data.strip(b"\0"):  # tapes and some transfers pad with zeros
                data, position = b"", position + len(data)
                continue
            _expect_member(data, position)
            if not members:
                container.kind = "BGZF" if data[12:14] == b"BC" else "gzip"
            inflate, member_start, members = zlib.decompressobj(31), position, members + 1
        try:
            piece = inflate.decompress(data, BLOCK_BYTES)
        except zlib.error as error:
            raise _damaged(error, member_start, unpacked) from error
        rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
        position, data = position + len(data) - len(rest), rest
        unpacked += len(piece)
        _refuse_bomb(unpacked, position, members, limits)
        if piece:
            yield piece
        if inflate.eof:
            inflate = None
    if inflate is not None:
        raise _unreadable(
            "truncated",
            f"The compressed file ends in the middle, after {unpacked:,} bytes of text: it was cut off in a "
            "transfer. Upload it again.",
            byte=position,
        )
    file.seek(max(0, position - len(BGZF_END)))
    if container.kind == "BGZF" and file.read() != BGZF_END:
        raise _unreadable(
            "truncated",
            "The BGZF file lacks its end-of-file block: it was cut off in a transfer, or its writer was "
            "stopped. Upload it again; if it is complete, compress it again with bgzip.",
            byte=position,
        )


def _expect_member(data: bytes, position: int) -> None:
    if not data.startswith(GZIP_MAGIC):
        raise _unreadable(
            "damaged-compression",
            "Here the compressed data end and something else follows. Compress the VCF again with bgzip or "
            "gzip and upload that.",
            byte=position,
        )


def _damaged(error: zlib.error, member_start: int, unpacked: int) -> Unreadable:
    return _unreadable(
        "damaged-compression",
        f"The compressed data are damaged after {unpacked:,} bytes of text ({error}). Upload the file "
        "again; if that does not help, compress it again with bgzip or gzip.",
        byte=member_start,
    )


def _refuse_bomb(unpacked: int, packed: int, members: int, limits: Limits) -> None:
    if unpacked > limits.free_bytes and unpacked > limits.unpacked_ratio * packed:
        raise _unreadable(
            "too-compressed",
            f"The file unpacks to more than {limits.unpacked_ratio:g} times its size, which no VCF does. "
            "Upload the VCF itself.",
            byte=packed,
        )
    if members > MANY_MEMBERS and packed < members * SMALL_MEMBER_BYTES:
        raise _unreadable(
            "too-many-pieces",
            f"The file is made of more than {MANY_MEMBERS:,} very small compressed pieces. Compress it again "
            "with bgzip or gzip and upload that.",
            byte=packed,
        )


def _count(pieces: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limits.unpacked_bytes:
            raise _unreadable(
                "too-large",
                f"The file has more than {limits.unpacked_bytes:,} bytes of text. Divide it by chromosome.",
            )
        yield piece


def _mend(pieces: Iterator[bytes], container: Container) -> Iterator[bytes]:
    """Take off a byte order mark, and end every line with a single newline."""
    first = next(pieces, b"")
    if first.startswith(codecs.BOM_UTF8):
        container.byte_order_mark = True
        first = first.removeprefix(codecs.BOM_UTF8)
    container.mac_line_ends = b"\r" in first and b"\n" not in first
    held = b""  # a carriage return at the end of a piece, whose newline may start the next one
    for piece in _chain(first, pieces):
        text = held + piece
        held = b""
        if container.mac_line_ends:
            yield text.replace(b"\r", b"\n")
            continue
        if text.endswith(b"\r"):
            text, held = text[:-1], b"\r"
        if b"\r" in text and b"\r\n" in text:  # one byte is looked for in no time
            container.windows_line_ends = True
            text = text.replace(b"\r\n", b"\n")
        yield text
    yield held


def _chain(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _whole_lines(pieces: Iterator[bytes], limits: Limits, container: Container) -> Iterator[bytes]:
    waiting: list[bytes] = []  # pieces without a newline, but for the last line of the first
    size = 0
    lines = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size < BLOCK_BYTES:
            continue
        end = piece.rfind(b"\n") + 1  # nearly always there is one, and less has to be copied
        waiting[-1], tail = piece[:end], piece[end:]
        text = b"".join(waiting)
        if not end:
            end = text.rfind(b"\n") + 1
            text, tail = text[:end], text[end:] + tail
        if text:
            lines += count_lines(text)
            yield text
        if len(tail) > limits.line_bytes:
            raise Unreadable(
                Finding(
                    "line-too-long",
                    f"The line is longer than {limits.line_bytes:,} bytes. Upload fewer samples a file.",
                    line=lines + 1,
                )
            )
        waiting, size = [tail], len(tail) if text else 0
    text = b"".join(waiting)
    if text:
        container.no_last_newline = not text.endswith(b"\n")
        yield text + b"\n" if container.no_last_newline else text


def _bcf_to_vcf(path: Path, vcf: Path, scratch: Path, limits: Limits) -> None:
    bounds = child.Limits(file_size_bytes=limits.unpacked_bytes, timeout_seconds=3600)
    try:
        child.run_bcftools(["view", "--no-version", "-Ov", "-o", str(vcf), str(path)], scratch, bounds)
    except EngineFailure as error:
        raise _unreadable(
            "damaged-bcf",
            f"The BCF file cannot be read ({quoted(str(error))}). Convert it with: bcftools view -Oz -o "
            "NAME.vcf.gz NAME.bcf, and upload that.",
        ) from error


def _unreadable(code: str, message: str, byte: int | None = None) -> Unreadable:
    return Unreadable(Finding(code, message, byte=byte))

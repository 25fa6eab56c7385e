"""Some contigs of a large BGZF file, by its tabix index: the blocks that hold them, and no others.

A .tbi or .csi says between which virtual offsets (block's first byte << 16 | byte within the unpacked block)
each contig's lines stand; see the specifications tabix.pdf and CSIv1.pdf of hts-specs. What is put together
is a gzip file: the header's lines, then the contigs' lines in the file's order.
"""

import gzip
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from annotations.engine.fetching.cache import Download, Slot
from annotations.engine.fetching.download import Downloads, Tally, finish
from annotations.engine.fetching.errors import FetchError
from annotations.engine.fetching.http import RemoteFile

INDEX_LIMIT_BYTES = 256 << 20
LARGEST_BLOCK_BYTES = 1 << 16
_TBI_METADATA_BIN = 37450


@dataclass(frozen=True)
class Span:
    """Lines from one virtual offset to before another, and the file's bytes that hold them."""

    begin: int
    end: int

    @property
    def first_byte(self) -> int:
        return self.begin >> 16

    def end_byte(self, file_bytes: int) -> int:
        """One past the last byte to read. The size of the last block is not known before it is read."""
        return min(file_bytes, (self.end >> 16) + (LARGEST_BLOCK_BYTES if self.end & 0xFFFF else 0))


def spans_by_contig(index: bytes, url: str) -> dict[str, Span]:
    """Where each contig's lines stand. `index` is a .tbi or .csi as published. Raises FetchError."""
    try:
        content = gzip.decompress(index)
        if content.startswith(b"TBI\x01"):
            return _read_tbi(content)
        if content.startswith(b"CSI\x01"):
            return _read_csi(content)
    except (OSError, EOFError, zlib.error, struct.error, UnicodeDecodeError) as error:
        raise FetchError(f"{url} is damaged ({error}). Expected a tabix index (.tbi or .csi).") from error
    raise FetchError(f"{url} is no tabix index. Expected a .tbi or .csi file.")


def spans_to_read(by_contig: dict[str, Span], contigs: Iterable[str]) -> list[Span]:
    """The header's span and those of the contigs that the file has, in the file's order."""
    header = Span(0, min((span.begin for span in by_contig.values()), default=0))
    found = sorted((by_contig[name] for name in contigs if name in by_contig), key=lambda one: one.begin)
    return [header, *found] if header.end else found


def fetch_spans(downloads: Downloads, remote: RemoteFile, spans: list[Span]) -> tuple[Path, Download]:
    """Bring the spans' lines into the cache as one gzip file; return it and what the manifest records of it.

    A publisher's checksum is of the whole file, and says nothing of a part. Each block has a CRC-32 of its
    own, which is checked; a damaged span is fetched once more. Raises FetchError.
    """
    ranges = byte_ranges(remote, spans)
    slot = downloads.cache.slot(remote.url, piece=repr([(span.begin, span.end) for span in spans]))
    finished = slot.finished()
    version = (remote.etag, remote.last_modified)
    if finished and any(version) and version == (finished.etag, finished.last_modified):
        downloads.meter.advance(sum(end - first for first, end in ranges))
        return slot.path, finished
    pieces = [downloads.cache.slot(remote.url, piece=f"{first}-{end}") for first, end in ranges]
    try:
        with slot.part.open("wb") as out:
            for span, byte_range, piece in zip(spans, ranges, pieces, strict=True):
                _fetch_span(downloads, remote, (span, byte_range, piece), out)
    except OSError as error:
        raise FetchError(
            f"{slot.part} cannot be written ({error.strerror}). Make room and try again."
        ) from error
    done = finish(remote, slot, None, ranges)
    for piece in pieces:
        piece.discard()
    return slot.path, done


def byte_ranges(remote: RemoteFile, spans: list[Span]) -> tuple[tuple[int, int], ...]:
    """The bytes to read for each span. Raises FetchError where the file's size is not known."""
    if remote.size_bytes is None:
        raise FetchError(
            f"{remote.url}: its server does not say how large it is. Fetch without --chromosomes."
        )
    return tuple((span.first_byte, span.end_byte(remote.size_bytes)) for span in spans)


class _DamagedBlock(Exception):
    pass


def _fetch_span(
    downloads: Downloads,
    remote: RemoteFile,
    what: tuple[Span, tuple[int, int], Slot],
    out: IO[bytes],
) -> None:
    """Append the span's lines to `out`."""
    span, byte_range, piece = what
    written = out.tell()
    tally = Tally(downloads.meter)
    for last_chance in (False, True):
        downloads.receive(remote, piece, tally, byte_range)
        try:
            _copy_lines(piece.part, span, out)
        except _DamagedBlock as damage:
            piece.discard()
            out.seek(written)
            out.truncate()
            said = f"{remote.url} arrived damaged: {damage}"
            if last_chance:
                raise FetchError(
                    f"{said}. It was fetched twice. Its index may be of another version of the file: try "
                    "again later, or fetch without --chromosomes."
                ) from damage
            downloads.report(f"{said}; fetching that part once more")
        else:
            return


def _copy_lines(part: Path, span: Span, out: IO[bytes]) -> None:
    """Copy whole blocks as they are; the first and the last one are cut where the span's lines begin and end.

    `part` holds the file's bytes from the span's first block on.
    """
    last = (span.end >> 16) - span.first_byte  # where the block begins that the span ends in, or before
    in_last = span.end & 0xFFFF
    begins = ends = 0  # of the latest block
    with part.open("rb") as file:
        while ends < last or (ends == last and in_last):
            begins = ends
            block = _read_block(file, begins, span.first_byte + begins)
            unpacked = _unpack(block, span.first_byte + begins)
            ends += len(block)
            first = span.begin & 0xFFFF if begins == 0 else 0
            end = in_last if begins == last else len(unpacked)
            if first == 0 and end == len(unpacked):
                out.write(block)
            elif first < end:
                out.write(gzip.compress(unpacked[first:end], compresslevel=1, mtime=0))
    if (begins if in_last else ends) != last:
        raise _DamagedBlock(f"no block begins at byte {span.end >> 16:,}, where the index has one")


def _read_block(file: IO[bytes], at: int, at_in_source: int) -> bytes:
    """The BGZF block at byte `at` of what was read. Its size stands in the header's extra field, as BC."""
    file.seek(at)
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"\x1f\x8b\x08\x04":
        raise _DamagedBlock(f"no BGZF block begins at byte {at_in_source:,}")
    extra = file.read(struct.unpack_from("<H", head, 10)[0])
    size = _block_size(extra)
    block = head + extra + file.read(max(0, (size or 0) - len(head) - len(extra)))
    if len(block) != size:
        raise _DamagedBlock(f"the block at byte {at_in_source:,} is not whole")
    return block


def _block_size(extra: bytes) -> int | None:
    at = 0
    while at + 4 <= len(extra):
        kind, length = extra[at : at + 2], struct.unpack_from("<H", extra, at + 2)[0]
        if kind == b"BC":
            return int(struct.unpack_from("<H", extra, at + 4)[0]) + 1
        at += 4 + length
    return None


def _unpack(block: bytes, at: int) -> bytes:
    try:
        return gzip.decompress(block)  # checks the block's CRC-32 and length
    except (OSError, EOFError, zlib.error) as error:
        raise _DamagedBlock(f"block at byte {at:,}: {error}") from error


def _read_tbi(content: bytes) -> dict[str, Span]:
    contigs, names_bytes = struct.unpack_from("<i24xi", content, 4)
    names = _names(content[36 : 36 + names_bytes])
    at = 36 + names_bytes
    found = {}
    for name in names[:contigs]:
        span, at = _bins(content, at, "<I", _TBI_METADATA_BIN)
        (intervals,) = struct.unpack_from("<i", content, at)
        at += 4 + 8 * intervals
        if span:
            found[name] = span
    return found


def _read_csi(content: bytes) -> dict[str, Span]:
    _, depth, auxiliary_bytes = struct.unpack_from("<iii", content, 4)
    auxiliary = content[16 : 16 + auxiliary_bytes]
    (names_bytes,) = struct.unpack_from("<24xi", auxiliary)
    names = _names(auxiliary[28 : 28 + names_bytes])
    at = 16 + auxiliary_bytes
    (contigs,) = struct.unpack_from("<i", content, at)
    at += 4
    metadata_bin = ((1 << 3 * (depth + 1)) - 1) // 7 + 1
    found = {}
    for name in names[:contigs]:
        span, at = _bins(content, at, "<I8x", metadata_bin)
        if span:
            found[name] = span
    return found


def _bins(content: bytes, at: int, bin_format: str, metadata_bin: int) -> tuple[Span | None, int]:
    """One contig's span over all its bins, and where its bins end in the index."""
    (bins,) = struct.unpack_from("<i", content, at)
    at += 4
    begins: list[int] = []
    ends: list[int] = []
    for _ in range(bins):
        (number,) = struct.unpack_from(bin_format, content, at)
        at += struct.calcsize(bin_format)
        (chunks,) = struct.unpack_from("<i", content, at)
        offsets = struct.unpack_from(f"<{2 * chunks}Q", content, at + 4)
        at += 4 + 16 * chunks
        if number != metadata_bin:  # that one holds counts
            begins.extend(offsets[::2])
            ends.extend(offsets[1::2])
    return (Span(min(begins), max(ends)) if begins else None), at


def _names(content: bytes) -> list[str]:
    return [name.decode() for name in content.split(b"\x00") if name]

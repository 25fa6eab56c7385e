"""The tabix index of the annotated VCF, from what each shard notes of its records while it writes them.

To index the joined file afterwards htslib would have to unpack all of it again. The format is that of the
hts-specs' "The Tabix index file format"; bins are those of the SAM specification, section 5.3. Places in a
BGZF file are virtual offsets: the start of a block in the file << 16 | the place in the block's text.
"""

import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.bgzf import BgzfWriter
from annotations.engine.lines import INFO, REF, Lines

MAX_POSITION = 1 << 29  # bins reach no further
_WINDOW_SHIFT = 14  # of the linear index: windows of 16,384 bases
_LEVELS = ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1))  # shift of the position, first bin
_SUMMARY_BIN = 37450  # htslib keeps the span and the number of a contig's records there
_VCF_COLUMNS = struct.pack("<6i", 2, 1, 2, 0, ord("#"), 0)  # format VCF, CHROM, POS, no END column, comment
Array = np.ndarray


class BodyIndex:
    """Notes where the records of one body stand."""

    def __init__(self) -> None:
        self._chunks: list[Array] = []  # rows: contig, bin, first and last place in the text, records
        self._windows: list[Array] = []  # rows: contig, window, place in the text
        self._text_bytes = 0

    def add(self, contig: Array, lines: Lines, line_ends: Array) -> None:
        """Note consecutive records (as they came), and where each ends in the text."""
        line_ends = line_ends + self._text_bytes
        line_starts = np.concatenate([[self._text_bytes], line_ends[:-1]])
        self._text_bytes = int(line_ends[-1])
        begin, end = _extents(lines)
        end = np.maximum(end, begin + 1)
        bins = _bins(begin, end)
        starts = _run_starts(contig, bins)
        stops = np.concatenate([starts[1:], [len(contig)]]) - 1
        self._chunks.append(
            np.stack(
                [contig[starts], bins[starts], line_starts[starts], line_ends[stops], stops - starts + 1]
            )
        )
        self._windows.append(np.stack(_windows(contig, begin, end, line_starts)))

    def save(self, path: Path, body: BgzfWriter) -> None:
        """Write the index of the body, which is closed."""
        chunks = np.concatenate(self._chunks, axis=1)
        windows = np.concatenate(self._windows, axis=1)
        for places in (chunks[2], chunks[3], windows[2]):
            places[:] = body.virtual_offsets(places)
        np.savez(path, chunks=chunks, windows=windows)


def _extents(lines: Lines) -> tuple[Array, Array]:
    """begin and end of each record on its contig: those of REF, or further on by INFO's END or SVLEN."""
    begin = lines.positions.astype(np.int64) - 1
    end = begin + lines.fields(REF).length
    if lines.has(b"END=") or lines.has(b"SVLEN="):
        end = np.maximum(end, _ends_by_info(lines.fields(INFO).series("info"), begin))
    return np.clip(begin, 0, MAX_POSITION - 1), np.clip(end, 1, MAX_POSITION)


def _ends_by_info(infos: pl.Series, begin: Array) -> Array:
    """Where INFO says that each record ends; 0 where it does not say."""
    lengths = pl.col("info").str.extract(r"(?:^|;)SVLEN=([^;]*)").str.extract_all(r"\d+")
    longest = lengths.list.eval(pl.element().cast(pl.Int64, strict=False)).list.max()
    ends = [
        pl.col("info").str.extract(r"(?:^|;)END=(\d+)").cast(pl.Int64, strict=False),
        pl.lit(pl.Series(begin)) + 1 + longest,
    ]
    found = infos.to_frame().select(pl.max_horizontal(ends).fill_null(0))
    return found.to_series().to_numpy()


def _bins(begin: Array, end: Array) -> Array:
    """The smallest bin that holds each interval."""
    found = np.zeros(len(begin), np.int64)
    for shift, offset in reversed(_LEVELS):
        same = begin >> shift == (end - 1) >> shift
        found[same] = offset + (begin[same] >> shift)
    return found


def _run_starts(*columns: Array) -> Array:
    """The rows at which one of the columns changes."""
    changes = np.zeros(max(0, len(columns[0]) - 1), np.bool_)
    for column in columns:
        changes |= np.diff(column) != 0
    return np.concatenate([[0], np.flatnonzero(changes) + 1])


def _windows(contig: Array, begin: Array, end: Array, offset: Array) -> tuple[Array, Array, Array]:
    """(contig, window, offset of the first record that overlaps it), sorted."""
    # contigs are laid end to end, so that how far records reach can be accumulated over all of them
    stride = MAX_POSITION >> _WINDOW_SHIFT
    first = contig * stride + (begin >> _WINDOW_SHIFT)
    last = contig * stride + ((end - 1) >> _WINDOW_SHIFT)
    reached = np.concatenate([[-1], np.maximum.accumulate(last)[:-1]])
    new_first = np.maximum(first, reached + 1)
    count = np.maximum(last - new_first + 1, 0)
    record = np.repeat(np.arange(len(first)), count)
    window = new_first[record] + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return window // stride, window % stride, offset[record]


def write_tabix(path: Path, names: Sequence[str], bodies: Sequence[tuple[Path, int]]) -> None:
    """Join the bodies' indexes, each with the byte of the VCF at which its body starts, into a .tbi.

    `names` has the name of every contig by its number; they stand in the VCF in that order.
    """
    chunks, windows = [np.empty((5, 0), np.int64)], [np.empty((3, 0), np.int64)]
    for part, start in bodies:
        noted = np.load(part)
        chunks.append(noted["chunks"] + [[0], [0], [start << 16], [start << 16], [0]])
        windows.append(noted["windows"] + [[0], [0], [start << 16]])
    _write(path, names, np.concatenate(chunks, axis=1), np.concatenate(windows, axis=1))


def _write(path: Path, names: Sequence[str], chunks: Array, windows: Array) -> None:
    used = sorted(set(chunks[0].tolist()))
    text = b"".join(names[number].encode() + b"\0" for number in used)
    with BgzfWriter(path) as file:
        file.write(b"TBI\1" + struct.pack("<i", len(used)) + _VCF_COLUMNS)
        file.write(struct.pack("<i", len(text)) + text)
        for number in used:
            file.write(b"".join(_binning(chunks[1:, chunks[0] == number])))
            file.write(_linear(windows[1:, windows[0] == number]))


def _binning(chunks: Array) -> Iterator[bytes]:
    """The chunks of each bin of one contig, and the summary."""
    bins, first, last, count = chunks[:, np.argsort(chunks[0], kind="stable")]
    starts = _run_starts(bins)
    edges = [*starts.tolist(), len(bins)]
    pairs = np.stack([first, last], axis=1).astype("<u8")
    yield struct.pack("<i", len(starts) + 1)
    for low, high in pairwise(edges):
        yield struct.pack("<Ii", bins[low], high - low) + pairs[low:high].tobytes()
    yield struct.pack("<Ii4Q", _SUMMARY_BIN, 2, first.min(), last.max(), count.sum(), 0)


def _linear(windows: Array) -> bytes:
    """The offset at which to start reading for each window of one contig."""
    order = np.argsort(windows[0], kind="stable")
    order = order[_run_starts(windows[0][order])]  # each once: of shards, the earlier one
    window, offset = windows[:, order]
    # a window without records starts at the next record
    following = np.searchsorted(window, np.arange(window[-1] + 1), "left")
    return struct.pack("<i", len(following)) + offset[following].astype("<u8").tobytes()

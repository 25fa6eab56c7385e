"""Cut the records into chunks, and these into shards of equal work for any number of hosts.

A chunk is what a shard works on at once, and what it writes ends with it: a BGZF block and a piece of the
index. Consecutive chunks make a piece of the table, and whole pieces a shard. As both follow from the file
alone, however they are shared out to shards, what is joined in the end is the same, byte for byte.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from annotations.engine.layout import Chunk, Segment, Shard

CHUNK_BYTES = 3 << 19
CHUNK_RECORDS = 40_000
# Whoever looks at one row of the table reads no more than a piece, and a shard holds one in memory.
PIECE_RECORDS = 40_000
PIECE_BYTES = 16 << 20
# So much text costs about what a record does: samples are only copied, no codons are read for them.
BYTES_LIKE_A_RECORD = 4096


def cut_into_chunks(segments: Sequence[Segment], apart: Collection[int] = ()) -> list[Chunk]:
    """Group segments, in order, into chunks of up to 40,000 records or 1.5 MB each.

    A contig in `apart`, or with more than a chunk can hold, shares its chunks with no other, so that shards
    can be cut at both its ends.
    """
    size: Counter[int] = Counter()
    for segment in segments:
        size[segment.contig] += segment.end_byte - segment.start_byte
    alone = {contig for contig in size if contig in apart or size[contig] > CHUNK_BYTES}
    chunks: list[Chunk] = []
    taken: list[Segment] = []
    records = 0
    for segment in segments:
        if taken and (
            records + segment.records > CHUNK_RECORDS
            or segment.end_byte - taken[0].start_byte > CHUNK_BYTES
            or (
                segment.contig != taken[-1].contig
                and not alone.isdisjoint({segment.contig, taken[-1].contig})
            )
        ):
            chunks.append(Chunk(tuple(taken)))
            taken, records = [], 0
        taken.append(segment)
        records += segment.records
    if taken:
        chunks.append(Chunk(tuple(taken)))
    return chunks


def cut_into_pieces(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    """Group chunks, in order, into pieces of up to 40,000 records and 16 MB, or of one chunk.

    A piece ends where the contig does, so that shards can be cut there.
    """
    pieces: list[list[Chunk]] = []
    for chunk in chunks:
        if not pieces or not chunk.follows_on(pieces[-1][-1]) or _is_full([*pieces[-1], chunk]):
            pieces.append([])
        pieces[-1].append(chunk)
    return pieces


def _is_full(piece: Sequence[Chunk]) -> bool:
    records = sum(chunk.records for chunk in piece)
    return records > PIECE_RECORDS or piece[-1].end_byte - piece[0].start_byte > PIECE_BYTES


def shard_of(number: int, first_record: int, chunks: Sequence[Chunk]) -> Shard:
    """The shard of these chunks, which are whole pieces."""
    pieces = tuple(map(len, cut_into_pieces(chunks)))
    return Shard(number, first_record, tuple(chunks), pieces)


def work_of(chunk: Chunk) -> float:
    """What annotating it costs, in records of a file without samples."""
    return chunk.records + (chunk.end_byte - chunk.start_byte) / BYTES_LIKE_A_RECORD


def cut_for_hosts(
    chunks: Sequence[Chunk], shard_records: int, *, whole_contigs: bool, apart: Collection[int] = ()
) -> list[Shard]:
    """Group chunks, in order, into shards of about equal work, each that of at most some `shard_records`.

    A contig in `apart` shares its shards with no other. With `whole_contigs` no contig is divided: haplotypes
    run the length of a contig.
    """
    shards: list[Shard] = []
    first_record = 0
    for stretch in _stretches(chunks, apart):
        pieces = by_contig(stretch) if whole_contigs else cut_into_pieces(stretch)
        for group in _groups(pieces, shard_records):
            shards.append(shard_of(len(shards), first_record, group))
            first_record += shards[-1].records
    return shards


def _stretches(chunks: Sequence[Chunk], apart: Collection[int]) -> Iterator[list[Chunk]]:
    """Consecutive chunks that may be in one shard."""
    taken: list[Chunk] = []
    for chunk in chunks:
        if taken and not chunk.follows_on(taken[-1]):
            borders = {chunk.segments[0].contig, taken[-1].segments[-1].contig}
            if not borders.isdisjoint(apart):
                yield taken
                taken = []
        taken.append(chunk)
    if taken:
        yield taken


def by_contig(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    """Group chunks, in order, so that no contig is divided."""
    pieces: list[list[Chunk]] = []
    for chunk in chunks:
        if not pieces or not chunk.follows_on(pieces[-1][-1]):
            pieces.append([])
        pieces[-1].append(chunk)
    return pieces


def _groups(pieces: Sequence[list[Chunk]], most: int) -> Iterator[list[Chunk]]:
    """Pieces joined to the least number of groups that keeps to `most`, each of an equal part of the work."""
    works = [sum(map(work_of, piece)) for piece in pieces]
    share = sum(works) / max(1, -(-sum(works) // most))
    group: list[Chunk] = []
    work = 0.0
    for piece, its_work in zip(pieces, works, strict=True):
        if group and work + its_work / 2 > share:
            yield group
            group, work = [], 0.0
        group.extend(piece)
        work += its_work
    if group:
        yield group

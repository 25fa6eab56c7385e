"""Cut the records into shards of equal work for any number of hosts."""

from collections.abc import Collection, Iterator, Sequence

from annotations.engine.layout import Segment, Shard

# So much text costs about what a record does: samples are only copied, no codons are read for them.
BYTES_LIKE_A_RECORD = 4096


def work_of(segment: Segment) -> float:
    """What annotating it costs, in records of a file without samples."""
    return segment.records + (segment.end_byte - segment.start_byte) / BYTES_LIKE_A_RECORD


def cut_for_hosts(
    segments: Sequence[Segment], shard_records: int, *, whole_contigs: bool, apart: Collection[int] = ()
) -> list[Shard]:
    """Group segments, in order, into shards of about equal work, each that of at most some `shard_records`.

    A contig in `apart` shares its shards with no other. With `whole_contigs` no contig is divided: haplotypes
    run the length of a contig.
    """
    shards: list[Shard] = []
    first_record = 0
    for stretch in _stretches(segments, apart):
        pieces = _by_contig(stretch) if whole_contigs else [[segment] for segment in stretch]
        for group in _groups(pieces, shard_records):
            shard = Shard(len(shards), first_record, tuple(group))
            shards.append(shard)
            first_record += shard.records
    return shards


def _stretches(segments: Sequence[Segment], apart: Collection[int]) -> Iterator[list[Segment]]:
    """Consecutive segments that may be in one shard."""
    taken: list[Segment] = []
    for segment in segments:
        before = taken[-1].contig if taken else segment.contig
        if segment.contig != before and (segment.contig in apart or before in apart):
            yield taken
            taken = []
        taken.append(segment)
    if taken:
        yield taken


def _by_contig(segments: Sequence[Segment]) -> list[list[Segment]]:
    contigs: list[list[Segment]] = []
    for segment in segments:
        if not contigs or contigs[-1][-1].contig != segment.contig:
            contigs.append([])
        contigs[-1].append(segment)
    return contigs


def _groups(pieces: Sequence[list[Segment]], most: int) -> Iterator[list[Segment]]:
    """Pieces joined to the least number of groups that keeps to `most`, each of an equal part of the work."""
    works = [sum(map(work_of, piece)) for piece in pieces]
    share = sum(works) / max(1, -(-sum(works) // most))
    group: list[Segment] = []
    work = 0.0
    for piece, its_work in zip(pieces, works, strict=True):
        if group and work + its_work / 2 > share:
            yield group
            group, work = [], 0.0
        group.extend(piece)
        work += its_work
    if group:
        yield group

"""The first stage: check the upload, unpack it, and cut it into shards of equal work.

What it leaves in the working directory is all that a shard needs, wherever it runs:

    plan.json   the header, the contigs and the shards (`Plan`)
    records     the unpacked record lines, sorted, byte for byte as they came but for their line ends
"""

import time
from collections.abc import Sequence
from pathlib import Path

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.check.limits import Limits
from annotations.engine.check.upload import Block, UploadCheck
from annotations.engine.cutting import (
    by_contig,
    cut_for_hosts,
    cut_into_chunks,
    cut_into_pieces,
    shard_of,
)
from annotations.engine.errors import UnusableInput
from annotations.engine.layout import RECORDS_NAME, Chunk, Plan, Rules, Segment, Shard
from annotations.engine.sorting import sort_records

SHARD_RECORDS = 500_000  # at most: bounds a shard's files, and what a lost one costs
SEGMENT_BYTES = 3 << 18  # about as much is worked on at once: a shard's memory follows it
SMALL_SHARD_RECORDS = 10_000  # below this another process costs more than it gains


def make_plan(  # noqa: PLR0913 - the options of the engine, each named by its caller
    source: Path,
    name: str,
    bundle: ReferenceBundle,
    directory: Path,
    *,
    cores: int,
    haplotype_aware: bool,
    keep_bcsq: bool,
    rules: Rules | None = None,
    shard_records: int | None = None,
) -> Plan:
    """Check `source` and write the plan of its annotation into `directory`.

    The shards are for `cores` processes of this machine or, with `shard_records`, of about that many records
    for any number of machines (`cut_for_hosts`).

    Raises UnusableInput, with up to a hundred faults told by line, when it cannot be annotated.
    """
    started_at = time.time()
    rules = rules or Rules()
    check = UploadCheck(source, directory, bundle, _limits(rules))
    intake = _Intake()
    intake.take(check, directory / RECORDS_NAME)
    contigs = [(contig, _bundle_name(bundle, contig)) for contig in intake.contigs]
    apart = _contigs_of_other_codes(bundle, contigs)
    chunks = cut_into_chunks(intake.segments, apart)
    if shard_records:
        shards = cut_for_hosts(chunks, shard_records, whole_contigs=haplotype_aware, apart=apart)
    else:
        shards = cut_into_shards(chunks, cores=cores, whole_contigs=haplotype_aware)
    plan = Plan(
        name=name,
        columns=check.header.columns,
        meta=check.header.meta,
        contigs=contigs,
        shards=shards,
        records=check.report.records,
        notes=[str(note) for note in check.report.notes],
        haplotype_aware=haplotype_aware,
        keep_bcsq=keep_bcsq,
        max_mismatch_share=rules.max_mismatch_share,
        started_at=started_at,
    )
    plan.save(directory)
    return plan


def cut_into_shards(chunks: Sequence[Chunk], *, cores: int, whole_contigs: bool) -> list[Shard]:
    """Group chunks into shards of about equal numbers of records, in order.

    With `whole_contigs` no contig is divided: haplotypes run the length of a contig.
    """
    total = sum(chunk.records for chunk in chunks)
    rounds = max(1, -(-total // (SHARD_RECORDS * cores)))
    target = max(SMALL_SHARD_RECORDS, -(-total // (cores * rounds)))
    shards: list[Shard] = []
    taken: list[Chunk] = []
    first = count = 0
    for piece in by_contig(chunks) if whole_contigs else cut_into_pieces(chunks):
        records = sum(chunk.records for chunk in piece)
        # measured from the start of the file, so that what pieces are too large by does not add up to
        # one more shard
        if taken and first + count + records / 2 > target * (round(first / target) + 1):
            shards.append(shard_of(len(shards), first, taken))
            first, taken, count = first + count, [], 0
        taken.extend(piece)
        count += records
    if taken:
        shards.append(shard_of(len(shards), first, taken))
    return shards


def _contigs_of_other_codes(bundle: ReferenceBundle, contigs: Sequence[tuple[str, str | None]]) -> set[int]:
    """Contigs, by number, that are not read by the standard genetic code: mitochondria."""
    found = [bundle.contig(name) if name else None for _, name in contigs]
    return {number for number, contig in enumerate(found) if contig and contig.genetic_code != 1}


def _bundle_name(bundle: ReferenceBundle, contig: str) -> str | None:
    found = bundle.contig(contig)
    return found.name if found else None


def _limits(rules: Rules) -> Limits:
    return Limits(
        unpacked_bytes=rules.max_bytes,
        line_bytes=rules.max_line_bytes,
        samples=rules.max_samples,
        ref_mismatch_share=rules.max_mismatch_share,
    )


class _Intake:
    """Writes the records that the check lets pass, and notes their contigs and segments."""

    def __init__(self) -> None:
        self.contigs: dict[str, int] = {}
        self.segments: list[Segment] = []
        self._bytes_written = 0

    def take(self, check: UploadCheck, records_path: Path) -> None:
        """Go through the whole upload. Raises UnusableInput with what the check found."""
        with records_path.open("wb") as spool:
            for block in check.blocks():
                self._note_places(block)
                spool.write(block.lines.text)
        report = check.report
        if not report.usable:
            raise UnusableInput(report.summary(), report.problems)
        if not check.sorted:
            self.segments = [Segment(*segment) for segment in sort_records(records_path, self.contigs)]

    def _note_places(self, block: Block) -> None:
        size = len(block.lines.text)
        rows = max(1, len(block.lines) * SEGMENT_BYTES // size)
        start, row = 0, 0
        for contig, length in block.runs:
            number = self.contigs.setdefault(contig, len(self.contigs))
            run_end = row + length
            while row < run_end:
                count = min(rows, run_end - row)
                row += count
                end = int(block.lines.ends[row - 1])
                written = self._bytes_written
                self.segments.append(Segment(number, count, start + written, end + written))
                start = end
        self._bytes_written += size

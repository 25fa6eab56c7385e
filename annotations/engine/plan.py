"""The first stage: check the upload, unpack it, and cut it into shards of equal work.

What it leaves in the working directory is all that a shard needs, wherever it runs:

    plan.json   the header, the contigs and the shards (`Plan`)
    records     the unpacked record lines, sorted, byte for byte as they came but for their line ends
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.cutting import cut_for_hosts
from annotations.engine.errors import UnusableInput
from annotations.engine.layout import RECORDS_NAME, Plan, Rules, Segment, Shard
from annotations.engine.scan.build_check import BuildCheck
from annotations.engine.scan.header import Header, parse_header
from annotations.engine.scan.opening import Mended, line_blocks
from annotations.engine.scan.records import MAX_POSITION, Problem, diagnose, faulty_lines
from annotations.engine.scan.sorting import sort_records

SHARD_RECORDS = 250_000  # at most: bounds a shard's memory, and what a lost one costs
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

    Raises UnusableInput, with up to `rules.max_problems` faults told by line, when it cannot be annotated.
    """
    rules = rules or Rules()
    scan = _Scan(bundle, rules, directory / RECORDS_NAME)
    scan.run(source)
    contigs = [(contig, _bundle_name(bundle, contig)) for contig in scan.contigs]
    if shard_records:
        apart = _contigs_of_other_codes(bundle, contigs)
        shards = cut_for_hosts(scan.segments, shard_records, whole_contigs=haplotype_aware, apart=apart)
    else:
        shards = cut_into_shards(scan.segments, cores=cores, whole_contigs=haplotype_aware)
    plan = Plan(
        name=name,
        columns=scan.header.columns,
        meta=scan.header.meta,
        contigs=contigs,
        shards=shards,
        records=scan.records,
        notes=scan.notes(),
        haplotype_aware=haplotype_aware,
        keep_bcsq=keep_bcsq,
        max_mismatch_share=rules.max_mismatch_share,
    )
    plan.save(directory)
    return plan


def cut_into_shards(segments: Sequence[Segment], *, cores: int, whole_contigs: bool) -> list[Shard]:
    """Group segments into shards of about equal numbers of records, in order.

    With `whole_contigs` no contig is divided: haplotypes run the length of a contig.
    """
    total = sum(segment.records for segment in segments)
    rounds = max(1, -(-total // (SHARD_RECORDS * cores)))
    target = max(SMALL_SHARD_RECORDS, -(-total // (cores * rounds)))
    shards: list[Shard] = []
    taken: list[Segment] = []
    first = count = 0
    for segment in segments:
        at_contig_start = bool(taken) and taken[-1].contig != segment.contig
        full = count + segment.records / 2 > target
        if taken and full and (at_contig_start or not whole_contigs):
            shards.append(Shard(len(shards), first, tuple(taken)))
            first, taken, count = first + count, [], 0
        taken.append(segment)
        count += segment.records
    if taken:
        shards.append(Shard(len(shards), first, tuple(taken)))
    return shards


def _contigs_of_other_codes(bundle: ReferenceBundle, contigs: Sequence[tuple[str, str | None]]) -> set[int]:
    """Contigs, by number, that are not read by the standard genetic code: mitochondria."""
    found = [bundle.contig(name) if name else None for _, name in contigs]
    return {number for number, contig in enumerate(found) if contig and contig.genetic_code != 1}


def _bundle_name(bundle: ReferenceBundle, contig: str) -> str | None:
    found = bundle.contig(contig)
    return found.name if found else None


class _Scan:
    """One pass over the upload: checks each block, writes its records out, notes contigs and segments."""

    def __init__(self, bundle: ReferenceBundle, rules: Rules, records_path: Path) -> None:
        self.bundle = bundle
        self.rules = rules
        self.records_path = records_path
        self.mended = Mended()
        self.header = Header()
        self.contigs: dict[str, int] = {}
        self.segments: list[Segment] = []
        self.records = 0
        self.sorted = True
        self._problems: list[Problem] = []
        self._problem_count = 0
        self._bytes_written = 0
        self._last_contig = -1
        self._last_position = 0
        self._build_check = BuildCheck(bundle, rules.max_mismatch_share)

    def run(self, source: Path) -> None:
        blocks = line_blocks(source, self.mended)
        first_records = self._read_header(blocks)
        with self.records_path.open("wb") as spool:
            if first_records:
                self._take_block(first_records)
                spool.write(first_records)
            for block in blocks:
                self._take_block(block)
                spool.write(block)
        self._refuse_if_faulty()
        if not self.sorted:
            self.segments = [Segment(*segment) for segment in sort_records(self.records_path, self.contigs)]

    def notes(self) -> list[str]:
        notes = list(self.header.notes)
        if self.mended.byte_order_mark:
            notes.append("a byte order mark at the start of the file was removed")
        if self.mended.windows_line_ends:
            notes.append("Windows line ends were changed to single newlines")
        if not self.sorted:
            notes.append("the records were not sorted; they now are, by contig and position")
        return notes

    def _read_header(self, blocks: Iterator[bytes]) -> bytes:
        """Take the header off the front of the blocks; returns the records that came in its last block."""
        lines: list[str] = []
        for block in blocks:
            start = 0
            while block.startswith(b"#", start):
                end = block.index(b"\n", start)
                lines.append(_decode(block[start:end], len(lines) + 1))
                start = end + 1
                if lines[-1].startswith("#CHROM"):
                    self.header = parse_header(lines, self.rules.max_samples)
                    return block[start:]
            if start < len(block):
                break
        if not lines:
            raise UnusableInput(
                "Line 1: expected ##fileformat=VCFv4.x, found something else. This is not a VCF file; "
                "export your variants as VCF and upload that."
            )
        raise UnusableInput(
            f"Line {len(lines) + 1}: the #CHROM line that names the columns is missing. Put it between the "
            "## lines and the first variant: #CHROM, POS, ID, REF, ALT, QUAL, FILTER, INFO, tabs between."
        )

    def _take_block(self, block: bytes) -> None:
        first_line = self.header.line_count + self.records + 1
        self._bytes_written += len(block)
        if self._bytes_written > self.rules.max_bytes:
            raise UnusableInput(
                f"The file has more than {self.rules.max_bytes:,} bytes of text. Divide it by chromosome."
            )
        _refuse_bytes_that_are_no_text(block, first_line)
        lines = read_lines(block)
        faulty = faulty_lines(lines, len(self.header.columns), self.rules.max_line_bytes)
        if faulty:
            self._note_problems(lines, faulty, first_line)
        else:
            self._note_places(lines, len(block))
            self._build_check.sample(lines)
        self.records += lines.len()

    def _note_problems(self, lines: pl.Series, faulty: list[int], first_line: int) -> None:
        self._problem_count += len(faulty)
        room = self.rules.max_problems - len(self._problems)
        self._problems += [
            diagnose(lines[i], first_line + i, len(self.header.columns), self.rules.max_line_bytes)
            for i in faulty[:room]
        ]

    def _note_places(self, lines: pl.Series, block_bytes: int) -> None:
        places = lines.str.splitn("\t", 3).struct.unnest()
        positions = places["field_1"].cast(pl.Int64)
        if (positions > MAX_POSITION).any():
            self._note_far_position(positions)
            return
        start = self._bytes_written - block_bytes
        runs = places["field_0"].rle().struct.unnest()
        ends = (lines.str.len_bytes() + 1).cum_sum() if len(runs) > 1 else None
        row = 0
        for length, contig in runs.iter_rows():
            number = self.contigs.setdefault(contig, len(self.contigs))
            end = (
                self._bytes_written
                - block_bytes
                + (ends[row + length - 1] if ends is not None else block_bytes)
            )
            self.segments.append(Segment(number, length, start, end))
            self._note_order(number, positions[row : row + length])
            start, row = end, row + length

    def _note_order(self, contig: int, positions: pl.Series) -> None:
        first, last = positions[0], positions[-1]
        if contig == self._last_contig:
            self.sorted &= first >= self._last_position
        else:
            self.sorted &= contig == len(self.contigs) - 1 and contig > self._last_contig
        self.sorted &= positions.is_sorted()
        self._last_contig, self._last_position = contig, last

    def _note_far_position(self, positions: pl.Series) -> None:
        row = int((positions > MAX_POSITION).arg_max() or 0)
        self._problem_count += 1
        line = self.header.line_count + self.records + row + 1
        self._problems.append(
            Problem(line, "POS", f"POS is {positions[row]}, beyond any contig. Correct the position.")
        )

    def _refuse_if_faulty(self) -> None:
        if self._problem_count:
            told = " ".join(str(problem) for problem in self._problems[:3])
            more = self._problem_count - min(3, len(self._problems))
            raise UnusableInput(
                told + (f" (and {more:,} more)" if more else ""), [str(problem) for problem in self._problems]
            )
        if not self.records:
            raise UnusableInput(
                "The file has a header but no variants. Upload a VCF with at least one record."
            )
        if not any(self.bundle.contig(contig) for contig in self.contigs):
            raise UnusableInput(
                f"None of the file's contigs ({', '.join(list(self.contigs)[:5])}) is in the reference "
                f"{self.bundle.name}, which has {', '.join(c.name for c in self.bundle.contigs[:5])}. "
                "Choose the reference that the variants were called against."
            )
        self._build_check.refuse_another_build()


def read_lines(block: bytes) -> pl.Series:
    """The lines of a block of valid UTF-8 that ends in a newline."""
    # the field separator is a byte that no text file has: each line is one field
    return pl.read_csv(
        block,
        separator="\x01",
        has_header=False,
        quote_char=None,
        schema={"line": pl.String},
        empty_string_is_null=False,
    )["line"]


def _refuse_bytes_that_are_no_text(block: bytes, first_line: int) -> None:
    for byte, name in ((b"\0", "a NUL byte"), (b"\x01", "a control character (0x01)")):
        if (at := block.find(byte)) >= 0:
            line = first_line + block.count(b"\n", 0, at)
            raise UnusableInput(
                f"Line {line}: {name} stands in the text. The file was damaged; export or transfer it again."
            )
    if not block.isascii():
        _decode(block, first_line)


def _decode(text: bytes, first_line: int) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = first_line + text.count(b"\n", 0, error.start)
        raise UnusableInput(
            f"Line {line}: byte 0x{text[error.start]:02x} is not valid UTF-8. Save the file as UTF-8 "
            "(or remove accented letters) and upload it again."
        ) from error

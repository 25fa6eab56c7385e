"""The pass over an upload: every block is checked, and its faultless lines are handed on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.check.build import BuildCheck
from annotations.engine.check.container import STRANGER_ADVICE, Container, line_blocks
from annotations.engine.check.explain import Explainer
from annotations.engine.check.genomes import build_by_lengths
from annotations.engine.check.header import Header, parse_header
from annotations.engine.check.limits import Limits
from annotations.engine.check.patterns import Promises
from annotations.engine.check.report import Finding, Report, Unreadable, quoted
from annotations.engine.check.screen import Screen
from annotations.engine.check.text import RecordLines, clean_text
from annotations.engine.kernels.library import Array

# So many lines are explained, or bytes of them. Of those that are left after that, only the fixed columns are
# looked at, which is what annotation reads.
EXPLAINED_BYTES = 16 << 20
EXPLAINED_LINES = 50_000
MOST_CONTIGS = 100_000
MAX_POSITION = (1 << 31) - 1


@dataclass(frozen=True)
class Block:
    """Consecutive faultless records.

    `runs` has, in order, the contigs they are on and how many are on each.
    """

    lines: RecordLines
    runs: list[tuple[str, int]]


def check_upload(
    path: Path, scratch: Path, bundle: ReferenceBundle | None = None, limits: Limits | None = None
) -> Report:
    """Check the VCF at `path`; the folder `scratch` takes what must be unpacked to disk (a BCF)."""
    check = UploadCheck(path, scratch, bundle, limits)
    for _ in check.blocks():
        pass
    return check.report


class UploadCheck:
    """One check of one upload. Go through `blocks`; then `report` is complete."""

    def __init__(
        self,
        path: Path,
        scratch: Path,
        bundle: ReferenceBundle | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.report = Report()
        self.header = Header()
        self._path = path
        self._scratch = scratch
        self._bundle = bundle
        self._limits = limits or Limits()
        self._container = Container()
        self._build = (
            BuildCheck(bundle, self._limits.ref_mismatch_share, self.report) if bundle is not None else None
        )
        self.sorted = True  # by contig, in order of appearance, and position
        self._line = 0  # lines read so far
        self._explained_bytes = self._explained_lines = 0
        self._lengths: dict[str, int | None] = {}  # of the contigs met in records
        self._last_contig = ""
        self._last_position = 0

    def blocks(self) -> Iterator[Block]:
        """Check everything; yields blocks of faultless records, as long as nothing was refused."""
        text_blocks = line_blocks(self._path, self._scratch, self._limits, self._container)
        try:
            first = self._read_header(text_blocks)
            yield from self._read_records(first, text_blocks)
        except Unreadable as end:
            self.report.add_problem(end.finding)
        finally:
            text_blocks.close()  # ends the thread that unpacks
        self._conclude()

    # The header.

    def _read_header(self, blocks: Iterator[bytes]) -> bytes:
        """Take the header off the front; returns the records that came with its last block."""
        lines: list[str] = []
        size = 0
        for raw in blocks:
            block = clean_text(raw, self._line + 1, self.report)
            start = 0
            while start < len(block):
                end = block.index(b"\n", start)
                line = block[start:end].decode()
                if not line.startswith("#") and (not lines or len(line.split("\t")) >= 8):
                    raise self._no_header(lines, line)
                lines.append(line)
                start, self._line = end + 1, self._line + 1
                if line.startswith(("#CHROM", "#chrom")):
                    self._take_header(lines)
                    return block[start:]
            size += len(block)
            if size > self._limits.header_bytes:
                break
        raise Unreadable(
            Finding(
                "no-columns",
                "the #CHROM line that names the columns is missing. It must stand between the ## lines and "
                "the first variant: #CHROM, POS, ID, REF, ALT, QUAL, FILTER, INFO, divided by tabs.",
                line=len(lines),
            )
        )

    def _no_header(self, lines: Sequence[str], line: str) -> Unreadable:
        fields = line.split("\t")
        if lines:
            what = "the #CHROM line that names the columns is missing before this variant. Add it."
        elif len(fields) >= 5 and fields[1].isdecimal():
            what = (
                "expected the header, which starts with ##fileformat=VCFv4.2, found a variant "
                f"({quoted(line)}). Add the ## lines and the #CHROM line that names the columns."
            )
        else:
            what = f"expected ##fileformat=VCFv4.2, found {quoted(line)}. {STRANGER_ADVICE}"
        return Unreadable(Finding("no-header" if lines else "not-a-vcf", what, line=len(lines) + 1))

    def _take_header(self, lines: Sequence[str]) -> None:
        self.header = header = parse_header(lines, self._limits, self.report)
        self.report.version = header.version
        self.report.samples = len(header.samples)
        self.report.build = build_by_lengths(header.contigs)
        if not header.contigs:
            self.report.add_note(
                Finding("no-contigs", "No ##contig lines; contigs are taken as they come.", line=len(lines))
            )
        if self._build is not None:
            self._build.hold_header(header)
        promises = Promises(header)
        columns, line_bytes = len(header.columns), self._limits.line_bytes
        self._screen = Screen(promises, columns, line_bytes, self.report)
        bases_at = self._build.bases_at if self._build else None
        self._explainer = Explainer(promises, columns, line_bytes, bases_at)

    # The records.

    def _read_records(self, first: bytes, blocks: Iterator[bytes]) -> Iterator[Block]:
        if first and (block := self._take(first)) is not None:
            yield block
        for raw in blocks:
            text = clean_text(raw, self._line + 1, self.report)
            if (block := self._take(text)) is not None:
                yield block

    def _take(self, text: bytes) -> Block | None:
        lines = RecordLines(text)
        numbers: Sequence[int] = range(self._line + 1, self._line + 1 + len(lines))
        self._line += len(lines)
        blank = lines.blank()
        if len(blank):
            lines, numbers = self._without_blank_lines(lines, blank, numbers)
        if not len(lines):
            return None
        if self.header.version.startswith("3"):  # VCF 3.3 wrote 0 for PASS, and -1 for no quality
            mended = lines.series().str.replace(r"^((?:[^\t]*\t){6})0\t", "${1}PASS\t")
            mended = mended.str.replace(r"^((?:[^\t]*\t){5})-1(?:\.0+)?\t", "${1}.\t")
            lines = RecordLines(("\n".join(mended) + "\n").encode())
        self._note_spaces(lines, numbers)
        self.report.records += len(lines)
        if self.report.records > self._limits.records:
            raise Unreadable(
                Finding(
                    "too-many-records",
                    f"the file has more than {self._limits.records:,} records. Divide it by chromosome.",
                    line=numbers[-1],
                )
            )
        if self._explain(lines, self._screen.suspicious(lines, numbers), numbers):
            return None
        return self._placed(lines, numbers)

    def _without_blank_lines(
        self, lines: RecordLines, blank: Array, numbers: Sequence[int]
    ) -> tuple[RecordLines, Sequence[int]]:
        self.report.add_note(
            Finding("blank-line", "A blank line was left out.", line=numbers[int(blank[0])], count=len(blank))
        )
        kept = np.delete(np.arange(len(lines)), blank).tolist()
        text = b"".join(line for line in lines.text.splitlines(keepends=True) if line != b"\n")
        return RecordLines(text), [numbers[at] for at in kept]

    def _note_spaces(self, lines: RecordLines, numbers: Sequence[int]) -> None:
        if b" " not in lines.text:
            return
        spaced = lines.series().str.contains(r"^(?:[^\t]*\t){7}[^\t]* ")
        if count := int(spaced.sum()):
            self.report.add_note(
                Finding(
                    "space-in-info",
                    "A value has a space, which the specification forbids before 4.3.",
                    line=numbers[int(spaced.arg_max() or 0)],
                    column="INFO",
                    count=count,
                )
            )

    def _explain(self, lines: RecordLines, suspicious: list[int], numbers: Sequence[int]) -> bool:
        """Add the faults of these lines to the report; returns whether there are any."""
        before = self.report.problem_count
        done = 0
        for at in suspicious:
            if self._explained_bytes > EXPLAINED_BYTES or self._explained_lines == EXPLAINED_LINES:
                break
            self._explain_line(lines[at], numbers[at])
            done += 1
        left = suspicious[done:]
        if left and (worst := self._screen.wrong_in_fixed_columns(lines, left)) is not None:
            self._explain_line(lines[worst], numbers[worst])
        self.report.unchecked_lines += len(left)
        return self.report.problem_count > before

    def _explain_line(self, line: str, number: int) -> None:
        self._explained_bytes += len(line)
        self._explained_lines += 1
        for finding in self._explainer.explain(line, number):
            self.report.add_problem(finding)

    def _placed(self, lines: RecordLines, numbers: Sequence[int]) -> Block | None:
        before = self.report.problem_count
        runs: list[tuple[str, int]] = []
        for first, last in pairwise([*lines.runs, len(lines)]):
            contig = lines.contig(first)
            runs.append((contig, last - first))
            self._take_run(contig, lines.positions[first:last], numbers[first:last])
        if self.report.problem_count > before:
            return None
        if self._build is not None:
            self._build.sample(lines, numbers)
        return Block(lines, runs)

    def _take_run(self, contig: str, positions: Array, numbers: Sequence[int]) -> None:
        """Note the contig of consecutive records, whether they are sorted, and whether they are all on it."""
        if contig not in self._lengths:
            self._meet(contig, numbers[0])
        elif contig != self._last_contig or positions[0] < self._last_position:
            self._note_unsorted(numbers[0])
        falls = positions[1:] < positions[:-1]
        if falls.any():
            self._note_unsorted(numbers[int(falls.argmax()) + 1])
        self._last_contig, self._last_position = contig, int(positions[-1])
        end = (
            self._lengths[contig] or MAX_POSITION - 1
        ) + 1  # length + 1 is the telomere: VCF 4.2, section 1.4.1
        beyond = positions > end
        if count := int(beyond.sum()):
            row = int(beyond.argmax())
            self.report.add_problem(
                Finding(
                    "pos-beyond-contig",
                    f"expected a position within {quoted(contig)}, which has {end - 1:,} bases, found "
                    f"{positions[row]:,}. Correct it; if there are many, the file was made on another "
                    "reference.",
                    line=numbers[row],
                    column="POS",
                    count=count,
                )
            )

    def _meet(self, contig: str, line: int) -> None:
        if len(self._lengths) == MOST_CONTIGS:
            raise Unreadable(
                Finding(
                    "too-many-contigs",
                    f"the records name more than {MOST_CONTIGS:,} contigs. Is CHROM the first column?",
                    line=line,
                    column="CHROM",
                )
            )
        known = self._bundle.contig(contig) if self._bundle is not None else None
        self._lengths[contig] = known.length if known else self.header.contigs.get(contig)
        self.report.contigs = list(islice(self._lengths, 100))
        if self.header.contigs and contig not in self.header.contigs:
            self._note(
                "undeclared-contig", f"The contig {quoted(contig)} is not declared in the header.", line
            )
        if self._bundle is not None:
            self._note_name(contig, known, self._bundle.name, line)

    def _note_name(self, contig: str, known: Contig | None, reference: str, line: int) -> None:
        if known is None:
            self._note(
                "unknown-contig",
                f"The reference {reference} has no contig {quoted(contig)}; its variants stay unannotated.",
                line,
            )
        elif known.name != contig:
            self._note(
                "contig-name", f"The contig {quoted(contig)} was taken as the reference's {known.name}.", line
            )

    def _note(self, code: str, message: str, line: int) -> None:
        self.report.add_note(Finding(code, message, line=line, column="CHROM"))

    def _note_unsorted(self, line: int) -> None:
        self.sorted = False
        self._note(
            "unsorted",
            "The records were not sorted by contig and position; they are before they are annotated.",
            line,
        )

    # The end.

    def _conclude(self) -> None:
        self._note_mended()
        self.report.container = self._container.kind
        if not self.report.usable:
            return
        if self.report.unchecked_lines:
            self.report.add_note(
                Finding(
                    "unchecked",
                    f"{self.report.unchecked_lines:,} unusual lines were not looked at one by one.",
                )
            )
        if self._build is not None:
            self._build.conclude()
        if not self.report.records:
            self.report.add_note(Finding("no-records", "There are no variants.", line=self._line))
        elif self._bundle is not None and not any(map(self._bundle.contig, self._lengths)):
            self.report.add_problem(
                Finding(
                    "no-known-contig",
                    f"none of the file's contigs ({', '.join(self.report.contigs[:5])}) is in the reference "
                    f"{self._bundle.name}, which has "
                    f"{', '.join(c.name for c in self._bundle.contigs[:5])}. Choose the reference that the "
                    "variants were called against.",
                    line=self.header.line_count + 1,
                    column="CHROM",
                )
            )

    def _note_mended(self) -> None:
        container = self._container
        mended = {
            "byte-order-mark": (container.byte_order_mark, "A byte order mark was removed."),
            "windows-line-ends": (container.windows_line_ends, "Windows line ends were changed to newlines."),
            "mac-line-ends": (container.mac_line_ends, "Old Mac line ends were changed to newlines."),
            "no-last-newline": (container.no_last_newline, "The newline after the last line was added."),
            "plain-gzip": (container.kind == "gzip", "Plain gzip was recompressed as BGZF."),
            "bcf": (container.kind == "BCF", "BCF was converted to VCF."),
        }
        for code, (was, message) in mended.items():
            if was:
                self.report.add_note(Finding(code, message))

"""Was the file made on the chosen reference? First by declared lengths, then by sampled REF bases."""

import re
from collections.abc import Sequence

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.check.genomes import build_by_lengths, build_by_text
from annotations.engine.check.header import Header
from annotations.engine.check.report import Finding, Report, quoted
from annotations.engine.check.text import RecordLines
from annotations.engine.errors import UnusableInput
from annotations.engine.genome import Genome

FIRST_SAMPLE = 200  # records looked at in the first block
LATER_SAMPLE = 16  # and in each one after it
FEWEST_MISMATCHES = 3  # a slip or two in a short file is no other build
REF_BASES = 100  # compared of a long REF
_SAYS_BUILD = re.compile(r"##(reference|assembly|contig)\b|.*assembly=")


class BuildCheck:
    """Holds the header's lengths and a sample of the REF alleles against the reference.

    Bases that the reference does not know (N) say nothing.
    """

    def __init__(self, bundle: ReferenceBundle, mismatch_share: float, report: Report) -> None:
        self._bundle = bundle
        self._genome = Genome(bundle)
        self._mismatch_share = mismatch_share
        self._report = report
        self._lengths = {contig.name: contig.length for contig in bundle.contigs}
        self._build = build_by_lengths(self._lengths)
        self._said = ""
        self._first_mismatch: tuple[int, str] | None = None

    def hold_header(self, header: Header) -> None:
        """Compare the declared contig lengths with the reference's."""
        self._said = self._report.build or build_by_text(
            "\n".join(line for line in header.meta if _SAYS_BUILD.match(line))
        )
        different = []
        for name, length in header.contigs.items():
            contig = self._bundle.contig(name)
            if contig is None or length is None:
                continue
            if contig.length != length:
                different.append((name, length, contig.length))
        if not different:
            return
        name, length, expected = different[0]
        line = header.line_of_contig(name)
        # of a genome that is none of the common builds, the lengths say nothing about which to choose instead
        if self._build and self._report.build not in ("", self._build):
            self._report.add_problem(
                Finding(
                    "wrong-build",
                    f"This file looks like {self._report.build}, you chose {self._bundle.name}: the header "
                    f"gives {quoted(name)} {length:,} bases, and the reference has {expected:,}. Choose "
                    f"{self._report.build}, or upload the variants as called against {self._bundle.name}.",
                    line=line,
                    column="contig",
                )
            )
            return
        self._report.add_note(
            Finding(
                "contig-length-differs",
                f"The header gives {quoted(name)} {length:,} bases, and the reference {self._bundle.name} "
                f"has {expected:,}.",
                line=line,
                column="contig",
                count=len(different),
            )
        )

    def bases_at(self, chrom: str, position: int, count: int) -> str:
        """The reference's bases from a position (counted from 1) on, as far as there are any."""
        contig = self._bundle.contig(chrom)
        if contig is None or not 1 <= position <= contig.length:
            return ""
        return self._genome.fetch(contig.name, position - 1, position - 1 + count).decode()

    def sample(self, lines: RecordLines, numbers: Sequence[int]) -> None:
        """Compare the REF of some of a block's (faultless) lines."""
        wanted = LATER_SAMPLE if self._report.ref_compared else FIRST_SAMPLE
        for at in range(0, len(lines), max(1, len(lines) // wanted)):
            chrom, position, _, ref, _ = lines[at].split("\t", 4)
            self._compare(chrom, int(position), ref.upper()[:REF_BASES], numbers[at])

    def _compare(self, chrom: str, position: int, ref: str, number: int) -> None:
        contig = self._bundle.contig(chrom)
        if contig is None or not 1 <= position <= contig.length or "N" in ref:
            return
        found = self.bases_at(chrom, position, len(ref))
        if "N" in found:
            return
        self._report.ref_compared += 1
        if found == ref:
            return
        self._report.ref_mismatched += 1
        self._first_mismatch = self._first_mismatch or (
            number,
            f"at {chrom}:{position} the file has {quoted(ref)} and the reference {quoted(found)}",
        )

    def conclude(self) -> None:
        """Refuse a file whose REF alleles are not the reference's; count a few that are not."""
        compared, mismatched = self._report.ref_compared, self._report.ref_mismatched
        if self._first_mismatch is None:
            return
        line, example = self._first_mismatch
        told = f"{mismatched:,} of {compared:,} REF alleles looked at differ from the reference ({example})"
        if is_another_build(compared, mismatched, self._mismatch_share):
            looks = (
                f"like {self._said}" if self._said not in ("", self._build) else "as if made on another build"
            )
            self._report.add_problem(
                Finding(
                    "wrong-build",
                    f"This file looks {looks}, you chose {self._bundle.name}: {told}. Choose the reference "
                    "that the variants were called against.",
                    line=line,
                    column="REF",
                )
            )
            return
        self._report.add_note(Finding("ref-mismatch", f"{told}.", line=line, column="REF", count=mismatched))


def is_another_build(compared: int, mismatched: int, share: float) -> bool:
    """Whether so many of the compared REF alleles differ that the reference is not the file's."""
    return mismatched >= FEWEST_MISMATCHES and mismatched > share * compared


def refuse_another_build(compared: int, mismatched: int, share: float, reference: str) -> None:
    """Raise UnusableInput when too many of all REF alleles, compared one by one, differ."""
    if is_another_build(compared, mismatched, share):
        message = (
            f"{mismatched:,} of {compared:,} REF alleles differ from the reference {reference}: the file "
            "looks as if made on another build. Choose the reference that the variants were called against."
        )
        raise UnusableInput(message, [Finding("wrong-build", message, column="REF", count=mismatched)])

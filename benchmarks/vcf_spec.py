"""How many of the VCF specification's own conformance files the check judges as the specification does.

    python -m benchmarks.vcf_spec

Every `passed` file must be accepted. A `failed` file counts when it is refused with a problem that stands in
the column or header line that the file's name and its `##CauseOfFailure` line speak of. The files are those
of hts-specs, test/vcf, for VCF 4.1 and 4.2.
"""

import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from annotations.engine.check.report import Report
from annotations.engine.check.upload import check_upload

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "vcf_spec"
SLOWEST_SECONDS = 10
EVERYDAY_NOTES = {"no-contigs", "undeclared", "no-last-newline"}

# What VCF 4.1 and 4.2 (VCFv4.1.tex and VCFv4.2.tex, samtools/hts-specs c101c797106d) call no error, by the
# cause that the file gives, with the section that was read.
UNSTATED = {
    r"non-contiguous": '1.4.1 CHROM: entries "should" be contiguous; mended by sorting',
    r"duplicated variant|triplicated variant": '1.4.1 POS: "It is permitted to have multiple records"',
    r"INFO (AC|AF|AN|BQ|MQ0|NS) Type is not": "1.4.1 INFO gives no types; the first to do so is 4.3, table 1",
    r"INFO AA Number is not 1": '1.4.1 INFO: "AA : ancestral allele", without a number; 4.3 has one',
    r"\(empty value\)": '1.2: "key=value pairs"; that the value "may not be empty" is in 4.3 only',
    r"Non-valid URL": "1.2.6, 1.2.9: a URL; by RFC 3986 these have a host, a port and a path",
    r"Incorrect order of (ALT|INFO|FORMAT) fields": '1.2.2, 1.2.4, 1.2.5: "should be described as follows"',
    r"Genome ID with non-accepted punctuation": "1.2.9 does not say which characters a name may have",
    r"Genomes field missing|Non-description field": '1.2.8: "possible to define ... as shown below"',
}
# What it calls an error, and the check takes and notes.
TAKEN = {
    r"non-sorted": '1.4.1 POS: "sorted numerically"; mended: records are sorted before they are annotated',
    r"FORMAT contains a non-alphanumeric": '1.4.2: "alphanumeric"; but gVCFs have MIN_DP, as 4.3 allows',
    r"Incorrect ALT ID value": '1.2.5: "must be one of"; but callers have others, as <NON_REF>',
    r"not a key-value pair$": "one of these, 4.2's assembly_001, is one, with a URL for its value",
    r"INFO (AC|AF) Number is not A": '1.4.1: "for each ALT allele"; declared otherwise by the 1000 Genomes',
    r"FORMAT (MQ|PL|PQ) Type is not Integer": "1.4.2: (Integer); several callers declare them Float",
}
COLUMN_OF = {
    "body_alt": ("ALT",),
    "body_chrom": ("CHROM",),
    "body_filter": ("FILTER",),
    "body_format": ("FORMAT",),
    "body_id": ("ID",),
    "body_info": ("INFO",),
    "body_pos": ("POS",),
    "body_qual": ("QUAL",),
    "body_ref": ("REF",),
    "body_sample": ("FORMAT", "#CHROM"),
    "body_samples_ploidy": ("FORMAT",),
    "header": ("#CHROM",),
}


@dataclass(frozen=True)
class Verdict:
    path: Path
    cause: str
    report: Report
    seconds: float

    @property
    def names_the_fault(self) -> bool:
        kind = re.sub(r"^failed_|_[0-9]+$", "", self.path.stem)
        if kind.startswith("body_") and kind not in COLUMN_OF:
            return False  # order and duplicates: whatever it is refused for is something else
        columns = COLUMN_OF.get(kind)
        header_lines = sum(line.startswith("##") for line in _lines(self.path))
        return any(
            problem.column.split("/")[0] in columns
            if columns
            else problem.line is not None and problem.line <= header_lines + 1
            for problem in self.report.problems
        )


def judge(path: Path, scratch: Path) -> Verdict:
    """Check one file, and time it."""
    started = time.perf_counter()
    report = check_upload(path, scratch)
    causes = [line for line in _lines(path) if line.startswith("##CauseOfFailure=")]
    cause = causes[0].partition("=")[2].strip() if causes else ""
    return Verdict(path, cause, report, time.perf_counter() - started)


def reason_for(cause: str, reasons: dict[str, str]) -> str:
    return next((why for pattern, why in reasons.items() if re.search(pattern, cause)), "")


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines()


def main() -> int:
    if not DATA.is_dir():
        print(f"{DATA} is missing; nothing to measure")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        verdicts = [judge(path, Path(scratch)) for path in sorted(DATA.glob("*/*/*.vcf"))]
    passed = [verdict for verdict in verdicts if verdict.path.parent.name == "passed"]
    failed = [verdict for verdict in verdicts if verdict.path.parent.name == "failed"]
    accepted = sum(verdict.report.usable for verdict in passed)
    unstated = [verdict for verdict in failed if reason_for(verdict.cause, UNSTATED)]
    errors = [verdict for verdict in failed if verdict not in unstated]
    named = [verdict for verdict in errors if verdict.names_the_fault]
    every = sum(verdict.names_the_fault for verdict in failed)
    slowest = max(verdict.seconds for verdict in verdicts)
    print(f"passed files accepted: {accepted} of {len(passed)}")
    print(f"failed files refused with the fault named: {every} of {len(failed)} ({every / len(failed):.0%})")
    share = len(named) / len(errors)
    print(f"  of those that the specification calls an error: {len(named)} of {len(errors)} ({share:.0%})")
    print(f"slowest file: {slowest:.2f} s")
    print("not refused for the fault that they are about:")
    for verdict in failed:
        if not verdict.names_the_fault:
            why = reason_for(verdict.cause, UNSTATED | TAKEN) or "NO REASON"
            told = (
                "noted" if any(note.code not in EVERYDAY_NOTES for note in verdict.report.notes) else "taken"
            )
            told = told if verdict.report.usable else "refused for something else"
            version = verdict.path.parts[-3]
            print(f"  {version} {verdict.path.stem:28} {verdict.cause[:56]:56} {told}: {why}")
    return 0 if accepted == len(passed) and slowest < SLOWEST_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())

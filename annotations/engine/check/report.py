"""What a check found: the problems that make an upload unusable, and what was mended or is merely odd."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_FINDINGS = 100  # kept of each kind; all of them are counted
SHOWN_CHARACTERS = 60  # of a value that is quoted in a message


@dataclass
class Finding:
    """One fault, or one thing mended, however often it occurs.

    `code` is stable, for programs; `message` is one or more sentences, for people: what was expected, what
    was found and what to do. `line` counts from 1 in the unpacked text and is that of the first occurrence;
    it is None where the fault is the file's as a whole, and `byte` then says where in the uploaded file, if
    that is known. `column` is a column's name, followed by /KEY for INFO and FORMAT fields. `count` is the
    number of lines concerned.
    """

    code: str
    message: str
    line: int | None = None
    column: str = ""
    byte: int | None = None
    count: int = 1

    def __str__(self) -> str:
        return f"{self.where}: {self.message}{self._how_often()}"

    @property
    def where(self) -> str:
        if self.line is not None:
            return f"Line {self.line}" + (f", {self.column}" if self.column else "")
        return "Before line 1" if self.byte is None else f"Byte {self.byte}"

    def _how_often(self) -> str:
        if self.count == 1:
            return ""
        return f" ({self.count - 1:,} more like this.)"


class Unreadable(Exception):
    """Nothing after this can be read: the finding that ends a check."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass
class Report:
    """The outcome of a check. `usable` says whether the upload can be annotated.

    `problem_count` counts faults beyond the hundred kept in `problems`. `ref_compared` REF alleles were held
    against the reference, `ref_mismatched` of them differ. `build` is the genome that the declared contig
    lengths are those of. `unchecked_lines` were left unexplained once enough was known to refuse the file.
    """

    problems: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    problem_count: int = 0
    note_count: int = 0
    unchecked_lines: int = 0
    container: str = ""
    version: str = ""
    build: str = ""
    records: int = 0
    samples: int = 0
    contigs: list[str] = field(default_factory=list)
    ref_compared: int = 0
    ref_mismatched: int = 0
    _known: dict[tuple[str, str, str], Finding] = field(default_factory=dict, repr=False, compare=False)

    @property
    def usable(self) -> bool:
        return not self.problem_count

    def add_problem(self, finding: Finding) -> None:
        self.problem_count += finding.count
        self._add(finding, self.problems, "problem")

    def add_note(self, finding: Finding) -> None:
        self.note_count += finding.count
        self._add(finding, self.notes, "note")

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data; `format` is raised when a field changes its meaning."""
        content = asdict(self)
        del content["_known"]
        for kind in ("problems", "notes"):
            content[kind] = [asdict(finding) | {"text": str(finding)} for finding in getattr(self, kind)]
        return {"format": 1, "usable": self.usable, **content}

    def as_json(self) -> str:
        return json.dumps(self.as_dict(), indent=2)

    def summary(self) -> str:
        """The first problems, on one line."""
        told = " ".join(str(problem) for problem in self.problems[:3])
        more = len(self.problems) - 3
        return told + (f" (and {more:,} more kinds of problem)" if more > 0 else "")

    def _add(self, finding: Finding, findings: list[Finding], kind: str) -> None:
        known = self._known.get((kind, finding.code, finding.column))
        if known is not None:
            known.count += finding.count
        elif len(findings) < MOST_FINDINGS:
            self._known[kind, finding.code, finding.column] = finding
            findings.append(finding)


def quoted(value: str) -> str:
    """A value as a message shows it: shortened, control and other unprintable characters escaped.

    >>> quoted("A\\x00T")
    "'A\\\\x00T'"
    """
    shown = value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "…"
    return ascii(shown) if not shown.isprintable() else repr(shown)

"""The header of a VCF: what its lines declare, and what is wrong with them."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from annotations.engine.check import declarations
from annotations.engine.check.declarations import Malformed
from annotations.engine.check.keys import Key
from annotations.engine.check.limits import Limits
from annotations.engine.check.report import Finding, Report, Unreadable, quoted

FIXED_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
VERSION = re.compile(r"##fileformat=VCFv(3\.[0-3]|4\.[0-9])\s*")
DEFAULT_VERSION = "4.2"
LINKS = frozenset({"assembly", "pedigreeDB"})  # whose value the specification calls a URL
STRUCTURED = frozenset({"INFO", "FORMAT", "FILTER", "ALT", "contig", "PEDIGREE", "SAMPLE", "META"})


@dataclass
class Header:
    """A VCF header, with what could be mended mended.

    `meta` are the ## lines, without their newlines; `info` and `format` the declared keys; `filters` and
    `contigs` the declared ids, the latter with their lengths in bases where given; `columns` those of the
    #CHROM line; `line_count` counts the header's lines in the upload.
    """

    meta: list[str] = field(default_factory=list)
    version: str = DEFAULT_VERSION
    info: dict[str, Key] = field(default_factory=dict)
    format: dict[str, Key] = field(default_factory=dict)
    filters: set[str] = field(default_factory=set)
    contigs: dict[str, int | None] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    line_count: int = 0

    def line_of_contig(self, name: str) -> int:
        """The line, in the upload, that declares the contig."""
        added = len(self.meta) + 1 - self.line_count  # a ##fileformat line that was not there
        declares = re.compile(rf"##contig=<(?:.*,)?ID={re.escape(name)}[,>]")
        return next((at for at, line in enumerate(self.meta, 1) if declares.match(line)), 1) - added

    @property
    def samples(self) -> list[str]:
        return self.columns[9:]


def parse_header(lines: Sequence[str], limits: Limits, report: Report) -> Header:
    """Read the lines up to and with #CHROM; what is wrong or mended goes into `report`.

    Raises Unreadable where the #CHROM line does not say which column is which.
    """
    header = Header(line_count=len(lines))
    meta = list(lines[:-1])
    if meta and meta[0].lower().startswith("##fileformat"):
        _read_version(meta[0], header, report)
    else:
        report.add_note(
            Finding("no-fileformat", "There is no ##fileformat line; the file was read as VCF 4.2.", line=1)
        )
        header.meta.append(f"##fileformat=VCFv{DEFAULT_VERSION}")
    for number, line in enumerate(meta, 1):
        header.meta.append(line)
        if number == 1 and header.version.startswith("3"):
            header.meta[0] = f"##fileformat=VCFv{DEFAULT_VERSION}"
        if number > 1 or not line.lower().startswith("##fileformat"):
            _read_meta(line, number, header, report)
    _read_columns(header, lines[-1], limits, report)
    return header


def _read_version(line: str, header: Header, report: Report) -> None:
    match = VERSION.fullmatch(line)
    if match is None:
        report.add_problem(
            Finding(
                "bad-fileformat",
                f"expected ##fileformat=VCFv4.2 (or another version from 4.0 on), found {quoted(line)}. "
                "Write the version that the file follows.",
                line=1,
            )
        )
        return
    header.version = match[1]
    if header.version.startswith("3"):
        report.add_note(
            Finding("old-version", f"VCF {header.version} was read as VCF {DEFAULT_VERSION}.", line=1)
        )


def _read_meta(line: str, number: int, header: Header, report: Report) -> None:
    key, equals, value = line[2:].partition("=")
    try:
        _check_key_and_value(line, key, equals, value)
        if not value.strip():
            report.add_note(Finding("empty-meta", f"##{quoted(key)[1:-1]} has no value.", line=number))
        elif key in STRUCTURED:
            _read_structured(key, value.rstrip(), number, header, report)
    except Malformed as fault:
        report.add_problem(
            Finding(fault.code, str(fault), line=number, column=key if key in STRUCTURED else "")
        )


def _check_key_and_value(line: str, key: str, equals: str, value: str) -> None:
    if not line.startswith("##"):
        raise Malformed(
            "bad-meta",
            f"expected ##key=value or the #CHROM line, found {quoted(line)}. Start it with ## or remove it.",
        )
    if not equals or not key.strip():
        raise Malformed("bad-meta", f"expected ##key=value, found {quoted(line)}. Mend or remove the line.")
    if key in LINKS and not value.strip(" \t<>"):
        raise Malformed(
            "bad-meta", f"expected ##{key}=URL, found {quoted(line)}. Add the address or remove the line."
        )


def _read_structured(key: str, value: str, number: int, header: Header, report: Report) -> None:
    if old := declarations.from_version_3(key, value):
        header.meta[-1] = f"##{key}={old}"
        report.add_note(
            Finding(
                "old-declaration", "A declaration of VCF 3.3's form was rewritten as VCF 4's.", line=number
            )
        )
        value = old

    def note(code: str, message: str) -> None:
        report.add_note(Finding(code, message, line=number, column=key))

    fields = declarations.parse(key, value)
    if key in ("INFO", "FORMAT"):
        _declare_key(key, fields, header, note)
    elif key == "FILTER":
        name = declarations.checked_filter(fields, note)
        header.filters.add(name)
    elif key == "ALT":
        declarations.checked_alt(fields, note)
    elif key == "contig":
        name, length = declarations.checked_contig(fields)
        if name in header.contigs:
            note("declared-twice", f"The contig {quoted(name)} is declared more than once.")
        header.contigs[name] = header.contigs.get(name) or length
    else:
        declarations.check_sample_line(key, fields, note)


def _declare_key(kind: str, fields: dict[str, str], header: Header, note: Callable[[str, str], None]) -> None:
    key = declarations.checked_key(kind, fields, header.version, note)
    declared = header.info if kind == "INFO" else header.format
    if (known := declared.get(key.name)) is not None:
        differently = "" if known == key else " and differently; the first declaration counts"
        note("declared-twice", f"{quoted(key.name)} is declared more than once{differently}.")
        return
    declared[key.name] = key


def _read_columns(header: Header, line: str, limits: Limits, report: Report) -> None:
    number = header.line_count
    columns = line.split("\t")
    if len(columns) == 1 and len(line.split()) >= len(FIXED_COLUMNS):
        raise _bad_columns(
            number,
            "spaces-for-tabs",
            "the columns of the #CHROM line are divided by spaces; a VCF is divided by tabs. Save the file "
            "again without changing tabs to spaces.",
        )
    if tuple(columns[: len(FIXED_COLUMNS)]) != FIXED_COLUMNS:
        raise _bad_columns(
            number,
            "bad-columns",
            f"expected the columns {' '.join(FIXED_COLUMNS)}, found {quoted(' '.join(columns[:8]))}. Name "
            "the eight columns so, in this order, divided by tabs.",
        )
    if len(columns) > len(FIXED_COLUMNS) and columns[8] != "FORMAT":
        report.add_note(
            Finding(
                "format-renamed",
                f"Column 9 was called {quoted(columns[8])} and is now called FORMAT.",
                line=number,
            )
        )
        columns[8] = "FORMAT"
    header.columns = columns
    _check_samples(header.samples, len(columns) == len(FIXED_COLUMNS) + 1, number, limits, report)


def _check_samples(
    samples: Sequence[str], format_alone: bool, number: int, limits: Limits, report: Report
) -> None:
    def problem(code: str, message: str) -> None:
        report.add_problem(Finding(code, message, line=number, column="#CHROM"))

    if len(samples) > limits.samples:
        raise _bad_columns(
            number,
            "too-many-samples",
            f"the file has {len(samples):,} samples, and at most {limits.samples:,} are taken. Upload "
            "fewer, for example with: bcftools view -s NAMES",
        )
    if format_alone:
        problem(
            "no-samples",
            "there is a FORMAT column but no sample after it. Name the samples, or remove the FORMAT column.",
        )
    if "" in samples:
        problem("no-sample-name", f"the name of sample {samples.index('') + 1} is empty. Give it a name.")
    if len(set(samples)) != len(samples):
        twice = next(name for name, count in Counter(samples).items() if count > 1)
        problem(
            "duplicate-column",
            f"the sample {quoted(twice)} stands there more than once. Give every sample a name of its own.",
        )


def _bad_columns(number: int, code: str, message: str) -> Unreadable:
    return Unreadable(Finding(code, message, line=number, column="#CHROM"))

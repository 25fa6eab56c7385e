"""The header of a VCF: what it declares, and the lines themselves, which are kept as they came."""

import re
from dataclasses import dataclass, field

from annotations.engine.errors import UnusableInput

FIXED_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_DECLARATION = re.compile(r"##(INFO|FORMAT|FILTER|ALT|contig)=<.*?\bID=([^,>]+)")
_LENGTH = re.compile(r"[<,]length=(\d+)")


@dataclass
class Header:
    """A VCF header.

    `meta` are the ## lines as they came; `declared` has the ids by kind (INFO, FORMAT, FILTER, ALT, contig);
    `contig_lengths` the declared ones; `columns` those of the #CHROM line; `line_count` counts all its lines.
    """

    meta: list[str] = field(default_factory=list)
    declared: dict[str, set[str]] = field(default_factory=dict)
    contig_lengths: dict[str, int] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    line_count: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def samples(self) -> list[str]:
        return self.columns[9:]

    def is_declared(self, kind: str, name: str) -> bool:
        return name in self.declared.get(kind, ())


def parse_header(lines: list[str], max_samples: int) -> Header:
    """Read the lines up to and with #CHROM. Raises UnusableInput on a header that is none."""
    header = Header(line_count=len(lines))
    if not lines[0].startswith("##fileformat=VCF"):
        found = lines[0][:60]
        if not found.startswith("#"):
            raise UnusableInput(
                f"Line 1: expected ##fileformat=VCFv4.x, found {found!r}. This is not a VCF file; "
                "export your variants as VCF and upload that."
            )
        header.notes.append("the ##fileformat line was missing and has been added")
        header.meta.append("##fileformat=VCFv4.2")
    for line in lines[:-1]:
        header.meta.append(line)
        if match := _DECLARATION.match(line):
            kind, name = match.groups()
            header.declared.setdefault(kind, set()).add(name)
            if kind == "contig" and (length := _LENGTH.search(line)):
                header.contig_lengths[name] = int(length.group(1))
    _read_columns(header, lines[-1], max_samples)
    return header


def _read_columns(header: Header, line: str, max_samples: int) -> None:
    where = f"Line {header.line_count}"
    columns = line.split("\t")
    if len(columns) == 1 and len(line.split()) >= len(FIXED_COLUMNS):
        raise UnusableInput(
            f"{where}: the columns of the #CHROM line are divided by spaces. A VCF is divided by tabs; "
            "save it again without changing tabs to spaces."
        )
    if tuple(columns[: len(FIXED_COLUMNS)]) != FIXED_COLUMNS:
        raise UnusableInput(
            f"{where}: expected the columns {' '.join(FIXED_COLUMNS)}, found "
            f"{' '.join(columns[:8])[:100]!r}. Put the eight columns in this order."
        )
    if len(columns) > len(FIXED_COLUMNS) and columns[8] != "FORMAT":
        header.notes.append(f"column 9 was called {columns[8]!r} and is now called FORMAT, as it must be")
        columns[8] = "FORMAT"
    samples = columns[9:]
    if len(samples) > max_samples:
        raise UnusableInput(
            f"{where}: the file has {len(samples):,} samples, and at most {max_samples:,} are taken. "
            "Upload fewer samples, for example with: bcftools view -s NAMES"
        )
    if len(set(samples)) != len(samples):
        twice = next(name for name in samples if samples.count(name) > 1)
        raise UnusableInput(
            f"{where}: the sample {twice!r} stands there more than once. Give every sample its own name."
        )
    header.columns = columns

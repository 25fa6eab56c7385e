"""Check record lines: one pattern over all of them at once, and a close look only at those that fail it."""

import re
from dataclasses import dataclass

import polars as pl

from annotations.engine.scan.header import FIXED_COLUMNS

MAX_POSITION = 2**31 - 1

_REF = r"[ACGTNacgtnRYSWKMBDHVryswkmbdhv]+"  # with the IUPAC codes, which are taken but not judged
_BREAKEND = r"[A-Za-z.]*[\[\]][^\[\]\t,]+[\[\]][A-Za-z.]*|\.[A-Za-z]+|[A-Za-z]+\."
_ALLELE = rf"(?:{_REF}|\*|<[^<>,\t]+>|{_BREAKEND})"
_ALT = rf"(?:\.|{_ALLELE}(?:,{_ALLELE})*)"
_QUAL = r"(?:\.|[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?(?i:inf|infinity|nan))"
_COLUMN_PATTERNS = {
    "CHROM": r"[^\t\s]+",
    "POS": r"[0-9]{1,10}",
    "ID": r"[^\t\s]+",
    "REF": _REF,
    "ALT": _ALT,
    "QUAL": _QUAL,
    "FILTER": r"[^\t\s]+",
    "INFO": r"[^\t]+",
}
RECORD = "^" + r"\t".join(_COLUMN_PATTERNS.values()) + r"(?:\t|$)"

_EXPECTED = {
    "CHROM": "a contig's name without spaces",
    "POS": "a whole number, the 1-based position",
    "ID": "an identifier without spaces, or . for none",
    "REF": "the reference bases (A, C, G, T, N)",
    "ALT": "bases, <SYMBOLIC>, a breakend, * or . (several divided by commas)",
    "QUAL": "a number, or . for none",
    "FILTER": "PASS, filter names without spaces divided by ;, or .",
    "INFO": "key=value pairs divided by ;, or .",
}
_REMEDY = {
    "POS": "Positions are counted from 1 and written without commas or decimals.",
    "REF": "Write the reference's bases; for an insertion or deletion include the base before.",
    "ALT": "Write a deletion as the base before it (REF CA, ALT C), never as '-'.",
}


@dataclass(frozen=True)
class Problem:
    """One fault of an upload: `line` counts from 1 in the unpacked file."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}"


def faulty_lines(lines: pl.Series, column_count: int, max_line_bytes: int) -> list[int]:
    """The indexes of the lines that are no valid record."""
    valid = (
        lines.str.contains(RECORD)
        & (lines.str.count_matches("\t", literal=True) == column_count - 1)
        & (lines.str.len_bytes() <= max_line_bytes)
    )
    return [] if valid.all() else (~valid).arg_true().to_list()


def diagnose(line: str, line_number: int, column_count: int, max_line_bytes: int) -> Problem:
    """Say what is wrong with a line that is known to be faulty, and what to do."""
    fields = line.split("\t")
    message = _fault_of_line(line, fields, column_count, max_line_bytes)
    if message:
        return Problem(line_number, "", message)
    for (column, pattern), value in zip(_COLUMN_PATTERNS.items(), fields, strict=False):
        if not re.fullmatch(pattern, value):
            remedy = _REMEDY.get(column, "Correct the value.")
            expected = f"{column} is {value[:40]!r}; expected {_EXPECTED[column]}. {remedy}"
            return Problem(line_number, column, expected)
    return Problem(line_number, "", "the line is no valid record.")


def _fault_of_line(line: str, fields: list[str], column_count: int, max_line_bytes: int) -> str:
    if not line:
        return "an empty line between the records. Remove it."
    if len(line.encode()) > max_line_bytes:
        return f"the line is longer than {max_line_bytes:,} bytes. Leave out samples or INFO fields."
    if len(fields) == 1 and len(line.split()) >= len(FIXED_COLUMNS):
        return "the columns are divided by spaces. Divide them by tabs."
    if line.startswith("#"):
        return f"a header line ({line[:40]!r}) stands among the records. Move it to the top."
    if len(fields) != column_count:
        return (
            f"expected {column_count} columns as in the #CHROM line, found {len(fields)}. "
            "Give the line every column, with . for what is unknown."
        )
    return ""

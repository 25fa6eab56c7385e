"""Patterns of faultless record lines, made from what a header promises.

They are regular expressions without lookaround or backreferences, so that polars (Rust's regex, linear in
the text) and Python's re read them alike: polars screens millions of lines with them, and the same pieces,
held by re against the few lines that are left, tell which column is at fault.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import comb

from annotations.engine.check.header import Header
from annotations.engine.check.keys import NUMBERS_BY_ALLELE, RESERVED, Key, effective, undeclared

# Counts beyond these are not spelled out: a pattern grows with them. Such values are checked by type alone.
MOST_COUNTED_VALUES = 24
PLOIDIES = (1, 2, 3, 4)

_NO_CONTROL = r"\x00-\x1f\x7f"
BASES = "[ACGTNacgtn]+"
_MATE = r"(?:[^\[\]\s,<>]+|<[^<>\[\]\s,]+>):[0-9]+"
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_NOT_FINITE = r"(?i:inf|infinity|nan)"

POS = r"[0-9]{1,10}"
ID = rf"[^{_NO_CONTROL} ;]+(?:;[^{_NO_CONTROL} ;]+)*"
ALLELE = (
    rf"(?:{BASES}|\*|<[^{_NO_CONTROL} <>,]+>|\.{BASES}|{BASES}\."
    rf"|[ACGTNacgtn.]+(?:\[{_MATE}\[|\]{_MATE}\])|(?:\[{_MATE}\[|\]{_MATE}\])[ACGTNacgtn.]+)"
)
QUAL = rf"(?:\.|\+?{_NUMBER}|\+?{_NOT_FINITE})"
FILTER_NAME = rf"(?:[^{_NO_CONTROL} ;.0][^{_NO_CONTROL} ;]*|[.0][^{_NO_CONTROL} ;]+)"
INFO_NAME = rf"[^{_NO_CONTROL} ;=,]+"
FORMAT_NAME = rf"[^{_NO_CONTROL} :;,=]+"
INFO_TEXT = rf"[^{_NO_CONTROL};]*"
_VALUES = {
    "Integer": r"[-+]?[0-9]+",
    "Float": rf"[-+]?(?:{_NUMBER}|{_NOT_FINITE})",
    "Character": rf"[^{_NO_CONTROL};:,]",
    "CIGAR": r"(?:[0-9]*[MIDNSHPX=])+",
}
_NOT_NEGATIVE = {"Integer": r"\+?[0-9]+", "Float": rf"\+?(?:{_NUMBER}|{_NOT_FINITE})"}
FREE_TEXT = ("String", "Flag")


def chrom(colons: bool) -> str:
    """A contig's name; with a colon only where the header declares such names, as those of HLA alleles."""
    name = rf"[^{_NO_CONTROL} <>,{'' if colons else ':'}]+"
    return f"(?:{name}|<{name}>)"


def alt(alternate_alleles: int) -> str:
    if not alternate_alleles:
        return r"\."
    return ALLELE if alternate_alleles == 1 else rf"{ALLELE}(?:,{ALLELE})+"


def info_item(key: Key, alternate_alleles: int) -> str:
    """What may follow the name of an INFO key, with its equals sign."""
    if key.type == "Flag":
        return "(?:=[01])?"
    if key.type == "String" and not _is_reserved("INFO", key):
        return rf"(?:={INFO_TEXT})?"  # free text is full of commas, so its values are not counted
    return f"={_values(key, key.expected_count(alternate_alleles), 'INFO')}"


def genotype(alternate_alleles: int) -> str:
    """A GT value: alleles that there are, or dots, of any ploidy."""
    allele = rf"(?:\.|{_allele_number(alternate_alleles)})"
    return rf"{allele}(?:[/|]{allele})*"


def _called_genotype(alternate_alleles: int, ploidy: int) -> str:
    allele = _allele_number(alternate_alleles)
    return rf"{allele}(?:[/|]{allele}){{{ploidy - 1}}}"


def _uncounted_genotype(alternate_alleles: int) -> str:
    """A GT value with a missing allele, or of so many alleles that values are not counted by it."""
    called = _allele_number(alternate_alleles)
    allele = rf"(?:\.|{called})"
    return rf"(?:(?:{allele}[/|])*\.(?:[/|]{allele})*|{called}(?:[/|]{called}){{{max(PLOIDIES)},}})"


def _allele_number(alternate_alleles: int) -> str:
    highest = max(1, alternate_alleles)  # writers give 0/1 where ALT is `.`, too
    return f"[0-{highest}]" if highest < 10 else _up_to(highest)


@lru_cache(maxsize=64)
def _up_to(highest: int) -> str:
    return "(?:" + "|".join(str(number) for number in range(highest, -1, -1)) + ")"


def format_value(key: Key, alternate_alleles: int, ploidy: int | None) -> str:
    """A value of a FORMAT key other than GT; with an unknown `ploidy` (None), G is not counted."""
    if key.type in FREE_TEXT:
        return rf"[^{_NO_CONTROL}:]+"
    count = key.expected_count(alternate_alleles)
    if key.number == "G" and ploidy and alternate_alleles:
        count = comb(alternate_alleles + ploidy, ploidy)
    return _values(key, count, "FORMAT")


def _values(key: Key, count: int | None, kind: str) -> str:
    if key.type in FREE_TEXT:
        one = rf"[^{_NO_CONTROL},;]+" if kind == "INFO" else rf"[^{_NO_CONTROL}:,]+"
    elif key.minimum == 0:
        one = _NOT_NEGATIVE[key.type]
    else:
        one = _VALUES[key.type]
    one = rf"(?:\.|{one})"
    if count is None or count > MOST_COUNTED_VALUES:
        return f"{one}(?:,{one})*"
    if count <= 1:
        return one
    return rf"(?:\.|{one}(?:,{one}){{{count - 1}}})"


def _is_reserved(kind: str, key: Key) -> bool:
    return key.name in RESERVED[kind]


class Promises:
    """What the header promises of the records, and what was met in them beyond that.

    Undeclared keys and filters are no fault: they are learned as they are met, and from then on expected, a
    reserved key as the specification has it and any other as free text.
    """

    def __init__(self, header: Header) -> None:
        self.samples = len(header.samples)
        self.has_format = len(header.columns) > 8
        self.colons = any(":" in name for name in header.contigs)
        self.info = {name: effective("INFO", key) for name, key in header.info.items()}
        self.format = {name: effective("FORMAT", key) for name, key in header.format.items()}
        self.filters = {"PASS", *header.filters}
        self.formats: set[str] = set()
        self.times_learned = 0
        self._lines: dict[int, str] = {}

    def learn(self, kind: str, names: Iterable[str]) -> None:
        """Expect undeclared INFO or FORMAT keys, filters, or whole FORMAT columns from now on."""
        self._lines.clear()
        self.times_learned += 1
        if kind == "FILTER":
            self.filters.update(names)
        elif kind == "FORMATS":
            self.formats.update(names)
        else:
            keys = self.info if kind == "INFO" else self.format
            keys.update({name: undeclared(kind, name) for name in names})

    def line(self, alternate_alleles: int) -> str:
        """A whole record line with so many alternate alleles; the number of samples is checked up to two."""
        if alternate_alleles not in self._lines:
            columns = [
                chrom(self.colons),
                POS,
                ID,
                BASES,
                alt(alternate_alleles),
                QUAL,
                self.filter_column(),
                self.info_column(alternate_alleles),
            ]
            if self.has_format:
                columns.append(self._genotype_columns(alternate_alleles))
            self._lines[alternate_alleles] = "^" + r"\t".join(columns) + "$"
        return self._lines[alternate_alleles]

    def fixed_columns(self) -> str:
        """A record line of which only the fixed columns are looked at, not how many columns follow."""
        alleles = rf"(?:\.|{ALLELE}(?:,{ALLELE})*)"
        filters = rf"(?:\.|{FILTER_NAME}(?:;{FILTER_NAME})*)"
        columns = [chrom(self.colons), POS, ID, BASES, alleles, QUAL, filters]
        return "^" + r"\t".join(columns) + rf"(?:\t[^\t{_NO_CONTROL}]+)+$"

    def filter_column(self) -> str:
        names = _any_of(self.filters)
        return rf"(?:\.|{names}(?:;{names})*)"

    def info_column(self, alternate_alleles: int) -> str:
        by_value: dict[str, list[str]] = {}
        for name, key in self.info.items():
            by_value.setdefault(info_item(key, alternate_alleles), []).append(name)
        if not by_value:
            return r"\."
        item = "(?:" + "|".join(_any_of(names) + value for value, names in by_value.items()) + ")"
        return rf"(?:\.|{item}(?:;{item})*;?)"

    def _genotype_columns(self, alternate_alleles: int) -> str:
        columns = []
        for text in sorted(self.formats):
            sample = self.sample(text, alternate_alleles)
            often = rf"(?:\t{sample})" + ("" if self.samples == 1 else "*")
            columns.append(re.escape(text) + often)
        return "(?:" + "|".join(columns) + ")" if columns else r"\."

    def sample(self, text: str, alternate_alleles: int) -> str:
        """A sample's column under the FORMAT column `text`; trailing values may be left out."""
        keys = text.split(":")
        if text == ".":
            return r"\."
        if keys[0] != "GT":
            ploidies = (1, 2) if self._counts_genotypes(keys) else (None,)
            return _either(self._fields(keys, alternate_alleles, ploidy) for ploidy in ploidies)
        if not self._counts(keys[1:]):
            return genotype(alternate_alleles) + self._more(keys[1:], alternate_alleles, None)
        return _either(
            [
                *(
                    _called_genotype(alternate_alleles, ploidy)
                    + self._more(keys[1:], alternate_alleles, ploidy)
                    for ploidy in PLOIDIES
                ),
                _uncounted_genotype(alternate_alleles) + self._more(keys[1:], 0, None),
            ]
        )

    def _fields(self, keys: list[str], alternate_alleles: int, ploidy: int | None) -> str:
        first = self.value(keys[0], alternate_alleles, ploidy)
        return rf"(?:\.|{first})" + self._more(keys[1:], alternate_alleles, ploidy)

    def _more(self, keys: list[str], alternate_alleles: int, ploidy: int | None) -> str:
        text = ""
        for name in reversed(keys):
            text = rf"(?::(?:\.|{self.value(name, alternate_alleles, ploidy)}){text})?"
        return text

    def value(self, name: str, alternate_alleles: int, ploidy: int | None) -> str:
        return format_value(self.format[name], alternate_alleles, ploidy)

    def _counts_genotypes(self, keys: list[str]) -> bool:
        return any(self.format[name].number == "G" and self._is_counted(name) for name in keys)

    def _counts(self, keys: list[str]) -> bool:
        return any(self._is_counted(name) for name in keys)

    def _is_counted(self, name: str) -> bool:
        return self.format[name].number in NUMBERS_BY_ALLELE and self.format[name].type not in FREE_TEXT


def _either(patterns: Iterable[str]) -> str:
    return "(?:" + "|".join(patterns) + ")"


def _any_of(names: Iterable[str] | Mapping[str, object]) -> str:
    """One of the names, the longest first so that re finds it as Rust's regex does."""
    ordered = sorted(names, key=lambda name: (-len(name), name))
    return "(?:" + "|".join(re.escape(name) for name in ordered) + ")"

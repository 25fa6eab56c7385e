"""Say what exactly is wrong with a line that the screen left over, column by column."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from annotations.engine.check import patterns
from annotations.engine.check.header import FIXED_COLUMNS
from annotations.engine.check.keys import Key, undeclared
from annotations.engine.check.patterns import FREE_TEXT, PLOIDIES, Promises
from annotations.engine.check.report import Finding, quoted
from annotations.engine.check.screen import is_format

_EXPECTED = {
    "CHROM": "a contig's name without spaces, commas, angle brackets or (where it is not declared) colons",
    "POS": "a whole number, the position counted from 1",
    "ID": "identifiers without spaces divided by semicolons, or a dot for none",
    "REF": "the reference's bases (A, C, G, T, N)",
    "ALT": "bases, <SYMBOLIC>, a breakend, * or a dot, several divided by commas",
    "QUAL": "a number that is not negative, or a dot for none",
    "FILTER": "PASS, or names of filters without spaces divided by semicolons (never 0), or a dot",
}
_REMEDY = {
    "CHROM": "Name the contig as the reference does.",
    "POS": "Write it without signs, commas or decimals.",
    "ID": "Write a dot where there is no identifier.",
    "REF": "Write the bases that the reference has there; for an insertion or deletion include the base "
    "before. A base that is in doubt is N.",
    "ALT": "Write a deletion as the base before it (REF CA, ALT C), never as -. A base in doubt is N.",
    "QUAL": "Write a dot where there is no quality.",
    "FILTER": "Write PASS or a dot where no filter failed.",
}


_AMBIGUOUS = re.compile(
    "[ACGTNRYSWKMBDHV]+", re.IGNORECASE
)  # IUPAC: GRCh37 has two R and an M in chromosome 3
BasesAt = Callable[[str, int, int], str]


class Explainer:
    """Explains lines. It finds no fault in any line that the screen lets pass.

    `bases_at` gives the reference's bases for a contig, a position (from 1) and their number; fewer, or none,
    where it has no more.
    """

    def __init__(
        self, promises: Promises, columns: int, line_bytes: int, bases_at: BasesAt | None = None
    ) -> None:
        self._promises = promises
        self._columns = columns
        self._line_bytes = line_bytes
        self._bases_at = bases_at

    def explain(self, line: str, number: int) -> Iterator[Finding]:
        """The faults of a line, the first of each column or key; none where it is only unusual."""
        fields = line.split("\t")
        whole = self._wrong_as_a_whole(line, fields, number)
        if whole is not None:
            yield whole
            return
        faults = list(self._fixed_columns(fields, number))
        yield from faults
        if any(fault.column == "ALT" for fault in faults):
            return  # how many values there must be depends on it
        alternates = 0 if fields[4] == "." else fields[4].count(",") + 1
        yield from self._info(fields[7], alternates, number)
        if self._promises.has_format:
            yield from self._genotypes(fields[8], fields[9:], alternates, number)

    def _wrong_as_a_whole(self, line: str, fields: list[str], number: int) -> Finding | None:
        if line.startswith("#"):
            return Finding(
                "header-among-records",
                f"the header line {quoted(line)} stands among the records. Were two files joined? Move it "
                "to the top or remove it.",
                line=number,
            )
        if len(line.encode()) > self._line_bytes:
            return Finding(
                "line-too-long",
                f"the line is longer than {self._line_bytes:,} bytes. Upload fewer samples a file.",
                line=number,
            )
        if len(fields) == self._columns:
            return None
        if len(fields) < len(FIXED_COLUMNS) <= len(line.split()):
            return Finding(
                "spaces-for-tabs",
                f"columns are divided by spaces in {quoted(line)}; a VCF is divided by tabs. Save the file "
                "again without changing tabs to spaces.",
                line=number,
            )
        return Finding(
            "wrong-field-count",
            f"expected {self._columns} columns, as the #CHROM line names, found {len(fields)}. Give the "
            "line every column, with a dot for what is unknown; a line that is too short may have been cut "
            "off.",
            line=number,
        )

    def _fixed_columns(self, fields: list[str], number: int) -> Iterator[Finding]:
        expected = {
            "CHROM": patterns.chrom(self._promises.colons),
            "POS": patterns.POS,
            "ID": patterns.ID,
            "REF": patterns.BASES,
            "ALT": rf"(?:\.|{patterns.ALLELE}(?:,{patterns.ALLELE})*)",
            "QUAL": patterns.QUAL,
            "FILTER": rf"(?:\.|{patterns.FILTER_NAME}(?:;{patterns.FILTER_NAME})*)",
        }
        has = self._reference_bases(fields)
        if has and has == fields[3].upper():
            fields = _with_n_for_ambiguous(fields)
        for (column, pattern), value in zip(expected.items(), fields, strict=False):
            if not re.fullmatch(pattern, value):
                reference = f" (it has {quoted(has)} there)" if column == "REF" and has else ""
                yield Finding(
                    f"bad-{column.lower()}",
                    f"expected {_EXPECTED[column]}{reference}, found {quoted(value)}. {_REMEDY[column]}",
                    line=number,
                    column=column,
                )

    def _reference_bases(self, fields: list[str]) -> str:
        """The reference's bases under a REF with IUPAC codes of ambiguity; empty where they are not known."""
        chrom, position, _, ref = fields[:4]
        plain = re.fullmatch(patterns.BASES, ref) or not re.fullmatch(_AMBIGUOUS, ref)
        if self._bases_at is None or plain or not re.fullmatch(patterns.POS, position):
            return ""
        return self._bases_at(chrom, int(position), len(ref)).upper()

    def _info(self, text: str, alternates: int, number: int) -> Iterator[Finding]:
        if text == ".":
            return
        items = text.split(";")
        if len(items) > 1 and not items[-1]:
            items.pop()  # a semicolon at the end is common, and hides nothing
        for item in items:
            name, equals, value = item.partition("=")
            if not re.fullmatch(patterns.INFO_NAME, name):
                yield Finding(
                    "bad-info",
                    "expected key=value pairs divided by semicolons, with no spaces in a key, found "
                    f"{quoted(item)}. Mend the key, or write a dot where there is nothing.",
                    line=number,
                    column="INFO",
                )
                continue
            key = self._promises.info.get(name) or undeclared("INFO", name)
            if not _compiled(patterns.info_item(key, alternates)).fullmatch(equals + value):
                count = key.expected_count(alternates)
                yield _bad_value("INFO", key, count, equals + value, number, f"INFO/{name[:40]}")

    def _genotypes(self, text: str, samples: list[str], alternates: int, number: int) -> Iterator[Finding]:
        if not is_format(text):
            yield Finding(
                "bad-format",
                "expected names divided by colons, none empty or twice, with GT first, found "
                f"{quoted(text)}. Mend the FORMAT column.",
                line=number,
                column="FORMAT",
            )
            return
        if text == ".":
            yield from self._without_format(samples, number)
            return
        known = self._promises.format
        missing = [name for name in text.split(":") if name not in known]
        if missing:
            self._promises.learn("FORMAT", missing)
        told: set[str] = set()
        for at, sample in enumerate(samples, 1):
            for finding in self._sample(text, sample, at, alternates, number):
                if finding.column not in told:
                    told.add(finding.column)
                    yield finding

    def _without_format(self, samples: list[str], number: int) -> Iterator[Finding]:
        told = [sample for sample in samples if sample != "."]
        if told:
            yield Finding(
                "bad-sample",
                f"FORMAT is a dot, so that every sample must be one, too; found {quoted(told[0])}. Name the "
                "values in FORMAT, or write dots.",
                line=number,
                column="FORMAT",
            )

    def _sample(self, text: str, sample: str, at: int, alternates: int, number: int) -> Iterator[Finding]:
        names, values = text.split(":"), sample.split(":")
        whose = f"in sample {at}, "
        if len(values) > len(names):
            yield Finding(
                "bad-sample",
                f"{whose}expected at most {len(names)} values, as FORMAT names ({quoted(text)}), found "
                f"{len(values)}: {quoted(sample)}. Remove the extra ones, or name them in FORMAT.",
                line=number,
                column="FORMAT",
            )
            return
        ploidy: int | None = 2
        for name, value in zip(names, values, strict=False):
            if name == "GT":
                ploidy = _ploidy(value)
                if not re.fullmatch(patterns.genotype(alternates), value):
                    yield _bad_genotype(whose, value, alternates, number)
                    return
                continue
            unknown = names[0] == "GT" and ploidy is None
            key = self._promises.format[name]
            allowed = (1, 2) if names[0] != "GT" else (ploidy,)
            if value != "." and not any(
                _compiled(patterns.format_value(key, 0 if unknown else alternates, one)).fullmatch(value)
                for one in allowed
            ):
                yield _bad_value(
                    "FORMAT",
                    key,
                    _count(key, alternates, ploidy),
                    value,
                    number,
                    f"FORMAT/{name[:40]}",
                    whose,
                )


def _with_n_for_ambiguous(fields: list[str]) -> list[str]:
    """The line as if REF, and what ALT alleles share of its first base, had N for an ambiguous base."""
    ref, alts = fields[3], fields[4].split(",")
    shared = [f"N{alt[1:]}" if alt[:1] == ref[0] else alt for alt in alts]
    return [*fields[:3], "N" * len(ref), ",".join(shared), *fields[5:]]


def _ploidy(genotype: str) -> int | None:
    """The number of alleles; None where one is missing, or where there are too many to count values by."""
    ploidy = len(re.split(r"[/|]", genotype))
    return None if "." in genotype or ploidy not in PLOIDIES else ploidy


def _count(key: Key, alternates: int, ploidy: int | None) -> int | None:
    if key.number == "G" and ploidy and alternates:
        return patterns.comb(alternates + ploidy, ploidy)
    return key.expected_count(alternates)


def _bad_genotype(whose: str, value: str, alternates: int, number: int) -> Finding:
    return Finding(
        "bad-genotype",
        f"{whose}expected alleles from 0 to {max(1, alternates)} or dots, divided by / or |, found "
        f"{quoted(value)}. Correct the genotype, or write ./. where it is unknown.",
        line=number,
        column="FORMAT/GT",
    )


def _bad_value(  # noqa: PLR0913, PLR0917 - what was expected, found, and where
    kind: str, key: Key, count: int | None, value: str, number: int, column: str, whose: str = ""
) -> Finding:
    if key.type == "Flag":
        expected = "a flag has no value"
    else:
        often = "" if count is None else f"{count} " if count != 1 else "one "
        type_ = "free text without commas" if key.type in FREE_TEXT else f"Type {key.type}"
        bound = ", not negative" if key.minimum == 0 else ""
        values = "value" if count == 1 else "values"
        expected = f"expected {often}{values} of {type_}{bound}"
        if key.number in "ARG":
            expected += f" (Number={key.number})"
    return Finding(
        f"bad-{kind.lower()}-value",
        f"{whose}{expected}, found {quoted(value.removeprefix('='))}. Correct the value, or its "
        "declaration in the header.",
        line=number,
        column=column,
    )


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)

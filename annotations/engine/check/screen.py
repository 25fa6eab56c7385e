"""Hold the unusual lines of a block against the pattern of a faultless one at once; few are left over."""

import re
from collections.abc import Container, Sequence

import polars as pl

from annotations.engine.check import patterns
from annotations.engine.check.patterns import Promises
from annotations.engine.check.plain import PlainLines
from annotations.engine.check.report import Finding, Report, quoted
from annotations.engine.check.text import RecordLines

# Beyond so many different undeclared names a file is not what it says; its lines are then looked at one by
# one.
MOST_LEARNED = {"INFO": 1_000, "FORMAT": 1_000, "FILTER": 1_000, "FORMATS": 100}
FIRST_LEARNED_FROM = 500
_UNDECLARED = "The {kind} {name} is not declared in the header; it was taken as free text."
_RESERVED = "The {kind} {name} is not declared in the header; it was taken as the specification has it."


class Screen:
    """Finds the lines that need a closer look, and learns what the header did not declare on the way."""

    def __init__(self, promises: Promises, columns: int, line_bytes: int, report: Report) -> None:
        self._promises = promises
        self._columns = columns
        self._line_bytes = line_bytes
        self._report = report
        self._learned = dict.fromkeys(MOST_LEARNED, 0)
        self._too_large: set[int] = set()  # numbers of alternate alleles whose pattern is too large
        self._plain_by = -1  # how often had been learned when `_plain` was made

    def suspicious(self, lines: RecordLines, numbers: Sequence[int]) -> list[int]:
        """The indexes of the lines that match no pattern; `numbers` are their line numbers."""
        few = self._first_unmatched(lines, FIRST_LEARNED_FROM)
        if not few:
            return []
        self._learn(lines.series(few), few, numbers)  # these teach most of what a file leaves undeclared
        left = self._first_unmatched(lines, len(lines))
        if left and self._learn(lines.series(left), left, numbers):
            left = self._first_unmatched(lines, len(lines))
        return left

    def _first_unmatched(self, lines: RecordLines, most: int) -> list[int]:
        if self._plain_by != self._promises.times_learned:
            self._plain = PlainLines(self._promises, self._columns, self._line_bytes)
            self._plain_by = self._promises.times_learned
        unusual = self._plain.others(lines)
        found: list[int] = []
        for some in (unusual[:most], unusual[most:]):
            if some and len(found) < most:
                found += self._unmatched(lines.series(some), some)
        return found[:most]

    def _fits(self, lines: pl.Series, alternates: int) -> pl.Series:
        """Which lines match the pattern for so many alternate alleles.

        Rust's regex refuses patterns that would take more than 10 MB. Where a header declares so much, the
        values of its INFO and FORMAT keys are not looked at; the fixed columns always are.
        """
        if alternates not in self._too_large:
            try:
                return lines.str.contains(self._promises.line(alternates))
            except pl.exceptions.ComputeError:
                self._too_large.add(alternates)
                message = "So many keys and FORMAT columns are used that not all values were looked at."
                self._report.add_note(Finding("unchecked-values", message, line=1))
        return self._fits_in_fixed_columns(lines)

    def wrong_in_fixed_columns(self, lines: RecordLines, index: list[int]) -> int | None:
        """The first of `index` whose line is wrong in its fixed columns or their number; None if none is."""
        wrong = ~self._fits_in_fixed_columns(lines.series(index))
        return index[int(wrong.arg_max() or 0)] if wrong.any() else None

    def _fits_in_fixed_columns(self, lines: pl.Series) -> pl.Series:
        return lines.str.contains(self._promises.fixed_columns()) & self._has_all_columns(lines)

    def _has_all_columns(self, lines: pl.Series) -> pl.Series:
        return lines.str.count_matches("\t", literal=True) == self._columns - 1

    def _unmatched(self, lines: pl.Series, index: Sequence[int]) -> list[int]:
        """Those of `index` whose line does not fit the pattern for its number of alternate alleles."""
        alt = pl.col("line").str.extract(r"^(?:[^\t]*\t){4}([^\t]*)\t")
        frame = pl.DataFrame({"line": lines, "index": pl.Series(index, dtype=pl.UInt32)}).with_columns(
            tabs=pl.col("line").str.count_matches("\t", literal=True),
            alternates=alt.str.count_matches(",", literal=True) + (alt != "."),
        )
        unmatched = [frame.filter(pl.col("alternates").is_null())["index"]]
        for (count,), group in frame.drop_nulls("alternates").group_by("alternates"):
            fits = (
                self._fits(group["line"], int(count))
                & (group["tabs"] == self._columns - 1)
                & (group["line"].str.len_bytes() <= self._line_bytes)
            )
            unmatched.append(group.filter(~fits)["index"])
        left: list[int] = pl.concat(unmatched).sort().to_list()
        return left

    def _learn(self, lines: pl.Series, index: Sequence[int], numbers: Sequence[int]) -> bool:
        """Expect from now on what these lines have beyond the header; returns whether that is anything."""
        before = dict(self._learned)
        columns = lines.str.splitn("\t", 10).struct.unnest()
        frame = columns.with_columns(index=pl.Series(index, dtype=pl.UInt32))
        frame = frame.filter(self._has_all_columns(lines))
        info, filters = self._promises.info, self._promises.filters
        self._learn_names("INFO", frame, "field_7", ";", patterns.INFO_NAME, info, numbers)
        self._learn_names("FILTER", frame, "field_6", ";", patterns.FILTER_NAME, filters, numbers)
        if self._promises.has_format:
            keys = self._promises.format
            self._learn_names("FORMAT", frame, "field_8", ":", patterns.FORMAT_NAME, keys, numbers)
            self._learn_formats(frame["field_8"].unique())
        return self._learned != before

    def _learn_names(  # noqa: PLR0913, PLR0917 - where the names stand, and which are known
        self,
        kind: str,
        frame: pl.DataFrame,
        column: str,
        between: str,
        name_pattern: str,
        known: Container[str],
        numbers: Sequence[int],
    ) -> None:
        names = frame.select(name=pl.col(column).str.split(between), index="index").explode(
            "name", empty_as_null=False, keep_nulls=False
        )
        if kind == "INFO":
            names = names.with_columns(name=pl.col("name").str.splitn("=", 2).struct[0])
        firsts = names.group_by("name").agg(pl.col("index").min(), pl.len()).sort("index", "name")
        new = []
        for name, first, count in firsts.iter_rows():
            if name in known or name in (".", "") or not re.fullmatch(name_pattern, name):
                continue
            if self._learned[kind] == MOST_LEARNED[kind]:
                break
            self._learned[kind] += 1
            new.append(name)
            self._note(kind, name, numbers[first], count)
        if new:
            self._promises.learn(kind, new)

    def _note(self, kind: str, name: str, line: int, count: int) -> None:
        text = _RESERVED if name in patterns.RESERVED.get(kind, ()) else _UNDECLARED
        message = text.format(kind="filter" if kind == "FILTER" else f"{kind} key", name=quoted(name))
        column = kind if kind == "FILTER" else f"{kind}/{name[:40]}"
        self._report.add_note(Finding("undeclared", message, line=line, column=column))

    def _learn_formats(self, texts: pl.Series) -> None:
        for text in sorted(set(texts.drop_nulls()) - self._promises.formats):
            room = self._learned["FORMATS"] < MOST_LEARNED["FORMATS"]
            if room and is_format(text) and all(name in self._promises.format for name in _names(text)):
                self._learned["FORMATS"] += 1
                self._promises.learn("FORMATS", [text])


def _names(text: str) -> list[str]:
    return [] if text == "." else text.split(":")


def is_format(text: str) -> bool:
    """Whether a FORMAT column is well formed: names divided by colons, none twice, GT first where it is."""
    names = text.split(":")
    return text == "." or (
        all(re.fullmatch(patterns.FORMAT_NAME, name) for name in names)
        and len(set(names)) == len(names)
        and "GT" not in names[1:]
    )

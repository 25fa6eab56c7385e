"""Read typed values out of an address's parameters, and note what is wrong with them."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from annotations.results.problems import FilterProblem

MOST_VALUES = 500  # of one parameter: a large gene panel
LONGEST_VALUE = 200
_BETWEEN_WORDS = re.compile(r"[\s,;]+")
_REGION = re.compile(r"(?P<contig>[^\s:]+|[^\s]+?)(?::(?P<start>[\d,]+)(?:-(?P<end>[\d,]+))?)?")
FURTHEST_POSITION = 2**31 - 1


class ParameterReader:
    """Reads parameters one by one; `problems` gathers those that can't be used."""

    def __init__(self, parameters: Mapping[str, Sequence[str]]) -> None:
        self._parameters = {name: self._given(name, values) for name, values in _lists(parameters)}
        self.problems: list[FilterProblem] = []

    def assume(self, parameters: Mapping[str, Sequence[str]]) -> None:
        """Take these values for what is not given."""
        for name, values in parameters.items():
            if not self._parameters.get(name):
                self._parameters[name] = list(values)

    def refuse(self, parameter: str, expected: str, found: str) -> None:
        self.problems.append(FilterProblem(parameter, expected, found))

    def refuse_others(self, known: Iterable[str], besides: Iterable[str]) -> None:
        """Note every parameter that is none of these."""
        names = [*known, *besides]
        for name in self._parameters:
            if name not in names:
                near = get_close_matches(name, names, n=1)
                hint = f"{near[0]}, perhaps" if near else f"one of {', '.join(known)}"
                self.refuse(_shown(name), hint, "a parameter of this name")

    def words(self, parameter: str) -> tuple[str, ...]:
        """All words of all values, each once."""
        words = [
            word for value in self._values(parameter) for word in _BETWEEN_WORDS.split(value.strip()) if word
        ]
        return self._within_limits(parameter, words)

    def choices(self, parameter: str, allowed: Iterable[str], most: int = MOST_VALUES) -> tuple[str, ...]:
        """Words out of `allowed`."""
        allowed = tuple(allowed)
        words = self.words(parameter)
        wrong = [word for word in words if word not in allowed]
        for word in wrong[:5]:
            near = get_close_matches(word, allowed, n=1)
            self.refuse(parameter, near[0] if near else f"one of {', '.join(allowed)}", _quoted(word))
        if len(words) > most:
            self.refuse(parameter, "one value", f"{len(words)}")
        return tuple(word for word in words if word in allowed)

    def text(self, parameter: str) -> str | None:
        """One value, whatever is in it."""
        values = self._within_limits(parameter, self._values(parameter))
        if len(values) > 1:
            self.refuse(parameter, "one value", f"{len(values)}")
        return values[0] if values else None

    def number(self, parameter: str, least: float, most: float | None) -> float | None:
        value = self.text(parameter)
        if value is None:
            return None
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and number >= least and (most is None or number <= most):
            return number
        limits = f"from {least:g} to {most:g}" if most is not None else f"of {least:g} or more"
        self.refuse(parameter, f"a number {limits}", _quoted(value))
        return None

    def range(
        self, low: str, high: str, least: float, most: float | None
    ) -> tuple[float | None, float | None]:
        """Two numbers, the first not over the second."""
        low_value, high_value = self.number(low, least, most), self.number(high, least, most)
        if low_value is not None and high_value is not None and low_value > high_value:
            self.refuse(low, f"no more than {high}, which is {high_value:g}", f"{low_value:g}")
        return low_value, high_value

    def pairs(self, parameter: str, kinds: Sequence[str]) -> list[tuple[str, str]]:
        """Values KIND:NAME; the name may hold anything, colons and spaces too."""
        found = []
        for value in self._within_limits(parameter, self._values(parameter)):
            kind, _, name = value.partition(":")
            if kind in kinds and name:
                found.append((kind, name))
            else:
                self.refuse(parameter, f"{'|'.join(kinds)}, a colon and a sample's name", _quoted(value))
        return found

    def regions(self, parameter: str) -> list[tuple[str, int | None, int | None, str]]:
        """CONTIG, CONTIG:POS or CONTIG:START-END, and how it was written; thousands may have commas."""
        values = [
            part
            for value in self._values(parameter)
            for part in re.split(r"[\s;]+|,(?!\d{3}\b)", value)
            if part
        ]
        return [
            region
            for value in self._within_limits(parameter, values)
            if (region := self._region(parameter, value)) is not None
        ]

    def _region(self, parameter: str, value: str) -> tuple[str, int | None, int | None, str] | None:
        match = _REGION.fullmatch(value)
        if match is None:
            self.refuse(parameter, "CONTIG, CONTIG:POS or CONTIG:START-END", _quoted(value))
            return None
        if match["start"] is None:
            return match["contig"], None, None, value
        start = int(match["start"].replace(",", "") or 0)
        end = int(match["end"].replace(",", "") or 0) if match["end"] else start
        if not 0 < start <= end <= FURTHEST_POSITION:
            self.refuse(parameter, "a start of 1 or more and an end not before it", _quoted(value))
            return None
        written = match["contig"] + value.removeprefix(match["contig"]).replace(",", "")
        return match["contig"], start, end, written

    def _values(self, parameter: str) -> list[str]:
        return self._parameters.get(parameter, [])

    @staticmethod
    def _given(name: str, values: Sequence[str]) -> list[str]:
        return [value.strip() for value in values if value.strip()]

    def _within_limits(self, parameter: str, values: Sequence[str]) -> tuple[str, ...]:
        values = tuple(dict.fromkeys(values))
        too_long = next((value for value in values if len(value) > LONGEST_VALUE), None)
        if too_long is not None:
            self.refuse(parameter, f"values of up to {LONGEST_VALUE} characters", f"{len(too_long)}")
            return ()
        if any("\0" in value for value in values):
            self.refuse(parameter, "text without null characters", "one with them")
            return ()
        if len(values) > MOST_VALUES:
            self.refuse(parameter, f"up to {MOST_VALUES} values", f"{len(values)}")
            return ()
        return values


def _lists(parameters: Mapping[str, Sequence[str]]) -> Iterable[tuple[str, Sequence[str]]]:
    """Of a QueryDict all values of each name, of which `items` would give the last one."""
    lists = getattr(parameters, "lists", None)
    return lists() if lists is not None else parameters.items()


def _quoted(value: str) -> str:
    return f"“{_shown(value)}”"


def _shown(value: str) -> str:
    return value if len(value) <= 60 else f"{value[:57]}..."

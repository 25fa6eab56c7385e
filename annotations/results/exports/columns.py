"""The columns of an export that has a row for each allele, and their values as plain cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.results.layout import TableLayout

# What the table has for quick filters only, or says in another column too.
_INTERNAL = {"gene_names", "zygosity", "alt_dosage"}
_OF_SAMPLES = {"gt": "GT", "dp": "DP", "gq": "GQ"}
Cell = str | int | float | bool | None


@dataclass(frozen=True)
class ExportColumns:
    """`names` are columns of the table; lists of samples stand last, in the order of `_OF_SAMPLES`."""

    names: tuple[str, ...]
    samples: tuple[str, ...]

    @classmethod
    def of(cls, layout: TableLayout) -> "ExportColumns":
        own = [name for name in layout.columns if name not in _INTERNAL and name not in _OF_SAMPLES]
        of_samples = [name for name in _OF_SAMPLES if name in layout.columns]
        return cls((*own, *of_samples), layout.samples)

    @property
    def _own(self) -> int:
        return len(self.names) - (len(_OF_SAMPLES) if self.samples else 0)

    def headings(self) -> list[str]:
        """A column for each, and three for each sample: `NA12878:GT`."""
        per_sample = [f"{sample}:{field}" for sample in self.samples for field in _OF_SAMPLES.values()]
        return [*self.names[: self._own], *per_sample]

    def cells(self, row: Sequence[Any]) -> Iterator[Cell]:
        """The row under `headings`; a list is one text with commas."""
        for value in row[: self._own]:
            yield ",".join(map(str, value)) if isinstance(value, list) else value
        if self.samples:
            for values in zip(*row[self._own :], strict=True):
                yield from values

    def record(self, row: Sequence[Any]) -> dict[str, Any]:
        """The row by name, lists as they are and the samples by theirs."""
        found = dict(zip(self.names[: self._own], row, strict=False))
        if self.samples:
            found["samples"] = {
                sample: dict(zip(_OF_SAMPLES.values(), values, strict=True))
                for sample, values in zip(self.samples, zip(*row[self._own :], strict=True), strict=True)
            }
        return found

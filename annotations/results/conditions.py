"""The rows that a filter wants, as a condition of SQL with bound parameters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.engine.genotypes import HET, HOM, MISSING, OTHER, REF
from annotations.results.database import quoted
from annotations.results.filters import Region, ResultFilter, Trio
from annotations.results.layout import TableLayout
from annotations.results.problems import FilterProblem, FilterRefused
from annotations.results.vocabulary import SIGNIFICANCES, Novelty, Zygosity

_LETTERS = {
    Zygosity.HET: [HET],
    Zygosity.HOM: [HOM],
    Zygosity.REF: [REF],
    Zygosity.CARRIER: [HET, HOM],
    Zygosity.MISSING: [MISSING],
}
_WITHOUT_IT = [REF, OTHER]


@dataclass
class Condition:
    """What stands behind WHERE, and the parameters bound in it."""

    parts: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        return " AND ".join(self.parts) or "true"

    def bind(self, value: Any) -> str:
        """The name of a parameter that stands for `value`."""
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"


def condition_of(wanted: ResultFilter, layout: TableLayout) -> Condition:
    """Raises FilterRefused where the table has no such sample or column."""
    return _Builder(layout).build(wanted)


class _Builder:
    def __init__(self, layout: TableLayout) -> None:
        self._layout = layout
        self._condition = Condition()
        self._problems: list[FilterProblem] = []

    def build(self, wanted: ResultFilter) -> Condition:
        self._genes(wanted.genes)
        self._any_of(self._region(region) for region in wanted.regions)
        self._one_of("consequence", wanted.consequences)
        self._one_of("impact", wanted.impacts)
        self._significance(wanted.significances)
        self._novelty(wanted.novelty)
        self._frequency(wanted)
        for genotype in wanted.genotypes:
            self._letter("genotype", genotype.sample, _LETTERS[genotype.zygosity])
        if wanted.trio:
            self._de_novo(wanted.trio)
        if wanted.min_quality is not None:
            self._add(f"qual >= {self._bind(wanted.min_quality)}")
        self._filters(wanted.filters)
        self._ids(wanted.ids)
        if self._problems:
            raise FilterRefused(self._problems)
        return self._condition

    def _add(self, part: str) -> None:
        self._condition.parts.append(part)

    def _any_of(self, parts: Any) -> None:
        parts = list(parts)
        if parts:
            self._add(f"({' OR '.join(parts)})")

    def _bind(self, value: Any) -> str:
        return self._condition.bind(value)

    def _refuse(self, parameter: str, expected: str, found: str) -> None:
        self._problems.append(FilterProblem(parameter, expected, found))

    def _one_of(self, column: str, values: tuple[str, ...]) -> None:
        if values:
            self._add(self._is_one_of(column, values))

    def _is_one_of(self, what: str, values: Sequence[Any]) -> str:
        # One parameter each, for DuckDB compares with a list while it reads, and joins with a subquery after.
        return f"{what} IN ({', '.join(self._bind(value) for value in values)})"

    def _genes(self, genes: tuple[str, ...]) -> None:
        # One function of one text column: DuckDB works it out once for each different text of a row group.
        names = {spelling for gene in genes for spelling in _spellings(gene)}
        if names:
            self._add(f"list_has_any(string_split(gene_names, '|'), {self._bind(sorted(names))})")

    def _region(self, region: Region) -> str:
        if whole := self._contigs_called(str(region)):
            return self._is_one_of("chrom", whole)
        chroms = self._contigs_called(region.contig)
        if not chroms:
            return "false"
        on_contig = self._is_one_of("chrom", chroms)
        if region.start is None:
            return on_contig
        start, end = self._bind(region.start), self._bind(region.end)
        return f"({on_contig} AND pos <= {end} AND pos + length(ref) - 1 >= {start})"

    def _contigs_called(self, name: str) -> list[str]:
        return [contig.chrom for contig in self._layout.contigs if contig.is_called(name)]

    def _significance(self, classes: tuple[str, ...]) -> None:
        if not classes:
            return
        if not self._layout.significance_columns:
            self._refuse("significance", "a reference with clinical significance", "none in this result")
        pattern = self._bind("|".join(SIGNIFICANCES[name].pattern for name in classes))
        self._any_of(
            f"regexp_matches(lower({quoted(column)}), {pattern})"
            for column in self._layout.significance_columns
        )

    def _novelty(self, novelty: Novelty | None) -> None:
        if novelty is None:
            return
        if not self._layout.sources:
            self._refuse("known", "a reference with known variants", "none in this result")
            return
        known = " OR ".join(f"coalesce({quoted(source)}, false)" for source in self._layout.sources)
        self._add(f"({known})" if novelty is Novelty.KNOWN else f"NOT ({known})")

    def _frequency(self, wanted: ResultFilter) -> None:
        if wanted.min_frequency is None and wanted.max_frequency is None and wanted.frequency_column is None:
            return
        frequency = frequency_sql(self._layout, wanted.frequency_column)
        if frequency is None:
            names = ", ".join(self._layout.frequency_columns) or "nothing: this result has no frequencies"
            parameter = "frequency_in" if wanted.frequency_column else "max_frequency"
            self._refuse(parameter, f"one of {names}", wanted.frequency_column or "a frequency")
            return
        if wanted.min_frequency is not None:
            self._add(f"coalesce({frequency}, 0) >= {self._bind(wanted.min_frequency)}")
        if wanted.max_frequency is not None:
            self._add(f"coalesce({frequency}, 0) <= {self._bind(wanted.max_frequency)}")

    def _letter(self, parameter: str, sample: str, letters: list[str]) -> None:
        if sample not in self._layout.samples:
            names = ", ".join(self._layout.samples[:10]) or "nothing: this result has no samples"
            more = ", …" if len(self._layout.samples) > 10 else ""
            self._refuse(parameter, f"one of {names}{more}", f"“{sample}”")
            return
        place = self._bind(self._layout.samples.index(sample) + 1)
        self._add(self._is_one_of(f"zygosity[{place}]", letters))

    def _de_novo(self, trio: Trio) -> None:
        self._letter("child", trio.child, _LETTERS[Zygosity.CARRIER])
        self._letter("mother", trio.mother, _WITHOUT_IT)
        self._letter("father", trio.father, _WITHOUT_IT)

    def _filters(self, filters: tuple[str, ...]) -> None:
        parts = []
        if named := [value for value in filters if value != "."]:
            parts.append(f"list_has_any(string_split(filter, ';'), {self._bind(named)})")
        if "." in filters:
            parts.append("filter IS NULL")
        self._any_of(parts)

    def _ids(self, ids: tuple[str, ...]) -> None:
        parts = []
        whole = [spelling for one in ids if "*" not in one for spelling in {one, one.lower()}]
        if whole:
            parts.append(self._is_one_of("id", whole))
            names = self._bind(whole)
            # Few have more than one, and taking a text apart costs ten times a comparison.
            parts.append(f"(contains(id, ';') AND list_has_any(string_split(id, ';'), {names}))")
        for one in ids:
            if "*" in one:
                literal = one.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
                pattern = self._bind(f"%;{literal.replace('*', '%')};%")
                parts.append(f"(';' || id || ';') ILIKE {pattern} ESCAPE '\\'")
        self._any_of(parts)


def frequency_sql(layout: TableLayout, column: str | None) -> str | None:
    """The population frequency that filters and plots go by; None where the table has none of this name."""
    if column is not None:
        return quoted(column) if column in layout.frequency_columns else None
    names = ", ".join(quoted(name) for name in layout.overall_frequency_columns)
    if len(layout.overall_frequency_columns) > 1:
        return f"greatest({names})"
    return names or None


def _spellings(gene: str) -> set[str]:
    """As written, in capitals (human), with one capital (mouse), and without an Ensembl id's version."""
    return {gene, gene.upper(), gene.capitalize(), gene.partition(".")[0].upper()}

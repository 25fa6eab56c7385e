"""The plots that a result's page shows, in their order."""

from collections.abc import Callable
from dataclasses import dataclass

from annotations.results.filters import ResultFilter
from annotations.results.plots import calls, effects
from annotations.results.plots.keeping import kept
from annotations.results.plots.numbers import Counting, Numbers
from annotations.results.tables import ResultTable


@dataclass(frozen=True)
class Plot:
    title: str
    make: Callable[[Counting], Numbers]


PLOTS: dict[str, Plot] = {
    "impacts": Plot("Impact", effects.impacts),
    "consequences": Plot("Consequence", effects.consequences),
    "known": Plot("Known and novel", effects.known),
    "frequencies": Plot("Population frequency", effects.frequencies),
    "chromosomes": Plot("Alleles on each contig", effects.chromosomes),
    "density": Plot("Density along the contigs", effects.density),
    "substitutions": Plot("Substitutions", calls.substitutions),
    "indels": Plot("Lengths of insertions and deletions", calls.indels),
    "samples": Plot("Genotypes of each sample", calls.samples),
    "qualities": Plot("Quality", calls.qualities),
    "depths": Plot("Depth", calls.depths),
}


def numbers_of(name: str, table: ResultTable, wanted: ResultFilter) -> Numbers:
    """Of the whole file they are counted once, and kept.

    Raises FilterRefused, QueryTooCostly, TableUnreadable.
    """

    def counted() -> Numbers:
        return PLOTS[name].make(Counting(table, wanted))

    return counted() if wanted else kept(name, table, counted)


def most_hit_genes(table: ResultTable, wanted: ResultFilter, most: int = 50) -> list[tuple[str, int, int]]:
    """Genes with the most alleles of high and moderate impact, then of any: name, these, and all.

    Raises FilterRefused, QueryTooCostly, TableUnreadable.
    """
    rows = Counting(table, wanted).rows(
        "coalesce(symbols, genes)[1] AS gene, count(*) FILTER (impact IN ('HIGH', 'MODERATE')) AS grave, "
        "count(*) AS alleles",
        f"AND gene_names IS NOT NULL GROUP BY gene ORDER BY grave DESC, alleles DESC, gene LIMIT {int(most)}",
    )
    return [(gene, grave, alleles) for gene, grave, alleles in rows]

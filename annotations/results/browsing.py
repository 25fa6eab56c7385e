"""What the page of a result's rows shows: the filter's form and chips, the rows, and the way through them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from annotations.engine.genotypes import HET, HOM, MISSING
from annotations.results.filters import ResultFilter
from annotations.results.layout import TableLayout
from annotations.results.presets import PRESETS
from annotations.results.rows import FILE_ORDER, Row
from annotations.results.vocabulary import CONSEQUENCES, IMPACT_LEVELS, SIGNIFICANCES, Zygosity

ROWS_ON_A_PAGE = 50
FEW_SAMPLES = 6  # that many have a column and a choice each; of more, the carriers are counted
SHOWN_COLUMNS = (
    "chrom", "pos", "id", "ref", "alt", "qual", "filter", "consequence", "impact", "symbols", "genes",
    "hgvsc", "hgvsp", "unannotated", "known_ids",
)  # fmt: skip
_LABELS = {
    "gene": "Gene",
    "region": "Region",
    "consequence": "Consequence",
    "impact": "Impact",
    "significance": "Clinical significance",
    "known": "Known variants",
    "min_frequency": "Frequency from",
    "max_frequency": "Frequency up to",
    "frequency_in": "Frequency in",
    "genotype": "Genotype",
    "child": "Child",
    "mother": "Mother",
    "father": "Father",
    "min_quality": "QUAL from",
    "filter": "FILTER",
    "id": "Id",
}


@dataclass(frozen=True)
class Chip:
    """One condition of the filter in force, and the query without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True)
class Heading:
    """The head of a column. `query` sorts by it, or turns the order; `order` is that in force."""

    title: str
    query: str
    order: str


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    chosen: bool


def chips(wanted: ResultFilter) -> list[Chip]:
    """A trio goes as a whole."""
    pairs = wanted.parameters()
    together = ("child", "mother", "father")
    return [
        Chip(
            _LABELS[name],
            value,
            urlencode(
                [
                    other
                    for other in pairs
                    if other != (name, value) and not (name in together and other[0] in together)
                ]
            ),
        )
        for name, value in pairs
    ]


def shown_columns(layout: TableLayout) -> list[str]:
    """The columns that a page of rows needs, and no heavier ones."""
    columns = [*SHOWN_COLUMNS, *layout.overall_frequency_columns, *layout.significance_columns]
    if layout.samples:
        columns.append("zygosity")
        if len(layout.samples) <= FEW_SAMPLES:
            columns.append("gt")
    return columns


@dataclass(frozen=True)
class ShownRow:
    """A row as its line of the page: `carriers` where there are too many samples for a column each."""

    number: int
    values: dict[str, Any]
    frequency: float | None
    significance: str
    genes: Sequence[str]
    genotypes: Sequence[str]
    carriers: str


def shown(rows: Sequence[Row], layout: TableLayout) -> list[ShownRow]:
    return [_shown(row, layout) for row in rows]


def _shown(row: Row, layout: TableLayout) -> ShownRow:
    frequencies = [row.values[name] for name in layout.overall_frequency_columns]
    letters = row.values.get("zygosity") or ""
    many = len(layout.samples) > FEW_SAMPLES
    carriers = f"{letters.count(HET)} het, {letters.count(HOM)} hom" if many else ""
    if many and (missing := letters.count(MISSING)):
        carriers += f", {missing} not called"
    return ShownRow(
        number=row.number,
        values=row.values,
        frequency=max((value for value in frequencies if value is not None), default=None),
        significance=next((row.values[n] for n in layout.significance_columns if row.values[n]), ""),
        genes=row.values["symbols"] or row.values["genes"] or [],
        genotypes=[] if many else [genotype or "." for genotype in row.values.get("gt") or []],
        carriers=carriers,
    )


def headings(wanted: ResultFilter, layout: TableLayout, sort: str) -> Iterator[Heading]:
    titles = [("position", "Position"), ("", "Change"), ("gene", "Gene"), ("consequence", "Consequence")]
    titles += [("", "HGVS"), ("id", "Known as")]
    if layout.significance_columns:
        titles.append(("significance", "Significance"))
    if layout.overall_frequency_columns:
        titles.append(("frequency", "Frequency"))
    titles += [("quality", "QUAL"), ("", "FILTER")]
    if len(layout.samples) > FEW_SAMPLES:
        titles.append(("", f"Of {len(layout.samples):,} samples"))
    else:
        titles += [("", sample) for sample in layout.samples]
    for key, title in titles:
        order = {key: "ascending", f"-{key}": "descending"}.get(sort, "") if key else ""
        turned = f"-{key}" if order == "ascending" else key
        yield Heading(title, wanted.query(sort=turned) if key else "", order)


def form(wanted: ResultFilter, layout: TableLayout) -> dict[str, Any]:
    """What the form's fields offer, and what is chosen in them."""
    samples = layout.samples
    chosen = {(one.sample, one.zygosity) for one in wanted.genotypes}
    return {
        "impacts": [Choice(one, one.capitalize(), one in wanted.impacts) for one in IMPACT_LEVELS],
        "consequences": [
            Choice(one, one.replace("_", " "), one in wanted.consequences) for one in CONSEQUENCES
        ],
        "significances": [
            Choice(name, one.label, name in wanted.significances) for name, one in SIGNIFICANCES.items()
        ]
        if layout.significance_columns
        else [],
        "filters": [Choice(one, one, one in wanted.filters) for one in layout.filters],
        "frequencies": [Choice(one, one, one == wanted.frequency_column) for one in layout.frequency_columns],
        "samples": [
            (sample, [Choice(f"{kind}:{sample}", kind.label, (sample, kind) in chosen) for kind in Zygosity])
            for sample in samples
        ]
        if len(samples) <= FEW_SAMPLES
        else [],
        "many_samples": samples if len(samples) > FEW_SAMPLES else (),
        "zygosities": [Choice(kind, kind.label, False) for kind in Zygosity],
        "trio": [
            (
                role,
                [
                    Choice(one, one, wanted.trio is not None and getattr(wanted.trio, role) == one)
                    for one in samples
                ],
            )
            for role in ("child", "mother", "father")
        ]
        if 3 <= len(samples) <= FEW_SAMPLES
        else [],
        "trio_of_many": [(role, getattr(wanted.trio, role, "")) for role in ("child", "mother", "father")]
        if len(samples) > FEW_SAMPLES
        else [],
        "texts": {
            "gene": " ".join(wanted.genes),
            "region": " ".join(map(str, wanted.regions)),
            "id": " ".join(wanted.ids),
        },
        # kept as they are where the form has no field for them
        "kept_genotypes": [str(one) for one in wanted.genotypes] if len(samples) > FEW_SAMPLES else [],
    }


def presets(layout: TableLayout) -> list[tuple[str, Any]]:
    """Those that can be used at once: a trio is named in the form."""
    return [
        (name, preset)
        for name, preset in PRESETS.items()
        if not preset.needs
        and (layout.sources or "known" not in preset.parameters)
        and (layout.significance_columns or "significance" not in preset.parameters)
        and (layout.overall_frequency_columns or "max_frequency" not in preset.parameters)
    ]


@dataclass(frozen=True)
class Paging:
    """Where page `number` of rows is, from 1, among `total` rows."""

    number: int
    total: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // ROWS_ON_A_PAGE))

    @property
    def offset(self) -> int:
        return (self.number - 1) * ROWS_ON_A_PAGE

    @property
    def first_row(self) -> int:
        return min(self.offset + 1, self.total)

    @property
    def last_row(self) -> int:
        return min(self.offset + ROWS_ON_A_PAGE, self.total)


def sort_query(sort: str) -> dict[str, str]:
    """The order as a parameter, unless it is the usual one."""
    return {} if sort == FILE_ORDER else {"sort": sort}

"""One allele in full."""

from dataclasses import dataclass
from typing import Any

from annotations.engine.consequences import read_csq
from annotations.engine.genotypes import HET, HOM, ZYGOSITIES
from annotations.models import Job
from annotations.results.layout import TableLayout
from annotations.results.links import Link, build_of, ensembl_link, links_of
from annotations.results.rows import Row, rows_by_number
from annotations.results.tables import ResultTable

ZYGOSITY_LABELS = dict(
    zip(
        ZYGOSITIES,
        (
            "heterozygous",
            "homozygous or hemizygous",
            "reference",
            "another allele",
            "partly called",
            "not called",
        ),
        strict=True,
    )
)


@dataclass(frozen=True)
class KnownValue:
    """A field of a source of known variants."""

    source: str
    field: str
    value: Any


@dataclass(frozen=True)
class SampleGenotype:
    sample: str
    genotype: str
    zygosity: str
    depth: int | None
    quality: float | None
    carries: bool


@dataclass(frozen=True)
class Detail:
    """`transcripts` are the allele's CSQ entries, most severe first, each with a link where it has one."""

    row: Row
    transcripts: list[tuple[dict[str, str], Link | None]]
    known: list[KnownValue]
    genotypes: list[SampleGenotype]
    links: list[Link]


def detail_of(table: ResultTable, job: Job, number: int) -> Detail | None:
    """None where the table has no row of this number."""
    rows = rows_by_number(table, [number])
    if not rows:
        return None
    (row,) = rows
    build = build_of(job.reference)
    entries = read_csq(row.values["csq"]) if row.values["csq"] else []
    return Detail(
        row=row,
        transcripts=[(entry, ensembl_link(entry["Feature"], build)) for entry in entries],
        known=_known(row, table.layout),
        genotypes=_genotypes(row, table.layout.samples),
        links=links_of(row.values, job.reference),
    )


def _known(row: Row, layout: TableLayout) -> list[KnownValue]:
    return [
        KnownValue(source, name.removeprefix(f"{source}_"), row.values[name])
        for name in layout.known_columns
        if row.values[name] not in (None, False)
        for source in (layout.source_of(name),)
    ]


def _genotypes(row: Row, samples: tuple[str, ...]) -> list[SampleGenotype]:
    """Of carriers first."""
    if not samples:
        return []
    columns = (row.values["gt"], row.values["zygosity"], row.values["dp"], row.values["gq"])
    found = [
        SampleGenotype(sample, genotype or ".", ZYGOSITY_LABELS[letter], depth, quality, letter in (HET, HOM))
        for sample, genotype, letter, depth, quality in zip(samples, *columns, strict=True)
    ]
    return sorted(found, key=lambda one: not one.carries)

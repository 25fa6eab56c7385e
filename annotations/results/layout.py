"""What a result's table has: its columns, samples, sources, and the values that filters choose from."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from annotations.results.database import TableUnreadable, query, query_one, quoted

_FREQUENCY = re.compile(r"(^|_)(M?AF|FREQ)($|_)", re.IGNORECASE)
_NUMBERS = {"DOUBLE", "FLOAT"}
_SIGNIFICANCE = "CLNSIG"
MOST_FILTER_VALUES = 200
# What the pages read of every table; those of earlier versions of the service lack some.
NEEDED = (
    "record", "chrom", "contig", "pos", "id", "ref", "alt", "allele", "alleles", "qual", "filter",
    "known_ids", "consequence", "impact", "symbols", "genes", "gene_names", "transcript", "hgvsc", "hgvsp",
    "amino_acids", "csq", "unannotated",
)  # fmt: skip
NEEDED_WITH_SAMPLES = ("gt", "alt_dosage", "zygosity", "dp", "gq")


class TableOutdated(TableUnreadable):
    """The table was made by an earlier version of the service, and lacks columns that are read by now."""


@dataclass(frozen=True)
class ContigRows:
    """The rows of one contig. `chrom` is the file's own name of it, `contig` the reference's or None."""

    chrom: str
    contig: str | None
    rows: int
    first_position: int
    last_position: int

    def is_called(self, name: str) -> bool:
        """Whether `name` means this contig: chr21 is 21, and chrM is MT."""
        return _bare(name) in {_bare(self.chrom), _bare(self.contig or self.chrom)}


@dataclass(frozen=True)
class TableLayout:
    """Columns (name and DuckDB's type), and what stands in them.

    `sources` are the sources of known variants; `frequency_columns` all population frequencies, of which
    `overall_frequency_columns` has each source's for everybody (or all of them where it tells only groups
    apart); `rows` counts alleles, `records` the records of the annotated VCF.
    """

    columns: Mapping[str, str]
    samples: tuple[str, ...]
    sources: tuple[str, ...]
    frequency_columns: tuple[str, ...]
    overall_frequency_columns: tuple[str, ...]
    significance_columns: tuple[str, ...]
    contigs: tuple[ContigRows, ...]
    filters: tuple[str, ...]
    rows: int
    records: int

    @property
    def quoted_columns(self) -> frozenset[str]:
        """The columns as they stand in SQL."""
        return frozenset(map(quoted, self.columns))

    @property
    def known_columns(self) -> tuple[str, ...]:
        """The fields of the sources of known variants, in the order of the table."""
        return tuple(name for name in self.columns if name not in self.sources and self.source_of(name))

    def source_of(self, column: str) -> str:
        """The source whose field the column is; of gnomad and gnomad_exomes the longer name. Empty: none."""
        return max((name for name in self.sources if column.startswith(f"{name}_")), key=len, default="")


def layout_of(path: Path) -> TableLayout:
    """Raises TableOutdated, TableUnreadable, QueryTooCostly."""
    status = path.stat()
    return _read_layout(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _read_layout(path: Path, modified_ns: int, size_bytes: int) -> TableLayout:
    """Tables don't change, but in a test or by hand another one may come under the same name."""
    columns = {row[0]: row[1] for row in query(path, "DESCRIBE SELECT * FROM read_parquet($table)")}
    metadata = {
        bytes(key).decode(): bytes(value).decode()
        for key, value in query(path, "SELECT key, value FROM parquet_kv_metadata($table)")
        if bytes(key).startswith(b"gas_")
    }
    samples = tuple(json.loads(metadata.get("gas_samples", "[]")))
    missing = {*NEEDED, *(NEEDED_WITH_SAMPLES if samples else ())} - columns.keys()
    if missing:
        raise TableOutdated(f"The table has no {', '.join(sorted(missing))}.")
    sources = tuple(json.loads(metadata.get("gas_known", "[]")))
    frequencies = {
        source: [
            name
            for name, kind in columns.items()
            if name.startswith(f"{source}_")
            and kind in _NUMBERS
            and _FREQUENCY.search(name.removeprefix(f"{source}_"))
        ]
        for source in sources
    }
    overall = [
        name
        for source, names in frequencies.items()
        for name in ([f"{source}_AF"] if f"{source}_AF" in names else names)
    ]
    contigs = tuple(
        ContigRows(*row)
        for row in query(
            path,
            "SELECT chrom, any_value(contig), count(*), min(pos), max(pos) FROM read_parquet($table) "
            "GROUP BY chrom ORDER BY min(record)",
        )
    )
    filters = query(
        path,
        "SELECT DISTINCT unnest(string_split(filter, ';')) AS value FROM (SELECT DISTINCT filter FROM "
        f"read_parquet($table)) ORDER BY value LIMIT {MOST_FILTER_VALUES}",
    )
    return TableLayout(
        columns=columns,
        samples=samples,
        sources=sources,
        frequency_columns=tuple(dict.fromkeys(name for names in frequencies.values() for name in names)),
        overall_frequency_columns=tuple(dict.fromkeys(overall)),
        significance_columns=tuple(
            f"{source}_{_SIGNIFICANCE}" for source in sources if f"{source}_{_SIGNIFICANCE}" in columns
        ),
        contigs=contigs,
        filters=tuple(value for (value,) in filters),
        rows=sum(contig.rows for contig in contigs),
        records=query_one(path, "SELECT coalesce(max(record), 0) FROM read_parquet($table)"),
    )


def _bare(name: str) -> str:
    name = name.lower().removeprefix("chr")
    return "mt" if name == "m" else name

"""The records of the annotated VCF that have an allele which the filter finds, as they are."""

from collections.abc import Iterator
from pathlib import Path

from isal import igzip

from annotations.engine.bgzf import BgzfWriter
from annotations.results.conditions import condition_of
from annotations.results.database import query
from annotations.results.exports.batches import Progress, Wanted

_RECORDS_AT_ONCE = 500_000  # of which a batch has the numbers alone
_TELL_EVERY = 16_384


def write_vcf(wanted: Wanted, source: Path, path: Path, progress: Progress) -> None:
    """`source` is the annotated VCF. The header also says what the records were filtered by."""
    chosen = _record_numbers(wanted)
    next_record = next(chosen, None)
    number = 0
    with igzip.open(source, "rb") as lines, BgzfWriter(path) as out:
        for line in lines:
            if line.startswith(b"#"):
                if line.startswith(b"#CHROM"):
                    out.write(f"##gas_filter={wanted.filter.query()}\n".encode())
                out.write(line)
                continue
            number += 1
            if number == next_record:
                out.write(line)
                next_record = next(chosen, None)
            if number % _TELL_EVERY == 0:
                progress(number)
    progress(number)


def _record_numbers(wanted: Wanted) -> Iterator[int]:
    condition = condition_of(wanted.filter, wanted.table.layout)
    for first in range(1, wanted.table.layout.records + 1, _RECORDS_AT_ONCE):
        rows = query(
            wanted.table.path,
            "SELECT DISTINCT record FROM read_parquet($table) WHERE record "
            f"BETWEEN {first} AND {first + _RECORDS_AT_ONCE - 1} AND {condition.sql} ORDER BY record",
            condition.parameters,
        )
        yield from (record for (record,) in rows)

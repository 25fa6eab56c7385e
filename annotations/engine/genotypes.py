"""Genotypes as columns of the result table: one list a record, in the order of the samples."""

from typing import Any

import numpy as np
import polars as pl

from annotations.engine.kernels.library import Array, call
from annotations.engine.kernels.texts import Texts
from annotations.engine.lines import Lines

GENOTYPE_SCHEMA: dict[str, Any] = {
    "gt": pl.List(pl.String),
    "alt_dosage": pl.List(pl.Int8),  # how many copies of this row's ALT; null where the genotype is missing
    "zygosity": pl.String,  # a letter of ZYGOSITIES for each sample: what a filter can read quickly
    "dp": pl.List(pl.Int32),
    "gq": pl.List(pl.Float32),
}
HET, HOM, REF, OTHER, PARTLY, MISSING = ZYGOSITIES = "hHrop."
"""Carries this row's ALT beside another or missing allele; carries no other; carries REF alone; others alone,
wholly called; is partly called, and without it so far; is not called (kernels/genotypes.c)."""
_KEYS = Texts.of_strings(["GT", "DP", "GQ"])


def genotype_columns(lines: Lines, samples: int, records: Array, alleles: Array) -> dict[str, pl.Series]:
    """The columns of GENOTYPE_SCHEMA for alleles, each given by its record (int32) and number (uint16).

    Every line has so many `samples`. The alleles are in order of record, and every record has one at least.
    """
    gt, dp, gq = _sample_fields(lines, samples)
    copies, letters = np.empty(len(records) * samples, np.int8), np.empty(len(records) * samples, np.uint8)
    call("read_genotypes", gt.for_kernels, samples, len(records), records, alleles, copies, letters)
    dosage = pl.Series(copies)
    zygosity = Texts(letters, np.arange(0, len(letters), samples), np.full(len(records), samples, np.int32))
    of_records = {
        "gt": _lists(gt.series(), samples),
        "dp": _lists(_numbers(dp, pl.Int32), samples),
        "gq": _lists(_numbers(gq, pl.Float32), samples),
    }
    if len(records) > len(lines):
        of_records = {name: column[pl.Series(records)] for name, column in of_records.items()}
    return {
        "alt_dosage": _lists(dosage.set(dosage < 0, None), samples),
        "zygosity": zygosity.series(),
        **of_records,
    }


def _sample_fields(lines: Lines, samples: int) -> list[Texts]:
    """The fields of _KEYS, in order of record and sample."""
    cells = len(lines) * samples
    at, length = np.empty((len(_KEYS), cells), np.int64), np.empty((len(_KEYS), cells), np.int32)
    call("find_sample_fields", lines.for_kernels, _KEYS.for_kernels, samples, at, length)
    return [Texts(lines.block, *places) for places in zip(at, length, strict=True)]


def _numbers(texts: Texts, kind: type[pl.Int32 | pl.Float32]) -> pl.Series:
    """Null where a text is no such number."""
    if not (texts.length > 0).any():
        return pl.repeat(None, len(texts), dtype=kind, eager=True)
    return texts.series().cast(kind, strict=False)


def _lists(cells: pl.Series, samples: int) -> pl.Series:
    return cells.reshape((-1, samples)).arr.to_list()

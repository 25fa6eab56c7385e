"""Genotypes of the result table are what reading the lines plainly gives."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine.genotypes import GENOTYPE_SCHEMA, genotype_columns
from annotations.engine.kernels.library import KernelError
from annotations.engine.lines import Lines

FORMAT = st.lists(st.sampled_from(["GT", "DP", "GQ", "AD", "PGT"]), min_size=1, max_size=5, unique=True)
CODE = st.sampled_from(["0", "1", "2", "10", ".", "01", ""])
GENOTYPE = st.tuples(CODE, st.lists(st.tuples(st.sampled_from("/|"), CODE), max_size=3)).map(
    lambda parts: parts[0] + "".join(divider + code for divider, code in parts[1])
)
NUMBER = st.sampled_from(
    ["", ".", "0", "35", "-1", "+7", "007", "1.5", "99999999999", "1e3", "nan", "x", "1,2"]
)


@st.composite
def record(draw: st.DrawFn, samples: int) -> tuple[list[str], list[list[str]], int]:
    """Keys, the values of each sample (trailing ones may be left off), and how many ALT alleles there are."""
    keys = draw(FORMAT)
    cells = [
        [draw(GENOTYPE if key.endswith("GT") else NUMBER) for key in keys[: draw(st.integers(1, len(keys)))]]
        for _ in range(samples)
    ]
    return keys, cells, draw(st.sampled_from([1, 1, 1, 2, 10]))


def copies(genotype: str | None, allele: str) -> int | None:
    called = [code for code in codes(genotype) if code != "."]
    return called.count(allele) if called else None


def zygosity(genotype: str | None, allele: str) -> str:
    alleles = set(codes(genotype))
    if not alleles - {"."}:
        return "."
    if allele in alleles:
        return "H" if alleles == {allele} else "h"
    if "." in alleles:
        return "p"
    return "r" if alleles == {"0"} else "o"


def codes(genotype: str | None) -> list[str]:
    return [code for code in (genotype or "").replace("|", "/").split("/") if code]


@settings(deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(1, 6))
def test_genotypes_are_as_read_plainly(data: st.DataObject, samples: int, records: int) -> None:
    drawn = [data.draw(record(samples)) for _ in range(records)]
    expected = []
    text = ""
    for keys, cells, alts in drawn:
        text += "\t".join(["1\t5\t.\tA\tC\t.\t.\t.", ":".join(keys), *map(":".join, cells)]) + "\n"
        said = [dict(zip(keys, cell, strict=False)) for cell in cells]
        for allele in map(str, range(1, alts + 1)):
            expected.append(
                {
                    "gt": [one.get("GT") for one in said],
                    "alt_dosage": [copies(one.get("GT"), allele) for one in said],
                    "zygosity": "".join(zygosity(one.get("GT"), allele) for one in said),
                    "dp": numbers([one.get("DP") for one in said], pl.Int32),
                    "gq": numbers([one.get("GQ") for one in said], pl.Float32),
                }
            )
    rows = np.repeat(np.arange(records, dtype=np.int32), [alts for *_, alts in drawn])
    alleles = np.concatenate([np.arange(1, alts + 1, dtype=np.uint16) for *_, alts in drawn])
    found = pl.DataFrame(genotype_columns(Lines(text.encode(), records), samples, rows, alleles))
    assert found.select(GENOTYPE_SCHEMA.keys()).equals(pl.DataFrame(expected, GENOTYPE_SCHEMA))


def numbers(texts: list[str | None], kind: type[pl.Int32 | pl.Float32]) -> list[float | None]:
    return pl.Series(texts, dtype=pl.String).cast(kind, strict=False).to_list()


def test_a_line_with_another_number_of_samples_is_refused() -> None:
    lines = Lines(b"1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1\n", 1)
    first = np.zeros(1, np.int32), np.ones(1, np.uint16)
    for samples in (1, 3):
        with pytest.raises(KernelError):
            genotype_columns(lines, samples, *first)


def test_an_allele_of_a_line_that_is_not_there_is_refused() -> None:
    lines = Lines(b"1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n", 1)
    with pytest.raises(KernelError):
        genotype_columns(lines, 1, np.ones(1, np.int32), np.ones(1, np.uint16))

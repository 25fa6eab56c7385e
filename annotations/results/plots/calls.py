"""What kinds of change there are, and how they were called."""

from collections import Counter
from itertools import takewhile
from typing import Any

import numpy as np

from annotations.engine.genotypes import HET, HOM, MISSING, OTHER, PARTLY, REF, ZYGOSITIES
from annotations.results.plots.numbers import Bins, Counting, Drawing, Numbers

_TRANSITIONS = {"A>G", "G>A", "C>T", "T>C"}
_BASES = "ACGT"
_LONGEST_INDEL = 20
_QUALITIES = Bins.between((10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10_000))
_DEPTHS = Bins.between((5, 10, 15, 20, 25, 30, 35, 40, 50, 60, 80, 100, 150, 200, 500))
_BY_PATTERN_UP_TO = 6  # samples: there are not many different rows of so few letters
_LETTERS = {HET: 1, HOM: 2, REF: 3, OTHER: 4, PARTLY: 4, MISSING: 5}


def substitutions(counting: Counting) -> Numbers:
    """Of single bases, also where the record is written longer because of another ALT: AT>GT is A>G.

    As `bcftools stats` counts them: a base that differs behind the first one is not told.
    """
    # Grouped by the columns as they stand, whose few different texts DuckDB counts without making new ones.
    plain = counting.rows("ref, alt, count(*)", "AND length(ref) = 1 AND length(alt) = 1 GROUP BY ref, alt")
    found = Counter({f"{ref}>{alt}": count for ref, alt, count in plain})
    bases = ", ".join(f"'{base}'" for base in _BASES)
    longer = "AND length(ref) = length(alt) AND length(ref) > 1 AND hamming(ref, alt) = 1"
    first = f"AND ref[1] != alt[1] AND ref[1] IN ({bases}) AND alt[1] IN ({bases})"
    found.update(dict(counting.rows("ref[1] || '>' || alt[1], count(*)", f"{longer} {first} GROUP BY ALL")))
    kinds = [f"{one}>{other}" for one in _BASES for other in _BASES if one != other]
    rows = [(kind, "transition" if kind in _TRANSITIONS else "transversion", found[kind]) for kind in kinds]
    transitions = sum(count for _, kind, count in rows if kind == "transition")
    transversions = sum(count for _, kind, count in rows if kind == "transversion")
    ratio = f"Ti/Tv {transitions / transversions:.2f}: " if transversions else ""
    summary = f"{ratio}{transitions:,} transitions, {transversions:,} transversions."
    return Numbers(("Substitution", "Kind", "Alleles"), rows, summary, Drawing())


def indels(counting: Counting) -> Numbers:
    """Insertions and deletions alone; where bases are replaced by more or fewer it is neither."""
    written = "AND length(alt) != length(ref) AND regexp_full_match(alt, '[ACGTNacgtn]+')"
    longer, shorter = (
        f"CASE WHEN length(ref) {sign} length(alt) THEN ref ELSE alt END" for sign in (">", "<")
    )
    plain = f"(starts_with({longer}, {shorter}) OR ends_with({longer}, {shorter}))"
    size = f"greatest(-{_LONGEST_INDEL + 1}, least({_LONGEST_INDEL + 1}, length(alt) - length(ref)))"
    found = Counter(dict(counting.rows(f"{size} AS size, count(*)", f"{written} AND {plain} GROUP BY size")))
    others = counting.rows(f"ref, alt, {size}, count(*)", f"{written} AND NOT {plain} GROUP BY ALL")
    for ref, alt, clipped, count in others:
        if _is_indel(ref, alt):
            found[clipped] += count
    sizes = [size for size in range(-_LONGEST_INDEL - 1, _LONGEST_INDEL + 2) if size]
    rows = [(_size_name(size), found[size]) for size in sizes]
    insertions = sum(count for size, count in found.items() if size > 0)
    deletions = sum(count for size, count in found.items() if size < 0)
    summary = f"{insertions:,} insertions, {deletions:,} deletions; deletions are below 0."
    return Numbers(("Change of length, bases", "Alleles"), rows, summary, Drawing())


def _is_indel(ref: str, alt: str) -> bool:
    """Whether nothing but the same bases stand on both sides of what is inserted or deleted.

    >>> _is_indel("ATT", "AGTT"), _is_indel("ACT", "AGGT")
    (True, False)
    """
    before = _same_start(ref, alt)
    after = _same_start(ref[before:][::-1], alt[before:][::-1])
    return before + after >= min(len(ref), len(alt))


def _same_start(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def qualities(counting: Counting) -> Numbers:
    rows = _QUALITIES.counted(counting.rows(f"{_QUALITIES.sql('qual')}, count(*)", "GROUP BY ALL"), "no QUAL")
    low = sum(count for _, count in rows[:3])
    return Numbers(("QUAL", "Alleles"), rows, f"{low:,} alleles with a QUAL under 30.", Drawing())


def depths(counting: Counting) -> Numbers:
    if not counting.layout.samples:
        return Numbers(("Depth", "Genotypes"), [], "The file has no samples.", Drawing())
    found = counting.rows(
        f"{_DEPTHS.sql('depth')}, count(*)",
        "GROUP BY ALL",
        # the condition is on the table's rows, of which each becomes one for each sample
        source="(SELECT *, unnest(dp) AS depth FROM read_parquet($table))",
    )
    rows = _DEPTHS.counted(found, "no DP")
    called = sum(count for _, count in rows[: len(_DEPTHS.names)])
    summary = f"{called:,} genotypes of {len(counting.layout.samples):,} samples have a depth."
    return Numbers(("Depth", "Genotypes"), rows, summary, Drawing())


def samples(counting: Counting) -> Numbers:
    names = counting.layout.samples
    tallies = _tallies_by_pattern(counting) if len(names) <= _BY_PATTERN_UP_TO else _tallies(counting)
    rows: list[tuple[Any, ...]] = []
    for place, name in enumerate(names):
        counts = [0] * 5
        for letter, count in tallies[place].items():
            counts[_LETTERS[letter] - 1] += count
        total = sum(counts)
        rows.append((name, *counts, round(100 * counts[4] / total, 2) if total else 0.0))
    most = max(rows, key=lambda row: row[6], default=None)
    summary = f"Most missing: {most[0]}, {most[6]:g} % of alleles." if most else "The file has no samples."
    columns = ("Sample", "Heterozygous", "Homozygous", "Reference", "Other", "Not called", "Missing, %")
    return Numbers(columns, rows, summary, Drawing("stack", zoomable=len(rows) > 30))


def _tallies_by_pattern(counting: Counting) -> list[Counter[str]]:
    tallies: list[Counter[str]] = [Counter() for _ in counting.layout.samples]
    if tallies:
        for pattern, count in counting.rows("zygosity, count(*)", "GROUP BY zygosity"):
            for place, letter in enumerate(pattern or ""):
                tallies[place][letter] += count
    return tallies


def _tallies(counting: Counting) -> list[Counter[str]]:
    """Letters as a matrix of bytes: DuckDB goes through a text from its start for each letter of it."""
    counts = np.zeros((len(ZYGOSITIES), len(counting.layout.samples)), np.int64)
    for texts in counting.batches("zygosity"):
        letters = np.frombuffer("".join(texts).encode("ascii"), np.uint8).reshape(len(texts), -1)
        for kind, letter in enumerate(ZYGOSITIES):
            counts[kind] += np.count_nonzero(letters == ord(letter), axis=0)
    return [Counter(dict(zip(ZYGOSITIES, column.tolist(), strict=True))) for column in counts.T]


def _size_name(size: int) -> str:
    if abs(size) > _LONGEST_INDEL:
        return f"{'≤ -' if size < 0 else '≥ +'}{abs(size)}"
    return f"{'-' if size < 0 else '+'}{abs(size)}"

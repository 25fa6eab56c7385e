"""Look alleles up among the known variants of the reference bundle."""

from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.bundle import KnownSource, ReferenceBundle

NEAR_BASES = 200_000  # lookups closer than this are read as one range
MOST_RANGES = 64
FEW_POSITIONS = 1_000  # looked for one by one


def known_values(
    alleles: pl.DataFrame, contig: str, source: KnownSource, bundle: ReferenceBundle
) -> pl.DataFrame | None:
    """What `source` has on each of `alleles` (alleles.SCHEMA), in a frame of the same rows.

    Its columns are `<source>` (Boolean: known), `<source>_id` where the source gives ids, and the source's
    fields. None where the source has nothing on the contig.

    An allele is known when position, REF and ALT agree after both are left-aligned and trimmed.
    """
    found_contig = bundle.contig(contig)
    path = bundle.known(source, found_contig) if found_contig else None
    if path is None:
        return None
    wanted = alleles.select("norm_pos", "norm_ref", "norm_alt").with_row_index("at")
    asked = wanted.drop_nulls()
    if not len(asked):
        return None
    listed = _read(path, asked["norm_pos"].unique().sort(), source)
    matched = (
        asked.join(
            listed,
            left_on=["norm_pos", "norm_ref", "norm_alt"],
            right_on=["pos", "ref", "alt"],
            how="inner",
        )
        .unique("at", keep="first", maintain_order=True)
        .with_columns(pl.lit(value=True).alias(source.name))
    )
    columns = [source.name, *_columns(source)]
    return (
        wanted.select("at")
        .join(matched.select("at", *columns), on="at", how="left", maintain_order="left")
        .drop("at")
        .with_columns(pl.col(source.name).fill_null(value=False))
    )


def _columns(source: KnownSource) -> list[str]:
    ids = [f"{source.name}_id"] if source.gives_id else []
    return ids + [field.id for field in source.fields]


def _read(path: Path, positions: pl.Series, source: KnownSource) -> pl.DataFrame:
    """The known alleles at the positions; row groups without any are passed over by their statistics."""
    if len(positions) <= FEW_POSITIONS:
        within = pl.col("pos").is_in(positions.implode())
    else:
        ranges = [pl.col("pos").is_between(low, high) for low, high in _ranges(positions.to_numpy())]
        within = pl.any_horizontal(ranges)
    columns = ["pos", "ref", "alt", *[field.id for field in source.fields]]
    table = pl.scan_parquet(path).filter(within)
    if source.gives_id:
        return table.select(*columns, pl.col("id").alias(f"{source.name}_id")).collect()
    return table.select(columns).collect()


def _ranges(positions: np.ndarray) -> list[tuple[int, int]]:
    """The stretches that hold all the positions; of too many, those with the smallest gaps are joined."""
    gaps = np.diff(positions)
    smallest = NEAR_BASES
    if len(gaps) >= MOST_RANGES:
        smallest = max(smallest, int(np.partition(gaps, -MOST_RANGES)[-MOST_RANGES]))
    last = np.flatnonzero(gaps > smallest)
    starts = positions[np.concatenate([[0], last + 1])]
    ends = positions[np.concatenate([last, [len(positions) - 1]])]
    return list(zip(starts.tolist(), ends.tolist(), strict=True))

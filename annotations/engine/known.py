"""Look alleles up among the known variants of the reference bundle."""

from pathlib import Path

import polars as pl

from annotations.engine.bundle import KnownSource, ReferenceBundle


def known_values(
    alleles: pl.DataFrame, contig: str, source: KnownSource, bundle: ReferenceBundle
) -> pl.DataFrame | None:
    """What `source` has on each of `alleles` (alleles.SCHEMA), in a frame of the same rows.

    Its columns are `<source>` (Boolean: known), `<source>_id` where the source gives ids, and the source's
    fields. None where the source has nothing on the contig.

    An allele is known when position, REF and ALT agree after both are left-aligned and trimmed. Where the
    source lists it more than once, all its ids are given (`rs1;rs2`) and the fields of the first.
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
    matched = asked.join(
        listed,
        left_on=["norm_pos", "norm_ref", "norm_alt"],
        right_on=["pos", "ref", "alt"],
        how="inner",
        maintain_order="left_right",
    )
    matched = _one_row_each(matched, source).with_columns(pl.lit(value=True).alias(source.name))
    columns = [source.name, *_columns(source)]
    return (
        wanted.select("at")
        .join(matched.select("at", *columns), on="at", how="left", maintain_order="left")
        .drop("at")
        .with_columns(pl.col(source.name).fill_null(value=False))
    )


def _one_row_each(matched: pl.DataFrame, source: KnownSource) -> pl.DataFrame:
    if not matched["at"].is_duplicated().any():
        return matched
    first = pl.all().first()
    if not source.gives_id:
        return matched.group_by("at", maintain_order=True).agg(first)
    name = f"{source.name}_id"
    ids = pl.col(name).drop_nulls().unique(maintain_order=True)
    joined = pl.when(ids.len() > 0).then(ids.str.join(";")).alias(name)
    return matched.group_by("at", maintain_order=True).agg(pl.exclude("at", name).first(), joined)


def _columns(source: KnownSource) -> list[str]:
    ids = [f"{source.name}_id"] if source.gives_id else []
    return ids + [field.id for field in source.fields]


def _read(path: Path, positions: pl.Series, source: KnownSource) -> pl.DataFrame:
    """The known alleles at the positions; row groups without any are passed over by their statistics."""
    # a list of literals, unlike a column of values, is compared with the row groups' statistics
    within = pl.col("pos").is_in(positions.to_list())
    columns = ["pos", "ref", "alt", *[field.id for field in source.fields]]
    table = pl.scan_parquet(path).filter(within)
    if source.gives_id:
        return table.select(*columns, pl.col("id").alias(f"{source.name}_id")).collect()
    return table.select(columns).collect()

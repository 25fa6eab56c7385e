"""Write annotations into records: the ID column and INFO, and nothing else of a line."""

from dataclasses import dataclass

import polars as pl

from annotations.engine.bundle import KnownField, KnownSource

CSQ_ID = "CSQ"
BCSQ_ID = "BCSQ"


@dataclass(frozen=True)
class OutputIds:
    """The INFO ids that the engine writes, and what a user's own field of such a name becomes."""

    renamed: dict[str, str]

    @classmethod
    def choose(cls, sources: tuple[KnownSource, ...], keep_bcsq: bool, declared: set[str]) -> "OutputIds":
        ours = [CSQ_ID, *([BCSQ_ID] if keep_bcsq else [])]
        ours += [field.id for source in sources for field in source.fields]
        renamed: dict[str, str] = {}
        for name in ours:
            new = f"{name}_input"
            while new in declared or new in ours:
                new += "_input"
            renamed[name] = new
        return cls(renamed)

    @property
    def pattern(self) -> str:
        names = "|".join(name.replace(".", r"\.") for name in self.renamed)
        return rf"(^|;)({names})(=|;|$)"


def rename_own_fields(info: pl.Series, ids: OutputIds) -> tuple[pl.Series, bool]:
    """Give the user's fields that are called like ours their new names; whether there were any."""
    if not info.str.contains(ids.pattern).any():
        return info, False
    for old, new in ids.renamed.items():
        info = info.str.replace(rf"(^|;){old.replace('.', chr(92) + '.')}(=|;|$)", f"${{1}}{new}${{2}}")
    return info, True


def info_additions(alleles: pl.DataFrame, sources: tuple[KnownSource, ...], row_count: int) -> pl.Series:
    """What is added to each record's INFO, without the first semicolon; null where nothing is.

    `alleles` has row, csq and the known fields, in order of row and allele.
    """
    fields = [field for source in sources for field in source.fields if field.id in alleles.columns]
    columns = alleles.select(
        "row",
        pl.col("csq"),
        *[_text(field).alias(field.id) for field in fields],
    )
    if len(alleles) != row_count:
        columns = columns.group_by("row", maintain_order=True).agg(
            pl.col("csq").drop_nulls().str.join(",").replace("", None),
            *[_over_alleles(field) for field in fields],
        )
    parts = [(pl.lit(f"{field.id}=") + pl.col(field.id)) for field in fields if field.type != "Flag"]
    parts += [
        pl.when(pl.col(field.id).is_not_null()).then(pl.lit(field.id))
        for field in fields
        if field.type == "Flag"
    ]
    parts.append(pl.lit(f"{CSQ_ID}=") + pl.col("csq"))
    text = columns.select(pl.concat_str(parts, separator=";", ignore_nulls=True).alias("text"))["text"]
    return text.to_frame().select(pl.when(pl.col("text") != "").then("text")).to_series()


def _text(field: KnownField) -> pl.Expr:
    column = pl.col(field.id)
    if field.type == "Flag":
        return pl.when(column).then(pl.lit("1"))
    text = column.cast(pl.String)
    # one value an allele: what the source divides by commas is divided by & here, as VEP does
    return text.str.replace_all(",", "&", literal=True) if field.type == "String" else text


def _over_alleles(field: KnownField) -> pl.Expr:
    column = pl.col(field.id)
    if field.type == "Flag":
        return column.drop_nulls().first()
    return pl.when(column.is_not_null().any()).then(column.fill_null(".").str.join(","))


def merged_ids(own: pl.Series, alleles: pl.DataFrame, sources: tuple[KnownSource, ...]) -> pl.Series:
    """The ID column: the user's own ids, then those of known variants that are not among them."""
    names = [f"{source.name}_id" for source in sources if f"{source.name}_id" in alleles.columns]
    if not names:
        return own
    found = (
        alleles.select("row", pl.concat_list(names).list.drop_nulls().alias("ids"))
        .filter(pl.col("ids").list.len() > 0)
        .group_by("row", maintain_order=True)
        .agg(pl.col("ids").list.explode().unique(maintain_order=True).str.join(";"))
    )
    if not len(found):
        return own
    frame = own.to_frame("own").with_row_index("row").join(found, on="row", how="left", maintain_order="left")
    both = frame.select(
        pl.when(pl.col("ids").is_null() | (pl.col("own") == pl.col("ids")))
        .then("own")
        .when(pl.col("own") == ".")
        .then("ids")
        .alias("id")
    )["id"]
    to_merge = both.is_null().arg_true()
    if not len(to_merge):
        return both
    merged = [
        ";".join(dict.fromkeys([*own_ids.split(";"), *ids.split(";")]))
        for own_ids, ids in frame.select("own", "ids")[to_merge].iter_rows()
    ]
    return both.scatter(to_merge, merged)


def with_info(info: pl.Series, additions: pl.Series) -> pl.Series:
    """The user's INFO with the additions behind it."""
    frame = pl.DataFrame({"info": info, "more": additions})
    return frame.select(
        pl.when(pl.col("more").is_null())
        .then("info")
        .when(pl.col("info") == ".")
        .then("more")
        .otherwise(pl.col("info") + ";" + pl.col("more"))
        .alias("info")
    )["info"]


def with_bcsq(additions: pl.Series, alleles: pl.DataFrame, bcsq: pl.DataFrame) -> pl.Series:
    """The additions with bcftools' own BCSQ, of all alleles of a record, in front."""
    said = (
        alleles.select("row", "site")
        .join(bcsq, on="site", how="inner", maintain_order="left")
        .with_columns(pl.col("bcsq").str.split(","))
        .explode("bcsq")
        .group_by("row", maintain_order=True)
        .agg(pl.col("bcsq").unique(maintain_order=True).str.join(","))
    )
    frame = (
        additions.to_frame("more")
        .with_row_index("row")
        .join(said, on="row", how="left", maintain_order="left")
        .with_columns(pl.lit(f"{BCSQ_ID}=") + pl.col("bcsq"))
    )
    both = pl.concat_str("literal", "more", separator=";", ignore_nulls=True)
    return frame.select(pl.when(both != "").then(both))["literal"]

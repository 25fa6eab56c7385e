"""Write annotations into records: the ID column and INFO, and nothing else of a line."""

from dataclasses import dataclass

import polars as pl

from annotations.engine.bundle import IntervalField, KnownField, KnownSource, ReferenceBundle
from annotations.engine.records import FORMAT, REST, sample_column

CSQ_ID = "CSQ"
BCSQ_ID = "BCSQ"


@dataclass(frozen=True)
class OutputIds:
    """The INFO ids that the engine writes, and what a user's own field of such a name becomes."""

    renamed: dict[str, str]

    @classmethod
    def choose(cls, bundle: ReferenceBundle, keep_bcsq: bool, declared: set[str]) -> "OutputIds":
        ours = [CSQ_ID, *([BCSQ_ID] if keep_bcsq else [])]
        ours += [field.id for source in bundle.known_sources for field in source.fields]
        ours += [field.id for source in bundle.interval_sources for field in source.fields]
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


def renamed_fields(info: pl.Series, ids: OutputIds) -> pl.Series | None:
    """INFO with the user's fields that are called like ours under their new names; None where none is."""
    if not info.str.contains(ids.pattern).any():
        return None
    for old, new in ids.renamed.items():
        info = info.str.replace(rf"(^|;){old.replace('.', chr(92) + '.')}(=|;|$)", f"${{1}}{new}${{2}}")
    return info


def info_additions(alleles: pl.DataFrame, bundle: ReferenceBundle, row_count: int) -> pl.Series | None:
    """What is added to each record's INFO in front of CSQ, with no semicolon first; null for nothing.

    `alleles` has row, the known fields and those of intervals, in order of row and allele.
    """
    there = set(alleles.columns)
    known = [field for source in bundle.known_sources for field in source.fields if field.id in there]
    intervals = [field for source in bundle.interval_sources for field in source.fields if field.id in there]
    if not known and not intervals:
        return None
    columns = alleles.select(
        "row",
        *[_text(field).alias(field.id) for field in known],
        *[_texts(field).alias(field.id) for field in intervals],
    )
    if len(alleles) != row_count:
        columns = columns.group_by("row", maintain_order=True).agg(
            *[_over_alleles(field) for field in known],
            *[pl.col(field.id).explode() for field in intervals],
        )
    parts = [(pl.lit(f"{field.id}=") + pl.col(field.id)) for field in known if field.type != "Flag"]
    parts += [
        pl.when(pl.col(field.id).is_not_null()).then(pl.lit(field.id))
        for field in known
        if field.type == "Flag"
    ]
    parts += [_named_list(field.id) for field in intervals]
    text = columns.select(pl.concat_str(parts, separator=";", ignore_nulls=True).alias("text"))["text"]
    return text.to_frame().select(pl.when(pl.col("text") != "").then("text")).to_series()


def _texts(field: IntervalField) -> pl.Expr:
    """The values as texts that can stand in INFO; those of a table may hold anything."""
    text = pl.element().cast(pl.String)
    if field.type == "String":
        text = text.str.replace_all(",", "&", literal=True).str.replace_all(r"[;=\s]", "_")
    return pl.col(field.id).list.eval(text)


def _named_list(name: str) -> pl.Expr:
    """`name=one,two`, each value once; null where there is none."""
    values = pl.col(name).list.drop_nulls().list.unique(maintain_order=True)
    return pl.when(values.list.len() > 0).then(pl.lit(f"{name}=") + values.list.join(","))


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


def merged_ids(own: pl.Series, alleles: pl.DataFrame, sources: tuple[KnownSource, ...]) -> pl.Series | None:
    """The ID column: the user's own ids, then those of known variants that are not among them.

    None where nothing is known.
    """
    names = [f"{source.name}_id" for source in sources if f"{source.name}_id" in alleles.columns]
    if not names:
        return None
    if len(names) == 1 and len(alleles) == len(own):
        found = alleles[names[0]]
    else:
        found = _ids_by_row(alleles, names, len(own))
    if found.null_count() == len(found):
        return None
    frame = pl.DataFrame({"own": own, "ids": found})
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


def _ids_by_row(alleles: pl.DataFrame, names: list[str], row_count: int) -> pl.Series:
    found = (
        alleles.select("row", pl.concat_list(names).list.drop_nulls().alias("ids"))
        .filter(pl.col("ids").list.len() > 0)
        .group_by("row", maintain_order=True)
        .agg(pl.col("ids").list.join(";").str.split(";").explode().unique(maintain_order=True).str.join(";"))
    )
    rows = pl.select(row=pl.int_range(row_count, dtype=pl.UInt32))
    return rows.join(found, on="row", how="left", maintain_order="left")["ids"]


def bcsq_by_row(said: pl.DataFrame) -> pl.DataFrame:
    """One row a record, of rows an allele: row, bcsq (without repetitions) and samples."""
    return (
        said.with_columns(pl.col("bcsq").str.split(","))
        .explode("bcsq")
        .group_by("row", maintain_order=True)
        .agg(pl.col("bcsq").unique(maintain_order=True).str.join(","), pl.col("samples").first())
    )


def with_bcsq(additions: pl.Series | None, said: pl.DataFrame, row_count: int) -> pl.Series:
    """The additions with bcftools' own BCSQ in front; `said` is from `bcsq_by_row`."""
    rows = pl.select(
        pl.int_range(row_count, dtype=pl.UInt32).alias("row"), pl.lit(additions, pl.String).alias("more")
    )
    frame = rows.join(said, on="row", how="left", maintain_order="left").with_columns(
        (pl.lit(f"{BCSQ_ID}=") + pl.col("bcsq")).alias("bcsq")
    )
    both = pl.concat_str("bcsq", "more", separator=";", ignore_nulls=True)
    return frame.select(pl.when(both != "").then(both).alias("more"))["more"]


def with_sample_bcsq(records: pl.DataFrame, said: pl.DataFrame, samples: int) -> pl.Series | None:
    """FORMAT and the samples with BCSQ, which says which haplotype of which sample has which consequence.

    A sample that leaves off trailing fields gets them as '.', so that the new one has its place. Null for
    records without it, None where there is none at all.
    """
    given = said.filter(pl.col("samples").is_not_null())
    if not len(given):
        return None
    rows = given["row"]
    names = [REST] if REST in records.columns else [FORMAT, *map(sample_column, range(samples))]
    texts = records.select(pl.concat_str(names, separator="\t").alias("text"))["text"][rows]
    edited = [_with_bitmasks(text, bitmasks) for text, bitmasks in zip(texts, given["samples"], strict=True)]
    return pl.repeat(None, len(records), dtype=pl.String, eager=True).scatter(rows, edited)


def _with_bitmasks(text: str, bitmasks: str) -> str:
    own_format, *cells = text.split("\t")
    length = own_format.count(":")
    filled = (
        f"{cell}{':.' * (length - cell.count(':'))}:{bitmask}"
        for cell, bitmask in zip(cells, bitmasks.split("\t"), strict=True)
    )
    return "\t".join([f"{own_format}:{BCSQ_ID}", *filled])

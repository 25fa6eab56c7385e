"""The result table: one row for every ALT allele of every record, as Parquet.

    record          int64      number of the record in the annotated VCF, from 1
    chrom           str        the contig as the user names it
    contig          str|null   as the reference names it; null where it does not have it
    pos             int32      1-based
    id              str|null   the ID column after annotation
    ref, alt        str
    allele, alleles uint16     the number of this ALT in its record, from 1, and how many there are
    qual            double|null
    filter          str|null
    known_ids       list<str>  ids of known variants with this allele
    consequence     str|null   the most severe Sequence Ontology term; null where it was left unannotated
    impact          str|null   HIGH, MODERATE, LOW or MODIFIER
    symbols, genes  list<str>  names and ids of all genes within reach
    gene_names      str|null   both as one text, |APP|ENSG00000142192|, in which a gene is quickly found
    transcript      str|null   the transcript most severely hit, with hgvsc, hgvsp and amino_acids of it
    hgvsc           str|null   null far from exons; `describing.describe_allele` gives it for any transcript
    hgvsp           str|null
    amino_acids     str|null
    csq             str|null   all CSQ entries of the allele, as in the VCF; see `consequences.read_csq`
    unannotated     str|null   why it was left unannotated
    <known field>   by the bundle: double, int32, str or bool, and <source> bool: known there
    <interval field>  by the bundle: a list of all the values that overlap the allele
    gt              list<str>  genotype of each sample, as in the VCF   (only where there are samples)
    alt_dosage      list<int8> copies of this allele in each sample, null where missing
    zygosity        str        a letter for each sample, see `genotypes.ZYGOSITIES`
    dp, gq          list<int32>, list<float32>

The file's metadata hold JSON lists: `gas_samples` the samples' names, in the order of the lists; `gas_known`
the sources of known variants.
"""

from typing import Any

import polars as pl

from annotations.engine.alleles import REASON_TEXT
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.genotypes import GENOTYPE_SCHEMA, Genotypes
from annotations.engine.layout import Plan

_TYPES: dict[str, Any] = {
    "Float": pl.Float64,
    "Integer": pl.Int32,
    "String": pl.String,
    "Character": pl.String,
    "Flag": pl.Boolean,
}


def table_schema(bundle: ReferenceBundle, has_samples: bool) -> dict[str, Any]:
    """The columns of the table and their types."""
    schema: dict[str, Any] = {
        "record": pl.Int64,
        "chrom": pl.String,
        "contig": pl.String,
        "pos": pl.Int32,
        "id": pl.String,
        "ref": pl.String,
        "alt": pl.String,
        "allele": pl.UInt16,
        "alleles": pl.UInt16,
        "qual": pl.Float64,
        "filter": pl.String,
        "known_ids": pl.List(pl.String),
        "consequence": pl.String,
        "impact": pl.String,
        "symbols": pl.List(pl.String),
        "genes": pl.List(pl.String),
        "gene_names": pl.String,
        "transcript": pl.String,
        "hgvsc": pl.String,
        "hgvsp": pl.String,
        "amino_acids": pl.String,
        "csq": pl.String,
        "unannotated": pl.String,
    }
    for known in bundle.known_sources:
        schema[known.name] = pl.Boolean
        schema.update((field.id, _TYPES[field.type]) for field in known.fields)
    for intervals in bundle.interval_sources:
        schema.update((field.id, pl.List(_TYPES[field.type])) for field in intervals.fields)
    return {**schema, **(GENOTYPE_SCHEMA if has_samples else {})}


def table_rows(
    records: pl.DataFrame, alleles: pl.DataFrame, plan: Plan, bundle: ReferenceBundle, first_record: int
) -> pl.DataFrame:
    """The rows of a chunk: `records` after annotation, `alleles` with their effects and known values."""
    rows = alleles["row"]
    own = records.select("chrom", "pos", "id", "ref", "alt", "qual", "filter")[rows]
    id_columns = [
        f"{source.name}_id" for source in bundle.known_sources if f"{source.name}_id" in alleles.columns
    ]
    known_ids = (
        alleles.select(pl.concat_str(id_columns, separator=";", ignore_nulls=True).replace("", None))
        .to_series()
        .str.split(";")
        .alias("known_ids")
        if id_columns
        else pl.lit(None, pl.List(pl.String)).alias("known_ids")
    )
    reasons = {int(reason): text for reason, text in REASON_TEXT.items()}
    contigs = dict(enumerate(name for _, name in plan.contigs))
    columns = own.with_columns(
        (rows.cast(pl.Int64) + first_record + 1).alias("record"),
        alleles["contig"].replace_strict(contigs, return_dtype=pl.String).alias("contig"),
        pl.col("pos").cast(pl.Int32),
        pl.col("qual").cast(pl.Float64, strict=False),
        *[pl.when(pl.col(name) != ".").then(name).alias(name) for name in ("id", "filter")],
        alt_of_allele(own["alt"], alleles["allele"]).alias("alt"),
        (pl.col("alt").str.count_matches(",", literal=True) + 1).cast(pl.UInt16).alias("alleles"),
        alleles["reason"].replace_strict(reasons, default=None, return_dtype=pl.String).alias("unannotated"),
        known_ids,
    )
    schema = table_schema(bundle, bool(plan.samples))
    taken = [name for name in schema if name in alleles.columns and name not in columns.columns]
    columns = columns.hstack(alleles.select(taken))
    if plan.samples:
        columns = columns.hstack(Genotypes(records, len(plan.samples)).columns(rows, alleles["allele"]))
    absent = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in columns.columns]
    return columns.with_columns(absent).select([pl.col(name).cast(kind) for name, kind in schema.items()])


def alt_of_allele(alt: pl.Series, allele: pl.Series) -> pl.Series:
    """Of each ALT column the allele with that number, from 1."""
    if not alt.str.contains(",", literal=True).any():
        return alt
    return pl.select(alt.str.split(",").list.get(allele.cast(pl.Int64) - 1)).to_series()

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

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from annotations.engine.alleles import REASON_TEXT, Alleles, Reason
from annotations.engine.annotated import Annotated
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.genotypes import GENOTYPE_SCHEMA, genotype_columns
from annotations.engine.kernels.library import Array
from annotations.engine.kernels.texts import Texts
from annotations.engine.layout import Plan
from annotations.engine.lines import ALT, FILTER, ID, QUAL, REF, Lines
from annotations.engine.parts import nth_parts

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


class TableRows:
    """Makes the rows of consecutive chunks; `first_record` is the number of their first record, from 0."""

    def __init__(self, plan: Plan, bundle: ReferenceBundle, first_record: int) -> None:
        self._done = first_record
        self._samples = len(plan.samples)
        self._schema = table_schema(bundle, bool(plan.samples))
        self._contigs = pl.DataFrame(plan.contigs, {"chrom": pl.String, "contig": pl.String}, orient="row")
        self._reasons = pl.Series([REASON_TEXT.get(reason) for reason in Reason], dtype=pl.String)

    def of_chunk(self, lines: Lines, ids: Texts | None, found: Annotated) -> pl.DataFrame:
        """A row for each allele of the next chunk; `ids`, if any, are what stands in the ID column now."""
        alleles = found.alleles
        columns = self._told_by_lines(lines, ids, alleles)
        columns["record"] = pl.Series(alleles.row + np.int64(self._done + 1))
        self._done += len(lines)
        columns |= self._contigs[_rows(alleles.contig)].to_dict()
        columns["unannotated"] = self._reasons[_rows(alleles.reason)]
        columns |= _found(found)
        if self._samples:
            columns |= genotype_columns(lines, self._samples, alleles.row, alleles.allele)
        nothing = pl.Series([None])
        return pl.DataFrame(
            {
                name: columns[name].cast(kind)
                if name in columns
                else nothing.cast(kind).new_from_index(0, len(alleles))
                for name, kind in self._schema.items()
            }
        )

    def _told_by_lines(self, lines: Lines, ids: Texts | None, alleles: Alleles) -> dict[str, pl.Series]:
        row = alleles.row
        own = [lines.fields(column) for column in (ID, REF, ALT, QUAL, FILTER)]
        if ids is not None:
            own[0] = ids
        if len(alleles) > len(lines):
            alts = nth_parts(own[2], ",", row, alleles.allele)
            own = [texts.take(row) for texts in own]
            own[2] = alts
        name, ref, alt, quality, filters = (texts.series() for texts in own)
        return {
            "pos": pl.Series(lines.positions[row]),
            "id": name.set(name == ".", None),
            "ref": ref,
            "alt": alt,
            "allele": pl.Series(alleles.allele),
            "alleles": pl.Series(np.bincount(row)[row]),
            "qual": quality.cast(pl.Float64, strict=False),
            "filter": filters.set(filters == ".", None),
        }


def _found(found: Annotated) -> dict[str, pl.Series]:
    columns = {} if found.intervals is None else found.intervals.to_dict()
    for values in found.known:
        columns |= values.columns()
    ids = [values.ids.series() for values in found.known if values.ids is not None]
    if ids:
        columns["known_ids"] = _known_ids(ids)
    rows = found.effects.rows.rechunk()  # else to take them costs several times as much
    columns |= rows[_rows(found.row_of)].to_dict()
    columns["csq"] = found.effects.csq.series()[_rows(found.text_of)]
    return columns


def _rows(numbers: Array) -> pl.Series:
    """Numbers of rows of a frame, -1 for a row of nulls, as polars takes them with the least ado."""
    rows = pl.Series(numbers.astype(np.uint32))
    return rows.set(pl.Series(numbers < 0), None) if (numbers < 0).any() else rows


def _known_ids(ids: Sequence[pl.Series]) -> pl.Series:
    """The ids of several sources as one list, null where there are none."""
    if len(ids) == 1:
        return ids[0].str.split(";")
    texts = pl.select(pl.concat_str(*ids, separator=";", ignore_nulls=True)).to_series()
    return texts.set(texts == "", None).str.split(";")

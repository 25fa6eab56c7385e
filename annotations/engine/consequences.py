"""Put together what is known of each allele's effect: the CSQ text and the columns of the result table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl

from annotations.engine.descriptions import NOT_IN_CSQ, describe_pairs
from annotations.engine.entries import EntryNames, write_entries
from annotations.engine.genes import Transcripts
from annotations.engine.hgvs import HgvsDescriber
from annotations.engine.terms import BIT

CSQ_FIELDS = (
    "Allele",
    "Consequence",
    "IMPACT",
    "SYMBOL",
    "Gene",
    "Feature_type",
    "Feature",
    "BIOTYPE",
    "EXON",
    "HGVSc",
    "HGVSp",
    "Amino_acids",
    "STRAND",
    "CANONICAL",
    "MANE_SELECT",
)
CSQ_HEADER = (
    '##INFO=<ID=CSQ,Number=.,Type=String,Description="Consequence annotations. '
    f'Format: {"|".join(CSQ_FIELDS)}">'
)
_INTERGENIC = "|intergenic_variant|MODIFIER" + "|" * (len(CSQ_FIELDS) - 3)

# What the table says of each allele, beside where it is.
EFFECT_SCHEMA: dict[str, Any] = {
    "csq_text": pl.Int32,  # its CSQ entries, divided by commas: which of the texts
    "consequence": pl.String,  # the most severe term
    "impact": pl.String,
    "symbols": pl.List(pl.String),
    "genes": pl.List(pl.String),
    "gene_names": pl.String,  # both as one text, |APP|ENSG00000142192|
    "transcript": pl.String,  # the transcript most severely hit
    "hgvsc": pl.String,
    "hgvsp": pl.String,
    "amino_acids": pl.String,
    "terms": pl.Int64,  # all terms in all transcripts, as a set of bits
}


def read_csq(text: str) -> list[dict[str, str]]:
    """CSQ's entries, most severe first for each allele, by the names in CSQ_FIELDS.

    >>> entry = "T|synonymous_variant|LOW|ONE|G1|Transcript|T1|mRNA|2/9|T1.2:c.3C>T|P1:p.(Gly1%3D)|G|1||"
    >>> read_csq(entry)[0]["HGVSp"]
    'P1:p.(Gly1=)'
    """
    entries = (entry.replace("%3D", "=").split("|") for entry in text.split(","))
    return [dict(zip(CSQ_FIELDS, entry, strict=True)) for entry in entries]


@dataclass(frozen=True)
class GeneModel:
    """The transcripts of some contigs, what describes alleles on them, and the texts of each for CSQ."""

    transcripts: Transcripts
    describer: HgvsDescriber
    names: EntryNames

    @classmethod
    def of(cls, transcripts: Transcripts, describer: HgvsDescriber) -> "GeneModel":
        return cls(transcripts, describer, _names_of(transcripts.frame))


def _names_of(frame: pl.DataFrame) -> EntryNames:
    columns = {
        name: frame[name].cast(pl.String).fill_null("").str.replace_all(NOT_IN_CSQ, "_")
        for name in ("symbol", "gene_id", "transcript", "biotype", "mane_select", "protein_id")
    }
    canonical = frame["canonical"].fill_null(value=False)
    texts = pl.DataFrame(columns).select(
        before_exon=pl.concat_str(
            [
                pl.lit(""),
                "symbol",
                "gene_id",
                pl.lit("Transcript"),
                "transcript",
                "biotype",
                pl.lit(""),
            ],
            separator="|",
        ),
        after_amino_acids=pl.concat_str(
            [
                pl.lit(""),
                pl.lit(frame["strand"].cast(pl.String)),
                pl.lit(canonical.replace_strict({True: "YES", False: ""}, return_dtype=pl.String)),
                "mane_select",
            ],
            separator="|",
        ),
        symbol=pl.when(pl.col("symbol") != "").then("symbol"),
        gene="gene_id",
        transcript="transcript",
        protein="protein_id",
    )
    return EntryNames(texts, frame["exon_starts"].list.len().cast(pl.Int64).to_numpy(), ~canonical.to_numpy())


@dataclass(frozen=True)
class Effects:
    """What alleles do: a row for each (EFFECT_SCHEMA), and the texts of CSQ, which alleles share."""

    columns: pl.DataFrame
    csq: pl.Series

    @classmethod
    def none(cls) -> "Effects":
        return cls(pl.DataFrame(schema=EFFECT_SCHEMA), pl.Series("csq", [], pl.String))

    @classmethod
    def join(cls, parts: Sequence["Effects"]) -> "Effects":
        if len(parts) == 1:
            return parts[0]
        first = accumulate((len(part.csq) for part in parts), initial=0)
        columns = [
            part.columns.with_columns(pl.col("csq_text") + before)
            for part, before in zip(parts, first, strict=False)
        ]
        return cls(pl.concat(columns), pl.concat([part.csq for part in parts]))


def csq_of(numbers: pl.Series, texts: pl.Series) -> pl.Series:
    """The CSQ entries of alleles by the number of their text, null for none."""
    return pl.concat([texts, texts.clear(1)])[numbers.fill_null(len(texts)).to_numpy()].alias("csq")


def effects(alleles: pl.DataFrame, said: pl.DataFrame, model: GeneModel) -> Effects:
    """What each of `alleles` does (alleles.SCHEMA, with places on the line of the model's contigs).

    `said` has csq's findings: index (the row of `alleles`), transcript, mask, change. Alleles that lie
    alike, between the same breakpoints of the gene model, are worked out once, if csq said nothing of them
    and they lie where no allele is described by itself.
    """
    alone = np.zeros(len(alleles), np.uint8)
    alone[said["index"].to_numpy()] = 1
    located = model.transcripts.locate(
        alleles["start"].cast(pl.Int64).to_numpy(),
        alleles["end"].cast(pl.Int64).to_numpy(),
        alleles["kind"].to_numpy(),
        alone,
    )
    descriptions = describe_pairs(located, alleles, model.describer)
    spans = said["index"].to_numpy()
    found = said.with_columns(pl.Series("span", located.span_of[spans])).drop("index")
    texts, text_of, rows = write_entries(located, alleles["allele_name"], descriptions, found, model.names)
    return Effects(pl.DataFrame({"csq_text": text_of}).hstack(rows[located.span_of]), texts)


def without_genes(alleles: pl.DataFrame) -> Effects:
    """The effects of alleles on a contig that has no genes."""
    name = alleles["allele_name"]
    texts = name.unique(maintain_order=True)
    columns = alleles.select(
        name.replace_strict(texts, range(len(texts)), return_dtype=pl.Int32).alias("csq_text"),
        pl.lit("intergenic_variant").alias("consequence"),
        pl.lit("MODIFIER").alias("impact"),
        *(
            pl.lit(None, kind).alias(name)
            for name, kind in EFFECT_SCHEMA.items()
            if name not in {"csq_text", "consequence", "impact", "terms"}
        ),
        pl.lit(BIT["intergenic_variant"], pl.Int64).alias("terms"),
    )
    return Effects(columns, (texts + _INTERGENIC).alias("csq"))

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
from annotations.engine.kernels.library import Array
from annotations.engine.kernels.texts import Texts
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

# What the table says of an allele, beside where it is and its CSQ entries.
EFFECT_SCHEMA: dict[str, Any] = {
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
    """What alleles do. They share texts of CSQ, and rows of columns, which those have that lie alike."""

    text_of: Array  # int32, one an allele: the number of its text
    csq: Texts  # entries of CSQ, divided by commas
    row_of: Array  # int32, one an allele
    rows: pl.DataFrame  # EFFECT_SCHEMA

    @classmethod
    def none(cls) -> "Effects":
        nothing = np.empty(0, np.int32)
        return cls(nothing, Texts.nulls(0), nothing, pl.DataFrame(schema=EFFECT_SCHEMA))

    @classmethod
    def join(cls, parts: Sequence["Effects"]) -> "Effects":
        if len(parts) == 1:
            return parts[0]
        texts = accumulate((len(part.csq) for part in parts), initial=0)
        rows = accumulate((len(part.rows) for part in parts), initial=0)
        return cls(
            np.concatenate([part.text_of + first for part, first in zip(parts, texts, strict=False)]),
            Texts.join([part.csq for part in parts]),
            np.concatenate([part.row_of + first for part, first in zip(parts, rows, strict=False)]),
            pl.concat([part.rows for part in parts]),
        )


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
    return Effects(text_of, Texts.of(texts), located.span_of, rows)


def without_genes(alleles: pl.DataFrame) -> Effects:
    """The effects of alleles on a contig that has no genes."""
    name = alleles["allele_name"]
    texts = name.unique(maintain_order=True)
    text_of = name.replace_strict(texts, range(len(texts)), return_dtype=pl.Int32).to_numpy()
    row = dict.fromkeys(EFFECT_SCHEMA) | {
        "consequence": "intergenic_variant",
        "impact": "MODIFIER",
        "terms": BIT["intergenic_variant"],
    }
    rows = pl.DataFrame([row], schema=EFFECT_SCHEMA)
    return Effects(text_of, Texts.of(texts + _INTERGENIC), np.zeros(len(alleles), np.int32), rows)

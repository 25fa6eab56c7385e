"""Put together what is known of each allele's effect: the CSQ text and the columns of the result table."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl

from annotations.engine.alleles import Alleles
from annotations.engine.contig_line import ContigLine
from annotations.engine.descriptions import NOT_IN_CSQ, describe_pairs, describer_of, proteins_unread
from annotations.engine.entries import EntryNames, write_entries
from annotations.engine.genes import Transcripts
from annotations.engine.hgvs import GenomeFetch, HgvsDescriber
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
    """The transcripts of some contigs, what describes alleles on them, and the texts of each for CSQ.

    `fetch` reads the genome where the transcripts are; the contigs share a genetic code.
    """

    transcripts: Transcripts
    genetic_code: int
    fetch: GenomeFetch

    @cached_property
    def describer(self) -> HgvsDescriber:
        return describer_of(self.transcripts.frame, self.genetic_code, self.fetch)

    @cached_property
    def names(self) -> EntryNames:
        return _names_of(self.transcripts.frame)

    @cached_property
    def has_protein(self) -> Array:
        """Whether the protein of each transcript has a name."""
        return (self.transcripts.frame["protein_id"].fill_null("") != "").to_numpy()


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


@dataclass(frozen=True)
class Placed:
    """Alleles and where they lie on the line of contigs: `start` and `end` as in Alleles, and `norm_pos`."""

    alleles: Alleles
    start: Array  # int64, as are the others
    end: Array
    norm_pos: Array

    @classmethod
    def of(cls, alleles: Alleles, line: ContigLine) -> "Placed":
        start, end = line.spans(alleles.contig, alleles.start, alleles.end)
        offset, _ = line.extents(alleles.contig)
        return cls(alleles, start, end, alleles.norm_pos + offset)

    def take(self, rows: Array) -> "Placed":
        """Those of these rows."""
        return Placed(self.alleles.take(rows), self.start[rows], self.end[rows], self.norm_pos[rows])

    def part(self, first: int, last: int) -> "Placed":
        """Rows `first` up to `last` (exclusive)."""
        rows = slice(first, last)
        return Placed(self.alleles.part(first, last), self.start[rows], self.end[rows], self.norm_pos[rows])


def left_for_csq(placed: Placed, model: GeneModel) -> Array:
    """Of which alleles csq can tell something that neither gene model nor description does.

    It can of insertions and deletions near an exon, and of single bases where the protein is not described:
    a description says what becomes of a codon, and the gene model where the splice sites are.
    """
    wanted = placed.alleles.for_csq & model.transcripts.near_exons(placed.start, placed.end)
    ref, alt = placed.alleles.norm_ref, placed.alleles.norm_alt
    single = np.flatnonzero(wanted & (ref.length == 1) & (alt.length == 1))
    if len(single):
        asked = placed.take(single)
        alone = np.ones(len(single), np.uint8)
        located = model.transcripts.locate(asked.start, asked.end, asked.alleles.kind, alone)
        wanted[single] = proteins_unread(
            located, asked.norm_pos, asked.alleles, model.describer, model.has_protein
        )
    return wanted


def effects(placed: Placed, said: pl.DataFrame, model: GeneModel) -> Effects:
    """What each of the alleles does.

    `said` has csq's findings: index (the row of the alleles), transcript, mask, change. Alleles that lie
    alike, between the same breakpoints of the gene model, are worked out once, if csq said nothing of them
    and they lie where no allele is described by itself.
    """
    alleles = placed.alleles
    alone = np.zeros(len(alleles), np.uint8)
    alone[said["index"].to_numpy()] = 1
    located = model.transcripts.locate(placed.start, placed.end, alleles.kind, alone)
    descriptions = describe_pairs(located, placed.norm_pos, alleles, model.describer)
    spans = said["index"].to_numpy()
    found = said.with_columns(pl.Series("span", located.span_of[spans])).drop("index")
    texts, text_of, rows = write_entries(located, alleles.name, descriptions, found, model.names)
    return Effects(text_of, texts, located.span_of, rows)


def without_genes(alleles: Alleles) -> Effects:
    """The effects of alleles on a contig that has no genes."""
    name = alleles.name.series("name")
    texts = name.unique(maintain_order=True)
    text_of = name.replace_strict(texts, range(len(texts)), return_dtype=pl.Int32).to_numpy()
    row = dict.fromkeys(EFFECT_SCHEMA) | {
        "consequence": "intergenic_variant",
        "impact": "MODIFIER",
        "terms": BIT["intergenic_variant"],
    }
    rows = pl.DataFrame([row], schema=EFFECT_SCHEMA)
    return Effects(text_of, Texts.of(texts + _INTERGENIC), np.zeros(len(alleles), np.int32), rows)

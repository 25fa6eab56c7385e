"""Put together what is known of each allele's effect: the CSQ text and the columns of the result table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from annotations.engine.descriptions import (
    NOT_IN_CSQ,
    describe_pairs,
    is_described,
    terms_agreed,
)
from annotations.engine.genes import Pairs, Transcripts
from annotations.engine.haplotypes import with_haplotypes
from annotations.engine.hgvs import HgvsDescriber
from annotations.engine.terms import BIT, impact_of, most_severe, text_of

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
FEW_ALLELES = 2_000  # of so few, hardly any lie alike, and to sort all breakpoints would cost most
_INTERGENIC = "|intergenic_variant|MODIFIER" + "|" * (len(CSQ_FIELDS) - 3)

# What the table says of each allele, beside where it is.
EFFECT_SCHEMA: dict[str, Any] = {
    "csq": pl.String,  # its CSQ entries, divided by commas
    "consequence": pl.String,  # the most severe term
    "impact": pl.String,
    "symbols": pl.List(pl.String),
    "genes": pl.List(pl.String),
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
    """The transcripts of some contigs, what describes alleles on them, and the text of each for CSQ."""

    transcripts: Transcripts
    describer: HgvsDescriber
    texts: pl.DataFrame  # transcript, before_exon, after_amino_acids, ...

    @classmethod
    def of(cls, transcripts: Transcripts, describer: HgvsDescriber) -> "GeneModel":
        frame = transcripts.frame
        columns = {
            name: frame[name].cast(pl.String).fill_null("").str.replace_all(NOT_IN_CSQ, "_")
            for name in ("symbol", "gene_id", "transcript", "biotype", "mane_select", "protein_id")
        }
        before_exon = pl.select(
            pl.concat_str(
                [
                    pl.lit("|"),
                    columns["symbol"],
                    columns["gene_id"],
                    pl.lit("Transcript"),
                    columns["transcript"],
                    columns["biotype"],
                    pl.lit(""),
                ],
                separator="|",
            ).str.slice(1)
        ).to_series()
        canonical = frame["canonical"].fill_null(value=False).replace_strict({True: "YES", False: ""})
        after = pl.select(
            pl.concat_str(
                [pl.lit(""), frame["strand"].cast(pl.String), canonical, columns["mane_select"]],
                separator="|",
            )
        ).to_series()
        texts = pl.DataFrame(
            {
                "transcript": columns["transcript"],
                "before_exon": before_exon,
                "after_amino_acids": after,
                "exon_count": frame["exon_starts"].list.len().cast(pl.String),
                "symbol": pl.select(pl.when(columns["symbol"] != "").then(columns["symbol"])).to_series(),
                "gene_id": columns["gene_id"],
                "protein_id": columns["protein_id"],
                "not_canonical": ~frame["canonical"].fill_null(value=False),
            }
        )
        return cls(transcripts, describer, texts)


def effects(alleles: pl.DataFrame, entries: pl.DataFrame, model: GeneModel) -> pl.DataFrame:
    """What each allele does (EFFECT_SCHEMA), a row for each of `alleles` (alleles.SCHEMA,
    with start, end and norm_pos on the line of the model's contigs).

    `entries` has csq's findings: index (the row of `alleles`), transcript, mask, change. Alleles that lie
    alike, between the same breakpoints of the gene model, are worked out once, if csq said nothing of them
    and they lie where no allele is described by itself.
    """
    start = alleles["start"].to_numpy().astype(np.int64)
    end = alleles["end"].to_numpy().astype(np.int64)
    kind = alleles["kind"].to_numpy().astype(np.int64)
    key = _keys(start, end, kind, entries["index"].unique().to_numpy(), model.transcripts)
    _, example, span_of = np.unique(key, return_index=True, return_inverse=True)
    pairs = model.transcripts.locate(start[example], end[example], kind[example])
    pairs, span_of, allele_of = _told_apart(pairs, span_of, example)
    described = describe_pairs(pairs, allele_of, alleles, model.describer)
    said = entries.with_columns(pl.Series("span", span_of[entries["index"].to_numpy()], pl.Int64)).drop(
        "index"
    )
    spans = _spans(_merge(pairs, described, said, model), len(allele_of))
    aggregates = spans[span_of].select(name for name in EFFECT_SCHEMA if name != "csq")
    return aggregates.select(_csq(spans["pieces"], span_of, alleles["allele_name"]), pl.all())


def _csq(pieces: pl.Series, span_of: np.ndarray, names: pl.Series) -> pl.Series:
    """The CSQ entries of each allele: those of its span, each headed by the allele's name.

    Each text is written once, and alleles of one span and name share it: one in ten is another.
    """
    number = names.rank("dense").to_numpy().astype(np.int64)
    _, example, text_of_allele = np.unique(
        span_of * (len(names) + 1) + number, return_index=True, return_inverse=True
    )
    once = pl.DataFrame({"pieces": pieces[span_of[example]], "separator": "," + names[example]})
    texts = once.select(pl.col("pieces").list.join(pl.col("separator")).str.slice(1).alias("csq"))["csq"]
    return texts[text_of_allele]


def without_genes(alleles: pl.DataFrame) -> pl.DataFrame:
    """The effects of alleles on a contig that has no genes."""
    return alleles.select(
        (pl.col("allele_name") + _INTERGENIC).alias("csq"),
        pl.lit("intergenic_variant").alias("consequence"),
        pl.lit("MODIFIER").alias("impact"),
        pl.lit(None, pl.List(pl.String)).alias("symbols"),
        pl.lit(None, pl.List(pl.String)).alias("genes"),
        pl.lit(None, pl.String).alias("transcript"),
        *[pl.lit(None, pl.String).alias(name) for name in ("hgvsc", "hgvsp", "amino_acids")],
        pl.lit(BIT["intergenic_variant"], pl.Int64).alias("terms"),
    )


def _keys(
    start: np.ndarray, end: np.ndarray, kind: np.ndarray, touched: np.ndarray, transcripts: Transcripts
) -> np.ndarray:
    if len(start) <= FEW_ALLELES:
        return np.arange(len(start))
    first = transcripts.segments(start)
    length = transcripts.segments(end) - first
    key = (first << 34) | (length << 4) | kind
    key[touched] = -1 - touched.astype(np.int64)  # csq spoke of these: each is worked out by itself
    return key


def _told_apart(
    pairs: Pairs, span_of: np.ndarray, example: np.ndarray
) -> tuple[Pairs, np.ndarray, np.ndarray]:
    """Give every allele a span of its own where one of the pairs is described in words of the allele.

    Returns the pairs, the span of each allele, and an allele of each span.
    """
    near = np.zeros(len(example), np.bool_)
    near[pairs.span[is_described(pairs.mask)]] = True
    alone = np.flatnonzero(near[span_of])
    first = np.searchsorted(pairs.span, span_of[alone], "left")
    count = np.searchsorted(pairs.span, span_of[alone], "right") - first
    copies = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
    kept = np.flatnonzero(~near[pairs.span])
    taken = np.concatenate([kept, copies])
    own_spans = len(example) + np.arange(len(alone))
    span_of = span_of.copy()
    span_of[alone] = own_spans
    told_apart = Pairs(
        span=np.concatenate([pairs.span[kept], np.repeat(own_spans, count)]),
        transcript=pairs.transcript[taken],
        mask=pairs.mask[taken],
        first_exon=pairs.first_exon[taken],
        last_exon=pairs.last_exon[taken],
    )
    return told_apart, span_of, np.concatenate([example, alone])


def _merge(pairs: Pairs, described: pl.DataFrame, said: pl.DataFrame, model: GeneModel) -> pl.DataFrame:
    """A row for every entry of CSQ, ordered by span and then most severe first."""
    frame = pl.DataFrame(
        {
            "span": pairs.span,
            "index": pairs.transcript,
            "mask": pairs.mask,
            "first_exon": pairs.first_exon,
            "last_exon": pairs.last_exon,
        }
    ).hstack(described)
    frame = frame.with_columns(model.texts[pairs.transcript])
    found = said.rename({"mask": "csq"})
    frame = frame.join(found, on=["span", "transcript"], how="left", maintain_order="left")
    frame = frame.with_columns(terms_agreed(frame))
    frame = with_haplotypes(frame)
    gravest = pl.col("mask") & -pl.col("mask")  # the lowest bit set
    # of a transcript there are several entries only where several haplotypes change it
    ties = ["mask", "change"] if said["change"].null_count() < len(said) else []
    return frame.sort("span", gravest, "not_canonical", "index", *ties)


def _spans(merged: pl.DataFrame, count: int) -> pl.DataFrame:
    """One row a span: the tails of its CSQ entries (what follows the allele) and its aggregates."""
    masks = merged["mask"].unique().to_list()
    tails = merged.with_columns(
        pl.col("mask")
        .replace_strict(
            {mask: f"|{text_of(mask)}|{impact_of(mask)}" for mask in masks}, return_dtype=pl.String
        )
        .alias("terms_text"),
        _exon_text().alias("exon"),
    ).with_columns(
        pl.concat_str(
            "terms_text",
            "before_exon",
            "exon",
            pl.lit("|"),
            pl.col("hgvsc").fill_null(""),
            pl.lit("|"),
            # a value of INFO may have no equals sign: VEP writes it so, too
            pl.col("hgvsp").fill_null("").str.replace("=", "%3D", literal=True),
            pl.lit("|"),
            pl.col("amino_acids").fill_null(""),
            "after_amino_acids",
        ).alias("tail"),
    )
    grouped = tails.group_by("span", maintain_order=True).agg(
        pl.col("tail"),
        pl.col("mask").first().alias("gravest"),
        pl.col("symbol").drop_nulls().unique(maintain_order=True).alias("symbols"),
        pl.col("gene_id").unique(maintain_order=True).alias("genes"),
        pl.col("transcript", "hgvsc", "hgvsp", "amino_acids").first(),
        pl.col("mask").bitwise_or().alias("terms"),
    )
    everywhere = pl.DataFrame({"span": np.arange(count)}).join(
        grouped, on="span", how="left", maintain_order="left"
    )
    intergenic = BIT["intergenic_variant"]
    gravest = pl.col("gravest").fill_null(intergenic)
    first_terms = everywhere["gravest"].fill_null(intergenic).unique().to_list()
    return everywhere.select(
        pl.concat_list(pl.lit(""), pl.col("tail").fill_null([_INTERGENIC])).alias("pieces"),
        gravest.replace_strict({m: most_severe(m) for m in first_terms}, return_dtype=pl.String).alias(
            "consequence"
        ),
        gravest.replace_strict({m: impact_of(m) for m in first_terms}, return_dtype=pl.String).alias(
            "impact"
        ),
        "symbols",
        "genes",
        "transcript",
        "hgvsc",
        "hgvsp",
        "amino_acids",
        pl.col("terms").fill_null(intergenic),
    )


def _exon_text() -> pl.Expr:
    first, last = pl.col("first_exon"), pl.col("last_exon")
    number = (
        pl.when(first == last)
        .then(first.cast(pl.String))
        .otherwise(pl.concat_str(first.cast(pl.String), pl.lit("-"), last.cast(pl.String)))
    )
    return pl.when(first > 0).then(pl.concat_str(number, pl.lit("/"), "exon_count")).otherwise(pl.lit(""))

"""The entries of CSQ and the columns that go with them, put together by kernels/entries.c.

csq says which terms an allele has in a coding sequence, and the describer what becomes of the protein. They
read the same codons, so that both of them stand in one entry of CSQ only if they mean the same: where they
do not, the describer's reading decides (docs/engine.md says which these are).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from annotations.engine.genes import Located
from annotations.engine.haplotypes import joint_texts
from annotations.engine.hgvs.descriptions import Descriptions
from annotations.engine.kernels.library import Array, Room, Structure, call, structure
from annotations.engine.kernels.texts import Texts, text_column

_Found = structure(
    "_Found",
    count=int,
    span=np.int32,
    transcript=np.int32,
    terms=np.uint32,
    first_exon=np.int32,
    last_exon=np.int32,
    hgvsc="",
    change="",
    amino_acids="",
)
_Said = structure(
    "_Said",
    count=int,
    span=np.int32,
    transcript=np.int32,
    terms=np.uint32,
    is_joint=np.uint8,
    rank=np.int32,
    change="",
    amino_acids="",
)
_Names = structure(
    "_Names",
    count=int,
    before_exon="",
    after_amino_acids="",
    symbol="",
    gene="",
    transcript="",
    protein="",
    exon_count=np.int64,
    not_canonical=np.uint8,
)
_Named = structure("_Named", count=int, span=np.int32, name="")
_Scratch = structure(
    "_Scratch",
    entries=np.uint8,
    entry_count=int,
    tails=Room,
    tail_end=np.int64,
    tail_count=int,
    span_tails=np.int64,
    span_texts=np.int64,
    span_count=int,
    before=np.int64,
    of_allele=np.int64,
)
_Written = structure(
    "_Written",
    csq=Room,
    csq_at=np.int64,
    csq_length=np.int32,
    rows=Room,
    text_of=np.int32,
    text_count=int,
)

_ENTRY_BYTES = 24  # struct entry
_TAIL_BYTES, _CSQ_BYTES, _ROW_BYTES = 96, 384, 160  # of one, as a first guess
_ROW_SCHEMA = {
    "consequence": pl.String,
    "impact": pl.String,
    "symbols": pl.String,
    "genes": pl.String,
    "transcript": pl.String,
    "hgvsc": pl.String,
    "hgvsp": pl.String,
    "amino_acids": pl.String,
    "terms": pl.Int64,
}


@dataclass(frozen=True)
class EntryNames:
    """The texts of each transcript: before_exon, after_amino_acids, symbol, gene, transcript and protein."""

    texts: pl.DataFrame
    exon_count: Array
    not_canonical: Array

    @cached_property
    def for_kernels(self) -> Structure:
        columns = {name: text_column(self.texts[name]) for name in self.texts.columns}
        return _Names(
            count=len(self.texts),
            exon_count=self.exon_count,
            not_canonical=self.not_canonical.astype(np.uint8),
            **columns,
        )

    @cached_property
    def rows(self) -> pl.DataFrame:
        """transcript, and its row; of a contig that a file names in two ways a transcript has two."""
        return self.texts.select("transcript", "protein").with_row_index("row")


def write_entries(
    located: Located,
    names: Texts,
    descriptions: Descriptions,
    said: pl.DataFrame,
    transcripts: EntryNames,
) -> tuple[Texts, Array, pl.DataFrame]:
    """Texts of CSQ entries, most severe first; which of them is each allele's; and a row of effects a span.

    `names` is what heads each allele's entries, `descriptions` is of the located pairs, and `said` is what
    csq said: span (in order), transcript, mask and change.
    """
    pairs = located.pairs
    found = _Found(
        count=len(pairs.span),
        span=pairs.span,
        transcript=pairs.transcript,
        terms=pairs.mask,
        first_exon=pairs.first_exon,
        last_exon=pairs.last_exon,
        hgvsc=descriptions.column("hgvsc"),
        change=descriptions.column("hgvsp"),
        amino_acids=descriptions.column("amino_acids"),
    )
    words = _said(said, transcripts)
    alleles = _Named(count=len(names), span=located.span_of, name=names.for_kernels)
    most_entries = len(pairs.span) + words.count
    sizes = _TAIL_BYTES * most_entries, _CSQ_BYTES * len(names), _ROW_BYTES * len(located.example)
    while True:
        tails, csq, rows = (np.empty(size, np.uint8) for size in sizes)
        scratch = _Scratch(
            entries=np.empty(_ENTRY_BYTES * most_entries, np.uint8),
            entry_count=most_entries,
            tails=Room(bytes=tails, size=len(tails), used=0),
            tail_end=np.empty(most_entries, np.int64),
            tail_count=most_entries,
            span_tails=np.empty(2 * len(located.example), np.int64),
            span_texts=np.empty(len(located.example), np.int64),
            span_count=len(located.example),
            before=np.empty(len(names), np.int64),
            of_allele=np.empty(len(names), np.int64),
        )
        text_of, csq_length = np.empty((2, len(names)), np.int32)
        csq_at = np.empty(len(names), np.int64)
        written = _Written(
            csq=Room(bytes=csq, size=len(csq), used=0),
            csq_at=csq_at,
            csq_length=csq_length,
            rows=Room(bytes=rows, size=len(rows), used=0),
            text_of=text_of,
            text_count=0,
        )
        call("write_entries", alleles, found, words, transcripts.for_kernels, scratch, written)
        needed = scratch.tails.used, written.csq.used, written.rows.used
        if all(used <= size for used, size in zip(needed, sizes, strict=True)):
            break
        sizes = tuple(map(max, needed, sizes))
    count = written.text_count
    texts = Texts(csq[: needed[1]], csq_at[:count], csq_length[:count])
    return texts, text_of, _read_rows(rows[: needed[2]].tobytes())


def _said(said: pl.DataFrame, transcripts: EntryNames) -> Structure:
    words = said.join(transcripts.rows, on="transcript", maintain_order="left")
    count = len(words)
    is_joint = words["change"].is_not_null().to_numpy()
    rank = np.zeros(count, np.int32)
    change = amino_acids = Texts.nulls(count)
    if is_joint.any():
        joint = joint_texts(words)
        change, amino_acids = Texts.of(joint["hgvsp"]), Texts.of(joint["amino_acids"])
        rank = words["change"].rank("dense").fill_null(0).cast(pl.Int32).to_numpy()
    return _Said(
        count=count,
        span=words["span"].to_numpy().astype(np.int32),
        transcript=words["row"].to_numpy().astype(np.int32),
        terms=words["mask"].to_numpy().astype(np.uint32),
        is_joint=is_joint.astype(np.uint8),
        rank=rank,
        change=change.for_kernels,
        amino_acids=amino_acids.for_kernels,
    )


def _read_rows(lines: bytes) -> pl.DataFrame:
    rows = pl.read_csv(lines, separator="\t", has_header=False, quote_char=None, schema=_ROW_SCHEMA)
    names = pl.concat_str("symbols", "genes", separator="|", ignore_nulls=True)
    is_known = pl.col("genes").is_not_null()
    return rows.select(
        "consequence",
        "impact",
        # of genes without a symbol the list is empty
        pl.when(is_known).then(pl.col("symbols").str.split("|").fill_null([])).alias("symbols"),
        pl.col("genes").str.split("|"),
        pl.when(is_known).then(pl.format("|{}|", names)).alias("gene_names"),
        "transcript",
        "hgvsc",
        "hgvsp",
        "amino_acids",
        "terms",
    )

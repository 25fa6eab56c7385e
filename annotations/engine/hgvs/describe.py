"""HGVS descriptions for a batch of alleles on transcripts."""

import numpy as np
import polars as pl

from annotations.engine.hgvs.coding import CodingTranscripts
from annotations.engine.hgvs.columns import spread
from annotations.engine.hgvs.genome import GenomeBlocks, GenomeFetch
from annotations.engine.hgvs.rearrangements import describe_rearrangements
from annotations.engine.hgvs.substitutions import describe_substitutions
from annotations.engine.hgvs.transcripts import TranscriptTable

PAIR_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "transcript": pl.UInt32,  # row in the transcript table
    "pos": pl.Int64,  # POS, REF and one ALT of a VCF record, trimmed or not
    "ref": pl.String,
    "alt": pl.String,
}
RESULT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "hgvsc": pl.String,  # ENST00000346798.7:c.2149G>T
    "hgvsp": pl.String,  # ENSP00000284981.4:p.(Val717Phe)
    "codons": pl.String,  # Gtt/Ttt, the bases that change in upper case
    "amino_acids": pl.String,  # V/F; a synonymous change has one side only
    "protein_position": pl.Int32,  # of the first residue concerned
}


class HgvsDescriber:
    """Describes alleles on the transcripts of one contig; keeps what it read for the next batch.

    `fetch` reads the genome: (contig, start, end), 0-based and half-open, to bases, as pysam's
    `FastaFile.fetch` does. `predicted_parentheses` puts what is deduced for the protein in parentheses,
    `p.(Val717Phe)`, as HGVS asks; without them it reads `p.Val717Phe`, as VEP prints it.
    Not safe to share between threads.
    """

    def __init__(
        self, table: TranscriptTable, fetch: GenomeFetch, contig: str, *, predicted_parentheses: bool = True
    ) -> None:
        self._table = table
        self._genome = GenomeBlocks(fetch, contig)
        self._coding = CodingTranscripts(table, self._genome)
        self._protein_marks = (":p.(", ")") if predicted_parentheses else (":p.", "")

    def describe(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Describe pairs of allele and transcript (PAIR_SCHEMA); one row a pair, in order (RESULT_SCHEMA).

        Sorted by position they are described fastest. A null says that there is no description, or none to
        be relied on: see docs/engine-hgvs.md.
        """
        alleles = pairs.select("transcript", "pos", pl.col("ref", "alt").str.to_uppercase())
        is_plain = pl.col("ref").str.contains("^[ACGT]+$") & pl.col("alt").str.contains("^[ACGT]+$")
        is_single_base = (pl.col("ref").str.len_bytes() == 1) & (pl.col("alt").str.len_bytes() == 1)
        kinds = alleles.select(
            told=(is_plain & (pl.col("ref") != pl.col("alt"))).fill_null(value=False),
            single=is_single_base.fill_null(value=False),
        )
        told, single = kinds["told"].to_numpy(), kinds["single"].to_numpy()
        described, places = [pl.DataFrame(schema=RESULT_SCHEMA)], [np.empty(0, np.int64)]
        for rows, describe in (
            (np.flatnonzero(told & single), describe_substitutions),
            (np.flatnonzero(told & ~single), describe_rearrangements),
        ):
            if len(rows):
                columns = describe(self._table, alleles[rows], self._genome, self._coding)
                described.append(columns.select(RESULT_SCHEMA.keys()))
                places.append(rows)
        joined = spread(pl.concat(described), np.concatenate(places), len(pairs))
        proteins = self._table.protein_ids[pairs["transcript"]]
        opening, closing = self._protein_marks
        return joined.with_columns(
            pl.concat_str(proteins, pl.lit(opening), pl.col("hgvsp"), pl.lit(closing)).alias("hgvsp")
        )

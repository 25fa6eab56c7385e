"""HGVS descriptions for a batch of alleles on transcripts."""

import polars as pl

from annotations.engine.hgvs.descriptions import COLUMNS, Descriptions
from annotations.engine.hgvs.exon_map import Ints
from annotations.engine.hgvs.genome import GenomeBlocks, GenomeFetch
from annotations.engine.hgvs.kernel import DescribingKernel
from annotations.engine.hgvs.transcripts import TranscriptTable
from annotations.engine.kernels.texts import Texts

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
        self._kernel = DescribingKernel(table, GenomeBlocks(fetch, contig))
        self._protein_marks = (":p.(", ")") if predicted_parentheses else (":p.", "")

    def describe(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Describe pairs of allele and transcript (PAIR_SCHEMA); one row a pair, in order (RESULT_SCHEMA).

        Sorted by position they are described fastest. A null says that there is no description, or none to
        be relied on: see docs/engine-hgvs.md.
        """
        ref, alt = (Texts.of(pairs[name].str.to_uppercase()) for name in ("ref", "alt"))
        found = self.describe_plain(
            pairs["transcript"].cast(pl.Int32).to_numpy(), pairs["pos"].cast(pl.Int64).to_numpy(), ref, alt
        )
        residue = pl.Series(found.residue)
        proteins = self._table.protein_ids[pairs["transcript"]]
        opening, closing = self._protein_marks
        return pl.DataFrame({name: found.texts(name).series() for name in COLUMNS}).select(
            "hgvsc",
            pl.concat_str(proteins, pl.lit(opening), pl.col("hgvsp"), pl.lit(closing)).alias("hgvsp"),
            "codons",
            "amino_acids",
            pl.when(residue > 0).then(residue).alias("protein_position"),
        )

    def describe_plain(self, transcript: Ints, place: Ints, ref: Texts, alt: Texts) -> Descriptions:
        """The same for columns: rows of the transcript table (int32), POS (int64), and upper-case alleles.

        Of proteins, it gives the bare changes.
        """
        return self._kernel.describe(transcript, place, ref, alt)

"""HGVS descriptions for a batch of alleles on transcripts."""

import numpy as np
import polars as pl

from annotations.engine.hgvs.coding import CodingTranscripts
from annotations.engine.hgvs.exon_map import Ints
from annotations.engine.hgvs.genetic_code import single_base_codes
from annotations.engine.hgvs.genome import GenomeBlocks, GenomeFetch
from annotations.engine.hgvs.rearrangements import describe_rearrangements
from annotations.engine.hgvs.substitutions import COLUMNS, Descriptions, describe_substitutions
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

_PLAIN = "^[ACGT]+$"


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
        found = self.describe_plain(
            alleles["transcript"].cast(pl.Int32).to_numpy(),
            alleles["pos"].cast(pl.Int64).to_numpy(),
            alleles["ref"],
            alleles["alt"],
        )
        residue = pl.Series(found.residue)
        proteins = self._table.protein_ids[pairs["transcript"]]
        opening, closing = self._protein_marks
        described = pl.DataFrame(
            {name: found.texts(name) for name in COLUMNS}, schema_overrides=RESULT_SCHEMA
        )
        return described.select(
            "hgvsc",
            pl.concat_str(proteins, pl.lit(opening), pl.col("hgvsp"), pl.lit(closing)).alias("hgvsp"),
            "codons",
            "amino_acids",
            pl.when(residue > 0).then(residue).alias("protein_position"),
        )

    def describe_plain(self, transcript: Ints, place: Ints, ref: pl.Series, alt: pl.Series) -> Descriptions:
        """The same for columns: rows of the transcript table (int32), POS (int64), and upper-case alleles.

        Of proteins, it gives the bare changes.
        """
        single = ((ref.str.len_bytes() == 1) & (alt.str.len_bytes() == 1)).fill_null(value=False)
        codes = [
            single_base_codes(pl.select(pl.when(single).then(texts).otherwise(pl.lit("N"))).to_series())
            for texts in (ref, alt)
        ]
        pairs = transcript, place, codes[0], codes[1]
        found, reads_on = describe_substitutions(self._table, self._genome, pairs)
        others = ~single & ref.str.contains(_PLAIN) & alt.str.contains(_PLAIN) & (ref != alt)
        rows = np.concatenate([reads_on, others.fill_null(value=False).arg_true().to_numpy()])
        if len(rows):
            frame = pl.DataFrame(
                {"transcript": transcript[rows], "pos": place[rows], "ref": ref[rows], "alt": alt[rows]}
            )
            found.put(rows, describe_rearrangements(self._table, frame, self._genome, self._coding))
        return found

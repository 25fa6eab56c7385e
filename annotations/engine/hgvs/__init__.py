"""HGVS descriptions of VCF alleles on transcripts: `ENST….7:c.2149G>T` and `ENSP….4:p.(Val717Phe)`.

    describer = HgvsDescriber(TranscriptTable.from_frame(frame), fasta.fetch, "21")
    described = describer.describe(pairs)

Conventions and limits stand in docs/engine-hgvs.md. The rule behind all of them: a description is left
empty rather than wrong.
"""

from annotations.engine.hgvs.describe import PAIR_SCHEMA, RESULT_SCHEMA, HgvsDescriber
from annotations.engine.hgvs.descriptions import Descriptions
from annotations.engine.hgvs.genome import GenomeFetch
from annotations.engine.hgvs.transcripts import TranscriptTable

__all__ = ["PAIR_SCHEMA", "RESULT_SCHEMA", "Descriptions", "GenomeFetch", "HgvsDescriber", "TranscriptTable"]

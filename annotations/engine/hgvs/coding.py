"""Spliced sequences and proteins of the transcripts at hand, kept while memory allows."""

from collections import OrderedDict

from annotations.engine.hgvs.genetic_code import GeneticCode, reverse_complement
from annotations.engine.hgvs.genome import GenomeBlocks
from annotations.engine.hgvs.protein import CodingTranscript
from annotations.engine.hgvs.transcripts import TranscriptTable

CACHED_BASES = 16 * 1024 * 1024


class CodingTranscripts:
    """The transcripts of a table as they are translated, the most recently used ones from memory."""

    def __init__(self, table: TranscriptTable, genome: GenomeBlocks) -> None:
        self._table = table
        self._genome = genome
        self._code = GeneticCode.of(table.genetic_code)
        self._known: OrderedDict[int, CodingTranscript] = OrderedDict()
        self._known_bases = 0

    def get(self, transcript: int) -> CodingTranscript | None:
        """The transcript in row `transcript`; None where it has no coding sequence or an unknown frame."""
        if self._table.coding_first[transcript] == 0 or self._table.pad[transcript] < 0:
            return None
        known = self._known.get(transcript)
        if known is None:
            known = self._known[transcript] = self._spliced(transcript)
            self._known_bases += len(known.cdna)
            while self._known_bases > CACHED_BASES and len(self._known) > 1:
                self._known_bases -= len(self._known.popitem(last=False)[1].cdna)
        else:
            self._known.move_to_end(transcript)
        return known

    def _spliced(self, transcript: int) -> CodingTranscript:
        exon_map = self._table.exon_map
        cdna = "".join(self._genome.between(start, end) for start, end in exon_map.exons(transcript))
        if not exon_map.forward[transcript]:
            cdna = reverse_complement(cdna)
        coding = int(self._table.coding_first[transcript]) - 1, int(self._table.coding_last[transcript])
        return CodingTranscript.of(cdna, coding, int(self._table.pad[transcript]), self._code)

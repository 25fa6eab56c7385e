"""The gene models that a shard works with, contig by contig."""

import polars as pl

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.consequences import GeneModel
from annotations.engine.genes import Transcripts
from annotations.engine.genome import Genome

FEW_ALLELES = 1_000  # for which it costs less to pick the transcripts near them than to prepare all
SMALL_SHARD = 20_000  # records; it goes through its contigs so fast that reading them again would cost most


class GeneModels:
    """Reads the transcripts of a contig when they are asked for; a small shard keeps those of all contigs."""

    def __init__(self, bundle: ReferenceBundle, shard_records: int) -> None:
        self._bundle = bundle
        self._genome = Genome(bundle.genome)
        self._held_contigs = len(bundle.contigs) if shard_records <= SMALL_SHARD else 1
        self._frames: dict[str, pl.DataFrame] = {}  # the latest one last
        self._whole: tuple[str, GeneModel] | None = None

    def frame(self, contig: str | None) -> pl.DataFrame | None:
        """The rows of genes/<contig>.parquet; None where the contig has no genes."""
        if contig in self._frames:
            return self._frames[contig]
        found = self._bundle.contig(contig) if contig else None
        path = self._bundle.transcripts(found) if found else None
        if contig is None or path is None:
            return None
        if len(self._frames) == self._held_contigs:
            del self._frames[next(iter(self._frames))]
        self._frames[contig] = pl.read_parquet(path)
        return self._frames[contig]

    def transcripts(self, contig: str | None, alleles: pl.DataFrame) -> Transcripts | None:
        """At least those within reach of `alleles` (start, end), which are on the contig."""
        frame = self.frame(contig)
        if frame is None or contig is None:
            return None
        if len(alleles) > FEW_ALLELES:
            return self._whole_model(contig, frame).transcripts
        return Transcripts.near(frame, alleles["start"].to_numpy(), alleles["end"].to_numpy())

    def model(self, contig: str | None, alleles: pl.DataFrame) -> GeneModel | None:
        """The model of at least the transcripts within reach of `alleles`."""
        frame = self.frame(contig)
        if frame is None or contig is None:
            return None
        if len(alleles) > FEW_ALLELES:
            return self._whole_model(contig, frame)
        near = Transcripts.near(frame, alleles["start"].to_numpy(), alleles["end"].to_numpy())
        return self._describing(contig, near)

    def _whole_model(self, contig: str, frame: pl.DataFrame) -> GeneModel:
        if self._whole is None or self._whole[0] != contig:
            self._whole = contig, self._describing(contig, Transcripts(frame))
        return self._whole[1]

    def _describing(self, name: str, transcripts: Transcripts) -> GeneModel:
        contig = self._bundle.contig(name)
        if contig is None:
            raise KeyError(name)
        return GeneModel.of(transcripts, contig, self._genome)

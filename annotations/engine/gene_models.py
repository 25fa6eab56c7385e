"""The gene models that a shard works with, on the line of its contigs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.consequences import GeneModel
from annotations.engine.contig_line import ContigLine
from annotations.engine.gene_blocks import GeneBlocks
from annotations.engine.genes import NEAR_BASES, Transcripts
from annotations.engine.genome import Genome

FEW_ALLELES = 1_000  # for which it costs less to pick the transcripts near them than to prepare all
SMALL_SHARD = 20_000  # records; it goes through its contigs so fast that reading them again would cost most
_PLACES = ("start", "end", "cds_start", "cds_end", "exon_starts", "exon_ends")


@dataclass(frozen=True)
class Part:
    """Consecutive alleles, rows `first` to `last` (exclusive), that are judged by one model.

    `contigs` are the numbers of those that have genes, all of one genetic code; `whole` says that the model
    has all transcripts of its contig.
    """

    contigs: tuple[int, ...]
    first: int
    last: int
    whole: bool


class GeneModels:
    """Reads the transcripts of a contig when they are asked for; a small shard keeps those of all contigs."""

    def __init__(self, bundle: ReferenceBundle, line: ContigLine, genome: Genome, shard_records: int) -> None:
        self._bundle = bundle
        self._line = line
        self._genome = genome
        self._held_contigs = len(bundle.contigs) if shard_records <= SMALL_SHARD else 1
        self._frames: dict[str, pl.DataFrame] = {}  # the latest one last
        self._whole: tuple[int, GeneModel] | None = None
        self._near: dict[tuple[int, tuple[int, ...]], GeneModel] = {}  # of a small shard, by chunk

    def parts(self, contigs: np.ndarray) -> Iterator[Part]:
        """Divide alleles on these contigs so that each part costs least: those with few go together."""
        first = last = 0
        few: list[int] = []
        code = 0
        starts = np.flatnonzero(np.diff(contigs, prepend=-1))
        lengths = np.diff(starts, append=len(contigs))
        for length, number in zip(lengths.tolist(), contigs[starts].tolist(), strict=True):
            contig = self._line.contig(number)
            if contig is None or self._bundle.transcripts(contig) is None:
                last += length
                continue
            is_large = length > FEW_ALLELES
            if (is_large or (few and code != contig.genetic_code)) and first < last:
                yield Part(tuple(few), first, last, whole=False)
                first, few = last, []
            last += length
            if is_large:
                yield Part((number,), first, last, whole=True)
                first = last
            elif number not in few:
                few.append(number)
                code = contig.genetic_code
        if first < last:
            yield Part(tuple(few), first, last, whole=False)

    def frame(self, contig: Contig) -> pl.DataFrame | None:
        """The rows of genes/<contig>.parquet; None where the contig has no genes."""
        if contig.name in self._frames:
            return self._frames[contig.name]
        path = self._bundle.transcripts(contig)
        if path is None:
            return None
        if len(self._frames) == self._held_contigs:
            del self._frames[next(iter(self._frames))]
        self._frames[contig.name] = pl.read_parquet(path)
        return self._frames[contig.name]

    def model(self, chunk: int, part: Part, start: np.ndarray, end: np.ndarray) -> GeneModel | None:
        """The model of at least the transcripts within reach of a chunk's part of alleles.

        These are at `start` to `end` on the line. Where the shard is small the model is kept, for the same
        chunk and some of the same alleles.
        """
        if part.whole:
            return self._whole_model(part.contigs[0])
        if not part.contigs:
            return None
        known = self._near.get((chunk, part.contigs))
        if known is None:
            transcripts = Transcripts(self._near_ones(part.contigs, start, end))
            known = self._describing(transcripts, part.contigs[0])
            if self._held_contigs > 1:
                self._near[chunk, part.contigs] = known
        return known

    @cached_property
    def blocks(self) -> GeneBlocks | None:
        """Where a few transcripts are found without reading all; None where the bundle was built without."""
        return GeneBlocks.of(self._bundle)

    def _near_ones(self, contigs: tuple[int, ...], start: np.ndarray, end: np.ndarray) -> pl.DataFrame:
        """The transcripts within reach of alleles at `start` to `end`, on the line."""
        if self.blocks is None:
            return pl.concat(self._rows_near(number, start, end) for number in contigs)
        numbers, offsets = [], []
        for number in contigs:
            contig = self._line.contig(number)
            if contig:
                offset = self._line.offset(number)
                here = (start > offset) & (start <= offset + contig.length)
                near = self.blocks.near(contig.name, start[here] - offset, end[here] - offset, NEAR_BASES)
                numbers.append(near)
                offsets.append(np.full(len(near), offset))
        found = self.blocks.transcripts(np.concatenate(numbers))
        return self._placed(found, pl.lit(pl.Series(np.concatenate(offsets))))

    def _rows_near(self, number: int, start: np.ndarray, end: np.ndarray) -> pl.DataFrame:
        contig, frame, offset = self._found(number)
        here = (start > offset) & (start <= offset + contig.length)
        near = Transcripts.rows_near(frame, start[here] - offset, end[here] - offset)
        return self._placed(near, pl.lit(offset))

    def _whole_model(self, number: int) -> GeneModel:
        if self._whole is None or self._whole[0] != number:
            _, frame, offset = self._found(number)
            transcripts = Transcripts(self._placed(frame, pl.lit(offset)) if offset else frame)
            self._whole = number, self._describing(transcripts, number)
        return self._whole[1]

    def _found(self, number: int) -> tuple[Contig, pl.DataFrame, int]:
        """A contig that has genes, these genes, and where on the line it starts."""
        contig = self._line.contig(number)
        frame = self.frame(contig) if contig else None
        if contig is None or frame is None:
            raise KeyError(number)
        return contig, frame, self._line.offset(number)

    @staticmethod
    def _placed(frame: pl.DataFrame, offset: pl.Expr) -> pl.DataFrame:
        """The transcripts on the line, which may be longer than a contig can be."""
        return frame.with_columns(
            pl.col(name).cast(pl.List(pl.Int64) if name.startswith("exon") else pl.Int64) + offset
            for name in _PLACES
        )

    def _describing(self, transcripts: Transcripts, number: int) -> GeneModel:
        def fetch(_: str, start: int, end: int) -> bytes:
            return self._genome.fetch_line(self._line, start, end)

        contig, _, _ = self._found(number)
        return GeneModel(transcripts, contig.genetic_code, fetch)

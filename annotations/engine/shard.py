"""The second stage: annotate one shard of the records.

A shard is handled in two passes over its records, a chunk at a time. The first takes the records apart into
alleles, compares REF with the reference and writes the bare sites for csq; the second puts together what csq,
the gene model and the known variants say of each allele. Between them what was found of a chunk's alleles
waits on disk. It leaves, in `shard-N/` of the working directory:

    body.vcf.gz      the annotated records as BGZF blocks, without a header
    index.npz        where its records stand, for the tabix index of the whole
    table-K.parquet  the rows of the result table, in pieces (`table_pieces.py`)
    counts.json      what was counted
"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine import assembly
from annotations.engine.alleles import Alleles, Comparison, Reason
from annotations.engine.bgzf import BgzfWriter
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.consequences import Effects, Placed, effects, left_for_csq, without_genes
from annotations.engine.contig_line import ContigLine
from annotations.engine.counts import Counts
from annotations.engine.csq import Findings
from annotations.engine.csq_sites import CsqSites
from annotations.engine.gene_models import GeneModels
from annotations.engine.genome import Genome
from annotations.engine.index import BodyIndex
from annotations.engine.intervals import Intervals
from annotations.engine.kernels.library import Array
from annotations.engine.kernels.texts import Texts
from annotations.engine.known import KnownValues, KnownVariants
from annotations.engine.layout import RECORDS_NAME, Plan, Shard, shard_directory
from annotations.engine.lines import ID, INFO, REST, Edits, Lines
from annotations.engine.records import read_chunks, read_records
from annotations.engine.table import table_rows
from annotations.engine.table_pieces import TablePieces
from annotations.engine.taking_apart import take_apart

BODY_NAME = "body.vcf.gz"
INDEX_NAME = "index.npz"
COUNTS_NAME = "counts.json"
Progress = Callable[[int], None]


def annotate_shard(
    directory: Path, number: int, bundle: ReferenceBundle, progress: Progress | None = None
) -> Counts:
    """Annotate shard `number` of the plan in `directory`; `progress` gets the records done so far.

    May be run anew, anywhere that has the directory's plan and records: it starts from nothing each time.
    """
    plan = Plan.load(directory)
    own = shard_directory(directory, number)
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    run = _ShardRun(plan, plan.shards[number], bundle, directory / RECORDS_NAME, own)
    run.take_apart()
    run.ask_csq()
    run.write(progress or (lambda _: None))
    run.counts.save(own / COUNTS_NAME)
    return run.counts


class _ShardRun:
    def __init__(
        self, plan: Plan, shard: Shard, bundle: ReferenceBundle, records: Path, directory: Path
    ) -> None:
        self.plan = plan
        self.shard = shard
        self.bundle = bundle
        self.records = records
        self.directory = directory
        self.counts = Counts(records=shard.records)
        self.ids = assembly.OutputIds.choose(bundle, plan.keep_bcsq, set())
        self._findings = Findings.none()
        self._first_site: list[int] = []  # of each chunk: the alleles of the shard are numbered
        self._known: dict[int, list[KnownValues]] = {}  # what was looked up before its turn, by chunk
        self._intervals = Intervals(bundle)
        self._line = self._lay_out()
        self._known_variants = KnownVariants(bundle, self._line)
        self._genome = Genome(bundle)
        self._gene_models = GeneModels(bundle, self._line, self._genome, shard.records)
        self._sites = CsqSites(plan, bundle, self._line, directory)

    def take_apart(self) -> None:
        """First pass: the alleles of every chunk, and those of them that are for csq."""
        comparison = Comparison()
        site = first_record = 0
        for number, (chunk, block) in enumerate(read_chunks(self.records, self.shard.chunks)):
            contigs = np.repeat(
                np.array([segment.contig for segment in chunk.segments], np.int32),
                [segment.records for segment in chunk.segments],
            )
            lines = Lines(block, chunk.records)
            alleles = take_apart(lines, contigs, self._line, self._genome, comparison)
            # csq's own text is of every site, and so is what it says of haplotypes
            if not (self.plan.keep_bcsq or self.plan.haplotype_aware):
                alleles = replace(alleles, for_csq=self._left_for_csq(number, alleles))
            self._sites.add(lines, alleles, site, first_record, self.counts)
            alleles.save(self._waiting_path(number))
            self._first_site.append(site)
            site += len(alleles)
            first_record += len(lines)
        self.counts.add_comparison(comparison)

    def ask_csq(self) -> None:
        """Hear what csq says of its sites.

        A shard of one chunk looks its alleles up among the known variants meanwhile.
        """
        if not self._sites:
            return
        with ThreadPoolExecutor(1) as beside:
            found = beside.submit(self._sites.ask, self._gene_models.blocks)
            if len(self.shard.chunks) == 1:
                self._known[0] = self._known_variants.values(Alleles.load(self._waiting_path(0)))
            self._findings = found.result()

    def write(self, progress: Progress) -> None:
        """Second pass: annotated records and table rows."""
        done = 0
        index = BodyIndex()
        table = TablePieces(self.directory, self.shard, self.plan, self.bundle)
        with BgzfWriter(self.directory / BODY_NAME) as body:
            for number, (chunk, block) in enumerate(read_chunks(self.records, self.shard.chunks)):
                lines = Lines(block, chunk.records)
                alleles = self._take_back(number)
                judged = np.flatnonzero(alleles.reason == Reason.NONE)
                own = alleles if len(judged) == len(alleles) else alleles.take(judged)
                found = self._effects(number, own, judged)
                known = self._known.pop(number, None) or self._known_variants.values(alleles)
                intervals = None
                if self.bundle.interval_sources:
                    intervals = self._intervals.values(alleles, self._line)
                records = read_records(block, len(self.plan.columns))
                frame = _bridge(alleles, judged, found, known, intervals)
                self._count(records, frame, alleles.row, known)
                texts_of = _spread(found.text_of, judged, len(alleles))
                edits = self._edits(lines, alleles, known, intervals, found.csq, texts_of, number, done)
                edited, line_ends = lines.edited(edits)
                body.write(edited.data)
                body.end_block()
                index.add(alleles.contig[alleles.allele == 1], lines, line_ends)
                if edits.ids is not None:
                    records = records.with_columns(edits.ids.series("id"))
                csq = found.csq.series()
                frame = frame.with_columns(
                    pl.concat([csq, csq.clear(1)])[np.where(texts_of < 0, len(csq), texts_of)].alias("csq")
                )
                table.add(table_rows(records, frame, self.plan, self.bundle, self.shard.first_record + done))
                done += len(lines)
                progress(done)
        index.save(self.directory / INDEX_NAME, body)

    # --- first pass

    def _waiting_path(self, number: int) -> Path:
        return self.directory / f"alleles-{number}.npy"

    def _take_back(self, number: int) -> Alleles:
        path = self._waiting_path(number)
        alleles = Alleles.load(path)
        path.unlink()
        return alleles

    def _name(self, contig: int) -> str | None:
        return self.plan.contigs[contig][1]

    def _lay_out(self) -> ContigLine:
        """The shard's contigs that the reference has, in order."""
        numbers = self.shard.contigs
        named = {number: name for number in numbers if (name := self._name(number))}
        found = {number: self.bundle.contig(name) for number, name in named.items()}
        contigs = {number: contig for number, contig in found.items() if contig}
        return ContigLine(contigs, len(self.plan.contigs))

    def _left_for_csq(self, chunk: int, alleles: Alleles) -> Array:
        # csq gets the left-aligned allele, which may lie elsewhere in a long repeat
        aligned = np.where(alleles.norm_ref.length < 0, alleles.start, alleles.norm_pos)
        reaching = replace(alleles, start=np.minimum(alleles.start, aligned))
        placed = Placed.of(reaching, self._line)
        found = np.zeros(len(alleles), np.bool_)
        for part in self._gene_models.parts(alleles.contig):
            own = placed.part(part.first, part.last)
            model = self._gene_models.model(chunk, part, own.start, own.end)
            if model:
                found[part.first : part.last] = left_for_csq(own, model)
        return found

    # --- second pass

    def _effects(self, chunk: int, alleles: Alleles, rows: Array) -> Effects:
        """Of alleles that are judged; `rows` are their places among all of the chunk."""
        if not len(alleles):
            return Effects.none()
        placed = Placed.of(alleles, self._line)
        sites = self._first_site[chunk] + rows
        found = []
        for part in self._gene_models.parts(alleles.contig):
            own = placed.part(part.first, part.last)
            model = self._gene_models.model(chunk, part, own.start, own.end)
            if model:
                found.append(effects(own, self._findings.entries_of(sites[part.first : part.last]), model))
            else:
                found.append(without_genes(own.alleles))
        return Effects.join(found)

    def _bcsq_of(self, records: int, alleles: Alleles, chunk: int, first_record: int) -> pl.DataFrame:
        """csq's own text for records of the chunk: row, bcsq, samples."""
        if self.plan.haplotype_aware:
            keys = pl.select(
                row=pl.int_range(records, dtype=pl.UInt32),
                key=pl.int_range(records, dtype=pl.UInt32) + first_record,
            )
        else:
            sites = np.arange(len(alleles), dtype=np.uint32) + np.uint32(self._first_site[chunk])
            keys = pl.DataFrame({"row": alleles.row.astype(np.uint32), "key": sites})
        return assembly.bcsq_by_row(keys.join(self._findings.bcsq, on="key", maintain_order="left"))

    def _edits(  # noqa: PLR0913, PLR0917
        self,
        lines: Lines,
        alleles: Alleles,
        known: list[KnownValues],
        intervals: pl.DataFrame | None,
        csq: Texts,
        texts_of: Array,
        chunk: int,
        first_record: int,
    ) -> Edits:
        infos = assembly.renamed_fields(lines.fields(INFO), self.ids)
        self.counts.renamed |= infos is not None
        additions = assembly.info_additions(alleles.row, len(lines), known, intervals)
        rests = None
        if self.plan.keep_bcsq:
            said = self._bcsq_of(len(lines), alleles, chunk, first_record)
            additions = assembly.with_bcsq(additions, said, len(lines))
            if self.plan.haplotype_aware and self.plan.samples:
                rests = assembly.with_sample_bcsq(lines.fields(REST), said)
        ids = assembly.merged_ids(lines.fields(ID), alleles.row, known)
        return Edits(csq, alleles.row, texts_of, ids, infos, additions, rests)

    def _count(
        self, records: pl.DataFrame, alleles: pl.DataFrame, rows: Array, known: list[KnownValues]
    ) -> None:
        self.counts.add_alleles(alleles)
        for values in known:
            self.counts.add_known(values.source.name, rows[values.known])
        self.counts.add_keys(records)


def _frame_of(alleles: Alleles) -> pl.DataFrame:
    return pl.DataFrame(
        {
            name: column.series() if isinstance(column, Texts) else pl.Series(column)
            for name, column in vars(alleles).items()
        }
    ).with_columns(
        pl.when(pl.col("norm_ref").is_not_null()).then("norm_pos").alias("norm_pos"),
        pl.col("row").cast(pl.UInt32),
    )


def _spread(values: Array, rows: Array, count: int) -> Array:
    if len(rows) == count:
        return values
    spread = np.full(count, -1, np.int32)
    spread[rows] = values
    return spread


def _bridge(
    alleles: Alleles,
    judged: Array,
    found: Effects,
    known: list[KnownValues],
    intervals: pl.DataFrame | None,
) -> pl.DataFrame:
    more = found.rows[found.row_of]
    if len(judged) < len(alleles):
        at = np.full(len(alleles), len(judged))
        at[judged] = np.arange(len(judged))
        more = pl.concat([more, more.clear(1)])[at]
    columns = [column for values in known for column in values.columns().values()]
    columns += [values.ids.series(f"{values.source.name}_id") for values in known if values.ids is not None]
    frame = _frame_of(alleles).hstack(more).hstack(columns)
    return frame if intervals is None else frame.hstack(intervals)

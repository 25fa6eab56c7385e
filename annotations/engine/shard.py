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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine import assembly
from annotations.engine.alleles import Alleles, Comparison, Reason
from annotations.engine.annotated import Annotated
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
from annotations.engine.known import KnownValues, KnownVariants
from annotations.engine.layout import RECORDS_NAME, Plan, Shard, shard_directory
from annotations.engine.lines import ID, INFO, REST, Edits, Lines
from annotations.engine.records import read_chunks
from annotations.engine.table import TableRows
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
        self._known: dict[int, Sequence[KnownValues]] = {}  # what was looked up before its turn, by chunk
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
        rows = TableRows(self.plan, self.bundle, self.shard.first_record)
        with BgzfWriter(self.directory / BODY_NAME) as body:
            for number, (chunk, block) in enumerate(read_chunks(self.records, self.shard.chunks)):
                lines = Lines(block, chunk.records)
                alleles = self._take_back(number)
                found = Annotated(
                    alleles,
                    self._effects(number, alleles),
                    self._known.pop(number, ()) or self._known_variants.values(alleles),
                    self._intervals.values(alleles, self._line) if self.bundle.interval_sources else None,
                )
                self._count(lines, found)
                edits = self._edits(lines, found, number, done)
                edited, line_ends = lines.edited(edits)
                body.write(edited.data)
                body.end_block()
                index.add(alleles.contig[alleles.allele == 1], lines, line_ends)
                table.add(rows.of_chunk(lines, edits.ids, found))
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

    def _effects(self, chunk: int, alleles: Alleles) -> Effects:
        """Of those alleles that are judged."""
        judged = np.flatnonzero(alleles.reason == Reason.NONE)
        if not len(judged):
            return Effects.none()
        placed = Placed.of(alleles, self._line)
        if len(judged) < len(alleles):
            placed = placed.take(judged)
        sites = self._first_site[chunk] + judged
        found = []
        for part in self._gene_models.parts(placed.alleles.contig):
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

    def _edits(self, lines: Lines, found: Annotated, chunk: int, first_record: int) -> Edits:
        row = found.alleles.row
        infos = assembly.renamed_fields(lines.fields(INFO), self.ids)
        self.counts.renamed |= infos is not None
        additions = assembly.info_additions(row, len(lines), found.known, found.intervals)
        rests = None
        if self.plan.keep_bcsq:
            said = self._bcsq_of(len(lines), found.alleles, chunk, first_record)
            additions = assembly.with_bcsq(additions, said, len(lines))
            if self.plan.haplotype_aware and self.plan.samples:
                rests = assembly.with_sample_bcsq(lines.fields(REST), said)
        ids = assembly.merged_ids(lines.fields(ID), row, found.known)
        return Edits(found.effects.csq, row, found.text_of, ids, infos, additions, rests)

    def _count(self, lines: Lines, found: Annotated) -> None:
        self.counts.add_alleles(found.alleles, found.effects)
        for values in found.known:
            self.counts.add_known(values.source.name, found.alleles.row[values.known])
        self.counts.add_keys(lines)

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
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from annotations.engine import assembly
from annotations.engine.alleles import Alleles, Comparison, Reason, take_apart
from annotations.engine.bgzf import BgzfWriter
from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.consequences import Effects, effects, without_genes
from annotations.engine.contig_line import ContigLine
from annotations.engine.counts import Counts
from annotations.engine.csq import (
    Findings,
    end_info,
    entries,
    read_bcsq,
    read_sites,
    run_csq,
    sites_header,
    sort_sites,
)
from annotations.engine.gene_models import GeneModels
from annotations.engine.gene_slices import genes_for_csq
from annotations.engine.genome import Genome
from annotations.engine.haplotypes import (
    haplotype_entries,
    prefer,
    read_haplotype_bcsq,
    records_for_csq,
)
from annotations.engine.index import BodyIndex
from annotations.engine.intervals import Intervals
from annotations.engine.kernels.texts import Texts
from annotations.engine.known import known_values
from annotations.engine.layout import RECORDS_NAME, Plan, Shard, shard_directory
from annotations.engine.lines import Edits, Lines
from annotations.engine.records import read_chunks, read_records
from annotations.engine.table import TableRows, alt_of_allele
from annotations.engine.table_pieces import TablePieces

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
    run.find_sites()
    run.ask_csq()
    run.forget_sites()
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
        self._known: dict[int, list[pl.DataFrame]] = {}  # what was looked up before its turn, by chunk
        self._intervals = Intervals(bundle)
        self._codes: dict[int, list[Contig]] = {}
        self._line = self._lay_out()
        self._genome = Genome(bundle)
        self._gene_models = GeneModels(bundle, self._line, self._genome, shard.records)
        # csq's own text is of every site, and so is what it says of haplotypes
        self._every_site = plan.keep_bcsq or plan.haplotype_aware
        self._last_site: dict[int, tuple[str, int]] = {}  # written for csq: contig and position, by code
        self._out_of_order: set[int] = set()

    def find_sites(self) -> None:
        """First pass: records and alleles of every chunk, and the sites for csq by genetic code."""
        comparison = Comparison()
        self._open_sites()
        first_site = first_record = 0
        for number, (chunk, block) in enumerate(read_chunks(self.records, self.shard.chunks)):
            records = self._parse(block)
            contigs = np.repeat(
                [segment.contig for segment in chunk.segments],
                [segment.records for segment in chunk.segments],
            )
            lines = Lines(block, len(records))
            alleles = self._alleles(number, records, lines, contigs.astype(np.int32), comparison)
            alleles = alleles.with_columns(
                (pl.int_range(pl.len(), dtype=pl.UInt32) + first_site).alias("site")
            )
            first_site += len(alleles)
            self._write_sites(records, alleles, first_record)
            first_record += len(records)
            alleles.write_ipc(self._waiting_path(number))
        self.counts.add_comparison(comparison)

    def ask_csq(self) -> None:
        """Run csq once for each genetic code among the shard's contigs, and read what it found.

        A shard of one chunk looks its alleles up among the known variants meanwhile.
        """
        with ThreadPoolExecutor(1) as beside:
            found = beside.submit(self._ask_all)
            if len(self.shard.chunks) == 1:
                alleles = pl.read_ipc(self._waiting_path(0))
                self._known[0] = self._known_values(alleles.filter(pl.col("reason") == Reason.NONE))
            self._findings = found.result()

    def _ask_all(self) -> Findings:
        found = [Findings.none()]
        for code, contigs in self._codes.items():
            if self._sites_path(code).exists():
                found.append(self._ask_about(code, contigs))
        return Findings.join(found)

    def forget_sites(self) -> None:
        """What csq read and wrote is no output, and may be larger than all of it."""
        for pattern in ("sites-*", "written-*", "haplotypes-*", "genes-*"):
            for path in self.directory.glob(pattern):
                path.unlink()

    def _ask_about(self, code: int, contigs: list[Contig]) -> Findings:
        sites = self._sites_path(code)
        if code in self._out_of_order:
            sort_sites(sites, sites_header(contigs))
        genes = genes_for_csq(self.bundle, contigs, sites, self._gene_models.blocks, self.directory)
        said = read_bcsq(self._run_csq(sites, genes, code, local=True))
        if not self.plan.haplotype_aware:
            if self.plan.keep_bcsq:
                as_written = read_bcsq(self._run_csq(self._written_path(code), genes, code, local=True))
                return Findings(entries(said), as_written)
            return Findings(entries(said), said)
        haplotypes = read_haplotype_bcsq(self._run_csq(self._haplotypes_path(code), genes, code, local=False))
        joined = haplotype_entries(haplotypes, read_sites(sites))
        return Findings(prefer(joined, entries(said)), haplotypes.drop("contig_name"))

    def _run_csq(self, sites: Path, genes: Path, code: int, *, local: bool) -> Path:
        output = sites.with_suffix(".csq.vcf")
        run_csq(
            sites,
            output,
            genome=self.bundle.genome,
            genes=genes,
            genetic_code=code,
            scratch=self.directory,
            local=local,
        )
        return output

    def write(self, progress: Progress) -> None:
        """Second pass: annotated records and table rows."""
        done = 0
        index = BodyIndex()
        table = TablePieces(self.directory, self.shard, self.plan, self.bundle)
        rows = TableRows(self.plan, self.bundle, self.shard.first_record)
        with BgzfWriter(self.directory / BODY_NAME) as body:
            for number, (_, block) in enumerate(read_chunks(self.records, self.shard.chunks)):
                records = self._parse(block)
                lines = Lines(block, len(records))
                alleles, found, values = self._annotate(number, self._take_back(number))
                columns = _columns(alleles)
                self._count(lines, columns, found, values)
                edits = self._edits(records, alleles, found.csq.series(), done)
                text, line_ends = lines.edited(edits)
                body.write(text.data)
                body.end_block()
                contig = alleles.filter(pl.col("allele") == 1)["contig"].to_numpy()
                index.add(contig, records, line_ends)
                ids = None if edits.ids is None else Texts.of(edits.ids)
                table.add(rows.of_chunk(lines, ids, columns, found, values))
                done += len(records)
                progress(done)
        index.save(self.directory / INDEX_NAME, body)

    # --- first pass

    def _waiting_path(self, number: int) -> Path:
        return self.directory / f"alleles-{number}.ipc"

    def _take_back(self, number: int) -> pl.DataFrame:
        path = self._waiting_path(number)
        frame = pl.read_ipc(path)
        path.unlink()  # what is mapped of it stays readable
        return frame

    def _parse(self, block: bytes) -> pl.DataFrame:
        return read_records(block, len(self.plan.columns))

    def _name(self, contig: int) -> str | None:
        return self.plan.contigs[contig][1]

    def _lay_out(self) -> ContigLine:
        """The shard's contigs that the reference has, in order."""
        numbers = self.shard.contigs
        named = {number: name for number in numbers if (name := self._name(number))}
        found = {number: self.bundle.contig(name) for number, name in named.items()}
        contigs = {number: contig for number, contig in found.items() if contig}
        return ContigLine(contigs, len(self.plan.contigs))

    def _alleles(
        self, chunk: int, records: pl.DataFrame, lines: Lines, contigs: np.ndarray, comparison: Comparison
    ) -> pl.DataFrame:
        """The alleles of a chunk; those of which csq can tell nothing more are not for csq."""
        placed = records.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
            pl.Series("contig", contigs),
            pl.col("pos").cast(pl.Int32),
            "ref",
            "alt",
            "info",
        )
        alleles = take_apart(placed, lines, self._line, self._genome, comparison)
        alleles = alleles.with_columns(pl.Series("contig", contigs[alleles["row"].to_numpy()]))
        if self._every_site:
            return alleles
        # csq gets the left-aligned allele, which may lie elsewhere in a long repeat
        aligned = alleles["norm_pos"].fill_null(alleles["start"])
        numbers = alleles["contig"].to_numpy()
        first, last = np.minimum(alleles["start"].to_numpy(), aligned.to_numpy()), alleles["end"].to_numpy()
        start, end = self._line.spans(numbers, first, last)
        near = np.zeros(len(alleles), np.bool_)
        for part in self._gene_models.parts(alleles):
            rows = slice(part.first, part.last)
            transcripts = self._gene_models.transcripts(chunk, part, start[rows], end[rows])
            if transcripts:
                near[rows] = transcripts.near_exons(start[rows], end[rows])
        return alleles.with_columns(pl.col("for_csq") & pl.Series(near))

    def _open_sites(self) -> None:
        for contig in self._line:
            if contig.genes:
                self._codes.setdefault(contig.genetic_code, []).append(contig)

    def _sites_path(self, code: int) -> Path:
        return self.directory / f"sites-{code}.vcf"

    def _written_path(self, code: int) -> Path:
        return self.directory / f"written-{code}.vcf"

    def _haplotypes_path(self, code: int) -> Path:
        return self.directory / f"haplotypes-{code}.vcf"

    def _write_sites(self, records: pl.DataFrame, alleles: pl.DataFrame, first_record: int) -> None:
        for code, contigs in self._codes.items():
            wanted = {contig.name for contig in contigs}
            names = {n: name for n, (_, name) in enumerate(self.plan.contigs) if name in wanted}
            sites = _sites(records, alleles, names, as_written=self.plan.haplotype_aware)
            if not len(sites):
                continue
            self._note_order(code, sites)
            _append(self._sites_path(code), sites_header(contigs), sites)
            if self.plan.haplotype_aware:
                samples = self.plan.samples
                whole = records_for_csq(records, alleles, names, first_record, len(samples))
                if samples:
                    self.counts.add_phases(whole.to_series(-1))
                _append(self._haplotypes_path(code), sites_header(contigs, samples), whole)
            elif self.plan.keep_bcsq:  # who asks for csq's own text is to get what csq says of their alleles
                written = _sites(records, alleles, names, as_written=True)
                _append(self._written_path(code), sites_header(contigs), written)

    def _note_order(self, code: int, sites: pl.DataFrame) -> None:
        """Left-aligned, the first sites of a chunk may stand before the last of the one before it."""
        contig, position = self._last_site.get(code, ("", 0))
        if sites["chrom"][0] == contig and sites["pos"][0] < position:
            self._out_of_order.add(code)
        self._last_site[code] = sites["chrom"][-1], sites["pos"][-1]

    # --- second pass

    def _annotate(
        self, chunk: int, alleles: pl.DataFrame
    ) -> tuple[pl.DataFrame, Effects, list[pl.DataFrame]]:
        """Add CSQ texts and known values to a chunk's alleles; returns also what was found of the judged."""
        judged = alleles.filter(pl.col("reason") == Reason.NONE)
        known = self._known.pop(chunk, None)
        effects = self._effects(chunk, judged)
        values = self._known_values(judged) if known is None else known
        if self.bundle.interval_sources:
            values.append(self._intervals.values(judged, self._line))
        texts = pl.DataFrame({"csq_text": effects.text_of})
        annotated = pl.concat([judged, texts, *values], how="horizontal")
        if len(judged) < len(alleles):
            others = alleles.filter(pl.col("reason") != Reason.NONE)
            annotated = pl.concat([annotated, others], how="diagonal").sort("row", "allele")
        return annotated, effects, values

    def _known_values(self, judged: pl.DataFrame) -> list[pl.DataFrame]:
        values = (
            known_values(judged, self._line, source, self.bundle) for source in self.bundle.known_sources
        )
        return [frame for frame in values if frame is not None]

    def _effects(self, chunk: int, alleles: pl.DataFrame) -> Effects:
        if not len(alleles):
            return Effects.none()
        numbers = alleles["contig"].to_numpy()
        start, end = self._line.spans(numbers, alleles["start"].to_numpy(), alleles["end"].to_numpy())
        offset, _ = self._line.extents(numbers)
        placed = alleles.with_columns(
            pl.Series("start", start),
            pl.Series("end", end),
            pl.col("norm_pos") + pl.Series("offset", offset),
        )
        found = []
        for part in self._gene_models.parts(alleles):
            rows = slice(part.first, part.last)
            model = self._gene_models.model(chunk, part, start[rows], end[rows])
            own = placed[rows]
            found.append(
                effects(own, self._findings.entries_of(own["site"]), model) if model else without_genes(own)
            )
        return Effects.join(found)

    def _bcsq_of(self, records: pl.DataFrame, alleles: pl.DataFrame, first_record: int) -> pl.DataFrame:
        """csq's own text for records of the chunk: row, bcsq, samples."""
        if self.plan.haplotype_aware:
            keys = pl.select(
                row=pl.int_range(len(records), dtype=pl.UInt32),
                key=pl.int_range(len(records), dtype=pl.UInt32) + first_record,
            )
        else:
            keys = alleles.select("row", pl.col("site").alias("key"))
        return assembly.bcsq_by_row(keys.join(self._findings.bcsq, on="key", maintain_order="left"))

    def _edits(
        self, records: pl.DataFrame, alleles: pl.DataFrame, csq: pl.Series, first_record: int
    ) -> Edits:
        infos = assembly.renamed_fields(records["info"], self.ids)
        self.counts.renamed |= infos is not None
        additions = assembly.info_additions(alleles, self.bundle, len(records))
        rests = None
        if self.plan.keep_bcsq:
            said = self._bcsq_of(records, alleles, first_record)
            additions = assembly.with_bcsq(additions, said, len(records))
            if self.plan.haplotype_aware and self.plan.samples:
                rests = assembly.with_sample_bcsq(records, said, len(self.plan.samples))
        ids = assembly.merged_ids(records["id"], alleles, self.bundle.known_sources)
        return Edits(csq, alleles, ids, infos, additions, rests)

    def _count(self, lines: Lines, alleles: Alleles, effects: Effects, values: list[pl.DataFrame]) -> None:
        self.counts.add_alleles(alleles, effects)
        judged = alleles.row[alleles.reason == Reason.NONE]
        for source in self.bundle.known_sources:
            for frame in values:
                if source.name in frame.columns:
                    self.counts.add_known(judged, frame[source.name], source.name)
        self.counts.add_keys(lines)


def _columns(alleles: pl.DataFrame) -> Alleles:
    numbers: dict[str, Any] = {
        name: alleles[name].fill_null(0).cast(kind).to_numpy()
        for name, kind in (
            ("row", pl.Int32),
            ("allele", pl.UInt16),
            ("contig", pl.Int32),
            ("start", pl.Int32),
            ("end", pl.Int32),
            ("kind", pl.UInt8),
            ("norm_pos", pl.Int32),
            ("reason", pl.UInt8),
            ("for_csq", pl.Boolean),
        )
    }
    return Alleles(
        **numbers,
        name=Texts.of(alleles["allele_name"]),
        norm_ref=Texts.of(alleles["norm_ref"]),
        norm_alt=Texts.of(alleles["norm_alt"]),
    )


def _sites(
    records: pl.DataFrame, alleles: pl.DataFrame, names: dict[int, str], *, as_written: bool
) -> pl.DataFrame:
    """The alleles that csq can judge, one a line, as columns of a VCF; ID is the number of the site.

    They are left-aligned, for csq misreads insertions and deletions that are not; or `as_written`, where its
    findings on whole records are to be told by POS, REF and ALT, or its own text is kept.
    """
    wanted = alleles.filter(pl.col("for_csq") & pl.col("contig").is_in(list(names)))
    own = records.select(pl.col("pos").cast(pl.Int32), "ref", "alt", "info")[wanted["row"]]
    alt = alt_of_allele(own["alt"], wanted["allele"])
    if not as_written:
        given = wanted["norm_pos"].is_not_null()  # symbolic alleles have one form only
        own = own.with_columns(
            pos=wanted["norm_pos"].zip_with(given, own["pos"]),
            ref=wanted["norm_ref"].zip_with(given, own["ref"]),
        )
        alt = wanted["norm_alt"].zip_with(given, alt)
    sites = pl.DataFrame(
        {
            "chrom": wanted["contig"].replace_strict(names, return_dtype=pl.String),
            "pos": own["pos"],
            "id": wanted["site"],
            "ref": own["ref"],
            "alt": alt,
            "qual": pl.repeat(".", len(own), eager=True),
            "filter": pl.repeat(".", len(own), eager=True),
            "info": end_info(own),
        }
    )
    return sites if as_written else sites.sort(wanted["contig"].rle_id(), "pos", maintain_order=True)


def _append(path: Path, header: str, lines: pl.DataFrame) -> None:
    with path.open("ab") as file:
        if not file.tell():
            file.write(header.encode())
        lines.write_csv(file, include_header=False, separator="\t", quote_style="never")

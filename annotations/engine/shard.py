"""The second stage: annotate one shard of the records.

A shard is handled in two passes over its records, a chunk at a time. The first takes the records apart into
alleles, compares REF with the reference and writes the bare sites for csq; the second puts together what csq,
the gene model and the known variants say of each allele. It leaves, in `shard-N/` of the working directory:

    body.vcf.gz   the annotated records as BGZF blocks, without a header
    table-K.ipc   the rows of the result table, chunk by chunk
    counts.json   what was counted
"""

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pysam

from annotations.engine import assembly
from annotations.engine.alleles import Comparison, Reason, take_apart
from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.consequences import EFFECT_SCHEMA, GeneModel, effects, without_genes
from annotations.engine.counts import Counts
from annotations.engine.csq import entries, read_bcsq, run_csq, sites_header
from annotations.engine.genes import Transcripts
from annotations.engine.genome import Genome
from annotations.engine.known import known_values
from annotations.engine.plan import RECORDS_NAME, Plan, Segment, Shard
from annotations.engine.records import chunks, read_records
from annotations.engine.table import table_rows

BODY_NAME = "body.vcf.gz"
COUNTS_NAME = "counts.json"
Progress = Callable[[int], None]


def shard_directory(directory: Path, number: int) -> Path:
    return directory / f"shard-{number}"


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
        self.ids = assembly.OutputIds.choose(bundle.known_sources, plan.keep_bcsq, set())
        self._bcsq = pl.DataFrame()
        self._entries = pl.DataFrame()
        self._codes: dict[int, list[Contig]] = {}
        self._model: tuple[str, GeneModel] | None = None

    def find_sites(self) -> None:
        """First pass: alleles of every chunk (alleles-K.ipc), and the sites for csq by genetic code."""
        genome = Genome(self.bundle.genome)
        comparison = Comparison()
        self._open_sites()
        first_site = 0
        for number, (segments, block) in enumerate(self._chunks()):
            records = self._parse(block)
            parts = [
                take_apart(part, self._name(contig), genome, comparison).with_columns(
                    pl.lit(contig, pl.Int32).alias("contig")
                )
                for contig, part in self._by_contig(segments, records)
            ]
            alleles = pl.concat(parts).with_columns(
                (pl.int_range(pl.len(), dtype=pl.UInt32) + first_site).alias("site")
            )
            first_site += len(alleles)
            self._write_sites(records, alleles)
            alleles.write_ipc(self.directory / f"alleles-{number}.ipc")
        self.counts.add_comparison(comparison)

    def ask_csq(self) -> None:
        """Run csq once for each genetic code among the shard's contigs, and read what it found."""
        found: list[pl.DataFrame] = []
        for code, contigs in self._codes.items():
            sites = self._sites_path(code)
            if not sites.exists():
                continue
            output = self.directory / f"csq-{code}.vcf"
            run_csq(sites, output, bundle=self.bundle, contigs=contigs, scratch=self.directory, local=True)
            found.append(read_bcsq(output))
            sites.unlink()
            output.unlink()
        self._bcsq = (
            pl.concat(found).sort("site")
            if found
            else pl.DataFrame(schema={"site": pl.UInt32, "bcsq": pl.String})
        )
        self._entries = entries(self._bcsq)

    def write(self, progress: Progress) -> None:
        """Second pass: annotated records and table rows."""
        done = 0
        body = pysam.BGZFile(str(self.directory / BODY_NAME), "w1")
        with body:
            for number, (_, block) in enumerate(self._chunks()):
                records = self._parse(block)
                path = self.directory / f"alleles-{number}.ipc"
                alleles = pl.read_ipc(path)
                path.unlink()
                alleles = self._annotate(alleles)
                self._count(records, alleles)
                records = self._edit(records, alleles)
                body.write(_lines(records))
                table = table_rows(records, alleles, self.plan, self.bundle, self.shard.first_record + done)
                table.write_ipc(self.directory / f"table-{number:05}.ipc")
                done += len(records)
                progress(done)

    # --- first pass

    def _chunks(self) -> Iterator[tuple[list[Segment], bytes]]:
        return chunks(self.records, self.shard.segments)

    def _parse(self, block: bytes) -> pl.DataFrame:
        return read_records(block, len(self.plan.columns))

    def _name(self, contig: int) -> str | None:
        return self.plan.contigs[contig][1]

    def _by_contig(
        self, segments: list[Segment], records: pl.DataFrame
    ) -> Iterator[tuple[int, pl.DataFrame]]:
        frame = records.select(pl.col("pos").cast(pl.Int32), "ref", "alt", "info").with_row_index("row")
        start = 0
        at = 0
        while at < len(segments):
            contig, length = segments[at].contig, 0
            while at < len(segments) and segments[at].contig == contig:
                length += segments[at].records
                at += 1
            yield contig, frame.slice(start, length)
            start += length

    def _open_sites(self) -> None:
        seen = dict.fromkeys(segment.contig for segment in self.shard.segments)
        for number in seen:
            name = self._name(number)
            contig = self.bundle.contig(name) if name else None
            if contig and contig.genes:
                self._codes.setdefault(contig.genetic_code, []).append(contig)

    def _sites_path(self, code: int) -> Path:
        return self.directory / f"sites-{code}.vcf"

    def _write_sites(self, records: pl.DataFrame, alleles: pl.DataFrame) -> None:
        for code, contigs in self._codes.items():
            names = {contig.name for contig in contigs}
            numbers = {n: name for n, (_, name) in enumerate(self.plan.contigs) if name in names}
            mine = alleles.filter(pl.col("for_csq") & pl.col("contig").is_in(list(numbers)))
            if not len(mine):
                continue
            texts = records.select("pos", "ref", "alt")[mine["row"]]
            alt = texts["alt"]
            if (mine["allele"] > 1).any() or alt.str.contains(",", literal=True).any():
                alt = pl.select(alt.str.split(",").list.get(mine["allele"].cast(pl.Int64) - 1)).to_series()
            sites = pl.DataFrame(
                {
                    "chrom": mine["contig"].replace_strict(numbers, return_dtype=pl.String),
                    "pos": texts["pos"],
                    "id": mine["site"],
                    "ref": texts["ref"],
                    "alt": alt,
                }
            ).with_columns(pl.lit(".").alias("qual"), pl.lit(".").alias("filter"), pl.lit(".").alias("info"))
            path = self._sites_path(code)
            new = not path.exists()
            with path.open("ab") as file:
                if new:
                    file.write(sites_header(contigs).encode())
                sites.write_csv(file, include_header=False, separator="\t", quote_style="never")

    # --- second pass

    def _annotate(self, alleles: pl.DataFrame) -> pl.DataFrame:
        """Add effects and known values to a chunk's alleles."""
        parts: list[pl.DataFrame] = []
        for (contig,), part in alleles.group_by("contig", maintain_order=True):
            name = self._name(int(contig))  # type: ignore[call-overload]
            judged = part.filter(pl.col("reason") == Reason.NONE)
            columns = [judged, self._effects(judged, name)]
            if name:
                for source in self.bundle.known_sources:
                    values = known_values(judged, name, source, self.bundle)
                    if values is not None:
                        columns.append(values)
            annotated = pl.concat(columns, how="horizontal")
            if len(judged) < len(part):
                others = part.filter(pl.col("reason") != Reason.NONE)
                annotated = pl.concat([annotated, others], how="diagonal").sort("row", "allele")
            parts.append(annotated)
        return pl.concat(parts, how="diagonal") if len(parts) > 1 else parts[0]

    def _effects(self, alleles: pl.DataFrame, contig: str | None) -> pl.DataFrame:
        if not len(alleles):
            return pl.DataFrame(schema=EFFECT_SCHEMA)
        model = self._gene_model(contig)
        if model is None:
            return without_genes(alleles)
        sites = alleles.select("site").with_row_index("index")
        low, high = int(sites["site"][0]), int(sites["site"][-1])
        first, last = np.searchsorted(self._entries["site"].to_numpy(), [low, high + 1])
        said = sites.join(self._entries[int(first) : int(last)], on="site").drop("site")
        return effects(alleles, said, model)

    def _gene_model(self, contig: str | None) -> GeneModel | None:
        found = self.bundle.contig(contig) if contig else None
        path = self.bundle.transcripts(found) if found else None
        if contig is None or path is None:
            return None
        if self._model is None or self._model[0] != contig:
            self._model = contig, GeneModel.of(Transcripts(path))
        return self._model[1]

    def _edit(self, records: pl.DataFrame, alleles: pl.DataFrame) -> pl.DataFrame:
        info, renamed = assembly.rename_own_fields(records["info"], self.ids)
        self.counts.renamed |= renamed
        additions = assembly.info_additions(alleles, self.bundle.known_sources, len(records))
        if self.plan.keep_bcsq:
            additions = assembly.with_bcsq(additions, alleles, self._bcsq)
        return records.with_columns(
            assembly.merged_ids(records["id"], alleles, self.bundle.known_sources).alias("id"),
            assembly.with_info(info, additions).alias("info"),
        )
    def _count(self, records: pl.DataFrame, alleles: pl.DataFrame) -> None:
        self.counts.add_alleles(alleles)
        for source in self.bundle.known_sources:
            if source.name in alleles.columns:
                self.counts.add_known(alleles, source.name)
        self.counts.add_keys(records)


def _lines(records: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    records.write_csv(buffer, include_header=False, separator="\t", quote_style="never")
    return buffer.getvalue()

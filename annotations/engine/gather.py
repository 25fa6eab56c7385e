"""The last stage: join what the shards left, in order, into the three files of the result."""

import shutil
from pathlib import Path
from typing import Any

from annotations.engine.bgzf import END as BGZF_END
from annotations.engine.bgzf import BgzfWriter
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.check.build import refuse_another_build
from annotations.engine.count_log import log_text
from annotations.engine.counts import Counts
from annotations.engine.errors import EngineFailure
from annotations.engine.index import MAX_POSITION, write_tabix
from annotations.engine.layout import Plan, Summary, shard_directory
from annotations.engine.output_header import header_text
from annotations.engine.shard import BODY_NAME, COUNTS_NAME, INDEX_NAME
from annotations.engine.table_pieces import join_tables

_COPY_BYTES = 256 << 10  # of so much the memory is used again and again


def gather(directory: Path, bundle: ReferenceBundle, output: Path, command: str) -> Summary:
    """Join the shards of the plan in `directory` into NAME.annot.vcf.gz with its index, log and table.

    Raises UnusableInput when, over all shards, too many REF alleles differ from the reference.
    """
    plan = Plan.load(directory)
    counts = Counts()
    for shard in plan.shards:
        counts.add(Counts.load(shard_directory(directory, shard.number) / COUNTS_NAME))
    refuse_another_build(counts.ref_compared, counts.ref_mismatched, plan.max_mismatch_share, bundle.name)
    if counts.records != plan.records:
        raise EngineFailure(f"{plan.records} records went in and {counts.records} came out")
    header, header_notes = header_text(plan, bundle, counts, command)
    notes = [*plan.notes, *header_notes]
    output.mkdir(parents=True, exist_ok=True)
    vcf = output / f"{plan.name}.annot.vcf.gz"
    table = output / f"{plan.name}.parquet"
    index = _join_bodies(directory, plan, bundle, header, vcf)
    join_tables([shard_directory(directory, shard.number) for shard in plan.shards], plan, bundle, table)
    log = output / f"{plan.name}.vcf.count.log"
    log.write_text(log_text(plan, bundle, counts, notes))
    return Summary(
        name=plan.name,
        reference=f"{bundle.name} {bundle.version}",
        records_in=plan.records,
        records_out=counts.records,
        alleles=counts.alleles,
        known=dict(counts.known_records),
        consequences=dict(counts.consequences),
        impacts=dict(counts.impacts),
        left_out=dict(counts.left_out),
        notes=notes,
        files={"vcf": str(vcf), "index": str(index), "log": str(log), "table": str(table)},
    )


def _join_bodies(directory: Path, plan: Plan, bundle: ReferenceBundle, header: str, vcf: Path) -> Path:
    """Header and bodies as BGZF blocks, one after the other, and one end block; returns the index."""
    with BgzfWriter(vcf) as file:
        file.write(header.encode())
    bodies: list[tuple[Path, int]] = []
    with vcf.open("r+b") as out:
        _drop_end_block(out)
        for shard in plan.shards:
            part = shard_directory(directory, shard.number)
            bodies.append((part / INDEX_NAME, out.tell()))
            with (part / BODY_NAME).open("rb") as body:
                shutil.copyfileobj(body, out, _COPY_BYTES)
            _drop_end_block(out)
        out.write(BGZF_END)
    lengths = [contig.length for _, name in plan.contigs if name and (contig := bundle.contig(name))]
    if max(lengths, default=0) > MAX_POSITION:  # longer than a .tbi can hold
        import pysam  # which takes long to load, and few genomes have such contigs

        pysam.tabix_index(str(vcf), preset="vcf", force=True, csi=True)
        return vcf.with_name(vcf.name + ".csi")
    index = vcf.with_name(vcf.name + ".tbi")
    write_tabix(index, [name for name, _ in plan.contigs], bodies)
    return index


def _drop_end_block(out: Any) -> None:
    out.seek(-len(BGZF_END), 2)
    if out.read() != BGZF_END:
        raise EngineFailure("a part of the annotated VCF is not whole")
    out.seek(-len(BGZF_END), 2)
    out.truncate()

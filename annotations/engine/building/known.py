"""Known-variant VCF in, per contig one Parquet of its alleles out: normalised, typed, sorted.

The source is read once. Its records go, a batch at a time, into a store that sorts each contig on disk; all
but single bases through `bcftools norm` (left-aligned, one allele a record). Memory and scratch space stay
bounded by the batch and the contig, whatever the size of the source.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pysam

from annotations.engine.building.alleles import AlleleStore
from annotations.engine.building.contig_names import ContigNames
from annotations.engine.building.inputs import open_input
from annotations.engine.building.known_header import SourceField, choose_fields, read_header
from annotations.engine.building.known_records import KnownRecords, Run
from annotations.engine.building.reference_check import ReferenceCheck
from annotations.engine.building.site import BuildSite, some_of
from annotations.engine.bundle import BundleError, known_name
from annotations.engine.child import run_bcftools
from annotations.engine.errors import EngineFailure

BATCH_BYTES = 128 << 20


@dataclass(frozen=True)
class KnownInput:
    """A VCF of known variants: the source's name, the file, the INFO fields to take (None: all).

    `further` are more files of the same source, each with contigs of its own (a VCF per chromosome).
    """

    source: str
    vcf: Path
    fields: tuple[str, ...] | None = None
    further: tuple[Path, ...] = ()


@dataclass(frozen=True)
class KnownSummary:
    """What was built from one source. `records` counts alleles."""

    source: str
    file: str
    version: str | None
    records: int
    gives_id: bool
    fields: tuple[SourceField, ...]


def write_known(known: KnownInput, gives_id: bool | None, site: BuildSite) -> KnownSummary:
    """Write known/<source>/<contig>.parquet for every contig that the source has alleles on.

    `gives_id` None: the source gives IDs when most of its first ones are dbSNP's (rs…). Raises BundleError
    for a file that is no sorted VCF of this genome, or lacks a field that is asked for.
    """
    (site.folder / "known" / known.source).mkdir(parents=True)
    work = site.scratch / f"known-{known.source}"
    work.mkdir()
    with open_input(known.vcf) as file:
        header = read_header(file, known.vcf)
    fields = choose_fields(header, known.fields, known.source, known.vcf)
    with pysam.FastaFile(str(site.genome)) as fasta:
        check = ReferenceCheck(known.vcf, fasta)
        reader = KnownRecords(fields, site.names, check, known.source)
        runs = (run for vcf in (known.vcf, *known.further) for run in reader.read(vcf, known.fields))
        records = 0
        with AlleleStore(work, known.vcf, fields) as store:
            for batch in _batches(runs, _norm_header(site.names, fields), work):
                check.judge()
                _normalise(batch.others, site.genome, work / "normalised.vcf", known)
                store.add(batch.plain)
                store.add(work / "normalised.vcf")
                for contig in batch.finished:
                    records += store.write(contig, site.folder / known_name(known.source, contig))
    shutil.rmtree(work)
    if reader.strangers:
        left_out = ", ".join(f"{name} ({count:,})" for name, count in reader.strangers.most_common(5))
        site.report(f"known: {known.source}: left out, on contigs that the FASTA does not have: {left_out}")
    if not records:
        raise BundleError(
            f"{known.vcf} has no variant on the contigs of the FASTA ({some_of(site.names.lengths)}); "
            f"its contigs are {some_of(reader.strangers) or 'none'}. Take the file for this genome."
        )
    site.report(f"known: {known.source}: {records:,} alleles; {check.summary()}")
    return KnownSummary(
        source=known.source,
        file=known.vcf.name,
        version=header.version,
        records=records,
        gives_id=reader.mostly_rs_ids() if gives_id is None else gives_id,
        fields=fields,
    )


@dataclass(frozen=True)
class _Batch:
    plain: Path
    others: Path
    finished: tuple[str, ...]  # contigs that have no further records


def _batches(runs: Iterator[Run], header: bytes, folder: Path) -> Iterator[_Batch]:
    """Write records to files in `folder`, a batch at a time; the last batch finishes the last contig."""
    contigs: list[str] = []
    while True:
        plain, others = folder / "plain.vcf", folder / "others.vcf"
        with plain.open("wb") as plain_file, others.open("wb") as others_file:
            batch_bytes = plain_file.write(header) + others_file.write(header)
            for run in runs:
                if not contigs or contigs[-1] != run.contig:
                    contigs.append(run.contig)
                batch_bytes += plain_file.write(run.plain) + others_file.write(run.others)
                if batch_bytes > BATCH_BYTES:
                    break
            else:
                break
        # The batch's last contig may go on; what follows on the same one must find it open.
        finished, contigs = contigs[:-1], contigs[-1:]
        yield _Batch(plain, others, tuple(finished))
    if contigs:
        yield _Batch(plain, others, tuple(contigs))


def _norm_header(names: ContigNames, fields: Sequence[SourceField]) -> bytes:
    """A header for `bcftools norm`: numbers are declared as text, so that none is rounded or rewritten."""
    lines = ["##fileformat=VCFv4.2"]
    lines += [f"##contig=<ID={name},length={length}>" for name, length in names.lengths.items()]
    for field in fields:
        kind = "Flag" if field.is_flag else "String"
        number = "0" if field.is_flag else field.number
        lines.append(f'##INFO=<ID={field.source_id},Number={number},Type={kind},Description="">')
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
    return "\n".join(lines).encode()


def _normalise(batch: Path, genome: Path, target: Path, known: KnownInput) -> None:
    # -c w: a REF that differs from the FASTA (N there, or below the share that ReferenceCheck tolerates)
    # passes through as it stands, where the default ends the run at the first one.
    arguments = ["norm", "-m", "-any", "-c", "w", "-f", str(genome), "-Ov", "-o", str(target), str(batch)]
    try:
        run_bcftools(arguments, target.parent)
    except EngineFailure as error:
        raise BundleError(
            f"{known.vcf} cannot be normalised: {error}. Mend the record that it names; where a field is the "
            f"matter, leave it out: --known {known.source}={known.vcf}:FIELD,FIELD"
        ) from error

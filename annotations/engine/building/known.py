"""Known-variant VCF in, per contig one Parquet of its alleles out: normalised, typed, sorted.

The source is read once. Its records go, a batch at a time, through `bcftools norm` (left-aligned, one allele
a record) into a store that sorts each contig on disk: memory and scratch space stay bounded by the batch
and the contig, whatever the size of the source.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pysam

from annotations.engine.building.alleles import AlleleStore
from annotations.engine.building.contig_names import ContigNames
from annotations.engine.building.inputs import open_input
from annotations.engine.building.known_header import SourceField, SourceHeader, choose_fields, read_header
from annotations.engine.building.reference_check import ReferenceCheck
from annotations.engine.building.site import BuildSite, some_of
from annotations.engine.bundle import BundleError, known_name
from annotations.engine.child import run_bcftools
from annotations.engine.errors import EngineFailure

BATCH_BYTES = 128 << 20
IDS_LOOKED_AT = 1000


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
        reader = _Reader(known, fields, site.names, check)
        records = 0
        with AlleleStore(work, known.vcf, fields) as store:
            for batch in _batches(reader.records(), _norm_header(site.names, fields), work / "batch.vcf"):
                check.judge()
                _normalise(batch.path, site.genome, work / "normalised.vcf", known)
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


class _Reader:
    """Reads records: checks them, gives them the genome's contig names, and drops what is not taken."""

    def __init__(
        self, known: KnownInput, fields: Sequence[SourceField], names: ContigNames, check: ReferenceCheck
    ) -> None:
        self.strangers: Counter[str] = Counter()
        self._known = known
        self._vcf = known.vcf  # the one that is being read
        self._seen: set[str] = set()
        self._taken = frozenset(field.source_id.encode() for field in fields)
        self._names = names
        self._check = check
        self._ids = 0
        self._rs_ids = 0

    def records(self) -> Iterator[tuple[str, bytes]]:
        """(contig, VCF line of eight columns) of every record on the genome's contigs."""
        for vcf in (self._known.vcf, *self._known.further):
            self._vcf = vcf
            with open_input(vcf) as file:
                header = read_header(file, vcf)
                choose_fields(header, self._known.fields, self._known.source, vcf)
                yield from self._records_of(file, header)

    def _records_of(self, file: BinaryIO, header: SourceHeader) -> Iterator[tuple[str, bytes]]:
        current, last_pos = "", 0
        resolved: dict[bytes, str | None] = {}
        for number, line in enumerate(file, header.lines + 1):
            columns = line.rstrip(b"\r\n").split(b"\t", 8)[:8]
            if columns == [b""]:
                continue
            if len(columns) < 8 or not columns[1].isdigit():
                raise BundleError(
                    f"{self._vcf}, line {number}: expected eight columns with tabs between them and a "
                    f"whole number for POS, found {line[:60].decode('utf-8', 'replace').rstrip()!r}. Mend "
                    "the line or download the file again."
                )
            if columns[0] not in resolved:
                resolved[columns[0]] = self._names.resolve(columns[0].decode("utf-8", "replace"))
            contig, pos = resolved[columns[0]], int(columns[1])
            if contig is None:
                self.strangers[columns[0].decode("utf-8", "replace")] += 1
                continue
            if contig != current:
                if contig in self._seen:
                    raise self._unsorted(number, f"{contig} comes a second time")
                self._seen.add(contig)
                current, last_pos = contig, 0
            if pos < last_pos:
                raise self._unsorted(number, f"{contig}:{pos:,} comes after {contig}:{last_pos:,}")
            last_pos = pos
            yield contig, self._taken_of(number, contig, pos, columns)

    def mostly_rs_ids(self) -> bool:
        return self._rs_ids * 2 > self._ids

    def _taken_of(self, number: int, contig: str, pos: int, columns: list[bytes]) -> bytes:
        _, _, identity, ref, alt, _, _, info = columns
        end = pos - 1 + len(ref)
        if not 0 < pos <= end <= self._names.lengths[contig]:
            raise BundleError(
                f"{self._vcf}, line {number}: {contig}:{pos:,} with a REF of {len(ref):,} bases is outside "
                f"the contig, which has {self._names.lengths[contig]:,} bases in the FASTA. The file looks "
                "like another build: take the one for this genome."
            )
        if self._ids < IDS_LOOKED_AT:
            self._ids += 1
            self._rs_ids += identity.startswith(b"rs")
        self._check.add(contig, pos, ref.decode("utf-8", "replace").upper())
        kept = b";".join(part for part in info.split(b";") if part.partition(b"=")[0] in self._taken)
        return b"\t".join((contig.encode(), columns[1], identity, ref, alt, b".", b".", kept or b".")) + b"\n"

    def _unsorted(self, number: int, what: str) -> BundleError:
        return BundleError(
            f"{self._vcf}, line {number}: the file is not sorted ({what}). Sort it first: "
            f"bcftools sort -Oz -o sorted.vcf.gz {self._vcf}"
        )


@dataclass(frozen=True)
class _Batch:
    path: Path
    finished: tuple[str, ...]  # contigs that have no further records


def _batches(records: Iterable[tuple[str, bytes]], header: bytes, path: Path) -> Iterator[_Batch]:
    """Write records to `path`, a batch at a time; the last batch finishes the last contig."""
    contigs: list[str] = []
    file = path.open("wb")
    try:
        batch_bytes = file.write(header)
        for contig, line in records:
            if batch_bytes > BATCH_BYTES:
                file.close()
                # The batch's last contig may go on; what follows on the same one must find it open.
                finished, contigs = contigs[:-1], contigs[-1:]
                yield _Batch(path, tuple(finished))
                file = path.open("wb")
                batch_bytes = file.write(header)
            if not contigs or contigs[-1] != contig:
                contigs.append(contig)
            batch_bytes += file.write(line)
    finally:
        file.close()
    if contigs:
        yield _Batch(path, tuple(contigs))


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

"""From a few typed variants to an upload: each line is read, placed on the genome, and written to a VCF."""

import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pysam

from annotations import references, uploads
from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.incoming.models import Upload
from annotations.incoming.parts import new_upload
from annotations.incoming.variant_lines import Hgvs, LineRefused, Named, Placed, parse
from annotations.storage.port import object_store

MOST_LINES = 1000
MOST_CHARACTERS = 200_000
MOST_FAULTS_TOLD = 20
# Sources without an index by ID are read through: a large one takes longer than a page may.
LOOKUP_SECONDS = 10.0


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line, counted from 1."""

    line: int
    message: str


class LinesRefused(Exception):
    """Some lines can't be used; `faults` says which, and why."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        told = [f"Line {fault.line}: {fault.message}" for fault in faults[:3]]
        more = [f"And {len(faults) - 3} more lines are wrong."] if len(faults) > 3 else []
        super().__init__(" ".join([*told, *more]))


def begin(user: Any, text: str, reference: str, file_name: str = "pasted.vcf") -> Upload:
    """An upload that is READY, of a VCF with these variants.

    Raises LinesRefused, UploadRefused, OverLimit, StorageError.
    """
    bundle = references.find(reference)
    if bundle is None:
        raise uploads.UploadRefused(f"There is no reference {reference}. Please choose one from the list.")
    content = vcf_of(text, bundle)
    name = file_name if file_name.endswith((".vcf", ".VCF")) else f"{file_name}.vcf"
    upload = new_upload(user, name, size_bytes=len(content), state=Upload.State.READY)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pasted.vcf"
        path.write_bytes(content)
        object_store().publish(path, upload.key)
    upload.received_bytes = len(content)
    upload.save(force_insert=True)
    return upload


def vcf_of(text: str, bundle: ReferenceBundle) -> bytes:
    """A VCF of the lines' variants, sorted, on the bundle's contigs. Raises LinesRefused."""
    lines = {
        number: line
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    }
    if not lines:
        raise LinesRefused([Fault(1, "There is no variant in it.")])
    if len(lines) > MOST_LINES:
        raise LinesRefused(
            [Fault(max(lines), f"{MOST_LINES} variants are taken here. Upload a VCF instead.")]
        )
    variants: list[Placed] = []
    faults: list[Fault] = []
    named: dict[int, str] = {}
    with pysam.FastaFile(str(bundle.genome)) as genome:
        places = _Places(bundle, genome)
        for number, line in lines.items():
            try:
                variant = parse(line)
                if isinstance(variant, Named):
                    named[number] = variant.rsid
                else:
                    variants.append(places.placed(variant))
            except LineRefused as refusal:
                faults.append(Fault(number, str(refusal)))
        found = _looked_up(set(named.values()), bundle)
        for number, rsid in named.items():
            if not found.get(rsid):
                faults.append(Fault(number, f"{bundle.name}/{bundle.version} knows no {rsid}."))
            variants += found.get(rsid, ())
    if faults:
        raise LinesRefused(sorted(faults, key=lambda fault: fault.line)[:MOST_FAULTS_TOLD])
    return _written(variants, bundle)


class _Places:
    """Puts variants onto the contigs of a bundle."""

    def __init__(self, bundle: ReferenceBundle, genome: pysam.FastaFile) -> None:
        self._bundle, self._genome = bundle, genome

    def placed(self, variant: Placed | Hgvs) -> Placed:
        """With the bundle's own name of the contig, and a REF that is the genome's. Raises LineRefused."""
        contig = self._bundle.contig(variant.contig)
        if contig is None:
            raise LineRefused(f"{self._label} has no contig {variant.contig}.")
        if isinstance(variant, Hgvs):
            return self._from_hgvs(contig, variant)
        bases = self._bases(contig, variant.position, variant.position + len(variant.ref) - 1)
        # Where the genome is masked, nobody can tell.
        if any(
            here != said and "N" not in (here, said) for here, said in zip(bases, variant.ref, strict=True)
        ):
            raise LineRefused(
                f"REF is {_short(bases)} at {contig.name}:{variant.position} in {self._label}, and the line "
                f"says {_short(variant.ref)}. Is it another genome build?"
            )
        return replace(variant, contig=contig.name)

    def _from_hgvs(self, contig: Contig, variant: Hgvs) -> Placed:
        start, end, inserted = variant.start, variant.end, variant.inserted
        if variant.edit == "delins":
            return Placed(contig.name, start, self._bases(contig, start, end), inserted)
        if variant.edit == "ins":
            anchor = self._bases(contig, start, start)
            return Placed(contig.name, start, anchor, anchor + inserted)
        if variant.edit == "dup":
            anchor = self._bases(contig, end, end)
            return Placed(contig.name, end, anchor, anchor + self._bases(contig, start, end))
        if start == 1:  # no base before it to stand on, so the one behind it
            bases = self._bases(contig, 1, end + 1)
            return Placed(contig.name, 1, bases, bases[-1])
        bases = self._bases(contig, start - 1, end)
        return Placed(contig.name, start - 1, bases, bases[0])

    def _bases(self, contig: Contig, start: int, end: int) -> str:
        if end > contig.length:
            raise LineRefused(
                f"{contig.name} has {contig.length:,} bases in {self._label}; the line names {end:,}."
            )
        return str(self._genome.fetch(contig.name, start - 1, end)).upper()

    @property
    def _label(self) -> str:
        return references.label(self._bundle)


def _looked_up(rsids: set[str], bundle: ReferenceBundle) -> dict[str, list[Placed]]:
    """The alleles that the bundle's known variants have under these IDs. Raises LinesRefused."""
    paths = {
        str(path): contig.name
        for source in bundle.known_sources
        if source.gives_id
        for contig in bundle.contigs
        if (path := bundle.known(source, contig))
    }
    found: dict[str, list[Placed]] = defaultdict(list)
    if not rsids or not paths:
        return found
    import duckdb

    with duckdb.connect(config={"threads": 1, "memory_limit": "256MB"}) as connection:
        timer = threading.Timer(LOOKUP_SECONDS, connection.interrupt)
        timer.start()
        try:
            rows = connection.execute(
                "SELECT DISTINCT filename, pos, ref, alt, id "
                "FROM read_parquet(?, filename=true, union_by_name=true) WHERE id IN (SELECT unnest(?))",
                [list(paths), sorted(rsids)],
            ).fetchall()
        except duckdb.InterruptException:
            raise LinesRefused(
                [
                    Fault(
                        1,
                        "This reference is too large to look rsIDs up here. Write chrom-pos-ref-alt instead.",
                    )
                ]
            ) from None
        finally:
            timer.cancel()
    for path, position, ref, alt, rsid in rows:
        with suppress(KeyError):
            found[rsid].append(Placed(paths[path], position, ref, alt, rsid))
    return found


def _written(variants: Iterable[Placed], bundle: ReferenceBundle) -> bytes:
    order = {contig.name: number for number, contig in enumerate(bundle.contigs)}
    unique = sorted(set(variants), key=lambda variant: (order[variant.contig], variant.position, variant.alt))
    used = {variant.contig for variant in unique}
    header = [
        "##fileformat=VCFv4.2",
        *(
            f"##contig=<ID={contig.name},length={contig.length}>"
            for contig in bundle.contigs
            if contig.name in used
        ),
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]
    records = [
        f"{variant.contig}\t{variant.position}\t{variant.id}\t{variant.ref}\t{variant.alt}\t.\t.\t."
        for variant in unique
    ]
    return ("\n".join([*header, *records]) + "\n").encode()


def _short(bases: str) -> str:
    return bases if len(bases) <= 20 else f"{bases[:17]}…"

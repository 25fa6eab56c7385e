"""Build a whole bundle, or nothing: written in a folder beside its place, checksummed, then renamed."""

import contextlib
import datetime
import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pysam.version import __bcftools_version__, __version__

from annotations.engine.building.contig_names import ContigNames, described_contigs
from annotations.engine.building.genes import GenesSummary, write_genes
from annotations.engine.building.genome import write_genome
from annotations.engine.building.intervals import IntervalsInput, IntervalsSummary, write_intervals
from annotations.engine.building.known import KnownInput, KnownSummary, write_known
from annotations.engine.building.known_header import SourceField
from annotations.engine.building.site import BuildSite
from annotations.engine.bundle import (
    FORMAT,
    GENE_BLOCKS_NAMES,
    GENOME_NAME,
    MANIFEST_NAME,
    PACKED_GENOME_NAME,
    PACKED_OTHERS_NAME,
    BundleError,
    Contig,
    ReferenceBundle,
    genes_gff_name,
    known_block_names,
    known_name,
    sha256_of,
    transcripts_name,
)
from annotations.engine.gene_blocks import write_gene_blocks
from annotations.engine.known_blocks import write_blocks
from annotations.engine.packed_genome import GenomePacker

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SOURCE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class BundleRecipe:
    """What to build from what.

    `id_sources`: the sources whose IDs go into the ID column; None: those with rs numbers. `genetic_codes`:
    NCBI's number by contig, where the name does not say it (a mitochondrion has 2). `created_at` None: now.
    `aliases`: other names of contigs, beside those in the GFF3. `downloads`: where the files came from, as
    JSON values, for the manifest.
    """

    name: str
    version: str
    fasta: Path
    gff: Path
    known: tuple[KnownInput, ...] = ()
    intervals: tuple[IntervalsInput, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    downloads: tuple[Mapping[str, Any], ...] = ()
    id_sources: frozenset[str] | None = None
    genetic_codes: Mapping[str, int] = field(default_factory=dict)
    description: str = ""
    created_at: datetime.datetime | None = None


def _silent(_: str) -> None:
    pass


def build_bundle(
    recipe: BundleRecipe, references: Path, report: Callable[[str], None] = _silent
) -> ReferenceBundle:
    """Build `references`/<name>/<version>/ and open it. `report` gets a line for every step done.

    Raises BundleError, and leaves nothing behind, when a file is not what it should be, or the bundle is
    there already.
    """
    _check_names(recipe)
    target = references / recipe.name / recipe.version
    if target.exists():
        raise BundleError(f"{target} exists. Choose another --version, or remove the folder first.")
    with _building_folder(target) as building:
        scratch = building / "scratch"
        scratch.mkdir()
        manifest = _write_contents(recipe, building, scratch, report)
        shutil.rmtree(scratch)
        manifest["files"] = _checksums(building)
        (building / MANIFEST_NAME).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
        _sync(building)
        building.rename(target)
        _sync_folder(target.parent)
    report(f"built {target}")
    return ReferenceBundle.open(target)


def _write_contents(
    recipe: BundleRecipe, building: Path, scratch: Path, report: Callable[[str], None]
) -> dict[str, Any]:
    """Write all files of the bundle; return its manifest, without their checksums."""
    # 1. The genome, whose names of contigs are the bundle's.
    packer = GenomePacker(building / PACKED_GENOME_NAME, building / PACKED_OTHERS_NAME)
    with contextlib.closing(packer):
        sequences = write_genome(recipe.fasta, building / GENOME_NAME, packer)
    bases = sum(sequence.length for sequence in sequences)
    report(f"genome: {len(sequences)} contigs, {bases:,} bases")
    names = ContigNames(sequences)
    for contig, alias in recipe.aliases.items():
        names.learn([contig, alias])
    site = BuildSite(building, scratch, names, report)
    _check_genetic_codes(recipe, names)
    # 2. Genes, which teach the contigs' other names, …
    genes = write_genes(recipe.gff, site)
    _write_gene_blocks(genes, names, building)
    # 3. … in which known variants may be written.
    known = [write_known(one, _gives_id(recipe, one.source), site) for one in recipe.known]
    _write_known_blocks(known, names, building)
    intervals = [write_intervals(one, site) for one in recipe.intervals]
    contigs = described_contigs(sequences, names, genes.contigs, recipe.genetic_codes)
    return _manifest(recipe, contigs, genes, known, intervals)


def _write_gene_blocks(genes: GenesSummary, names: ContigNames, building: Path) -> None:
    own = [
        (building / transcripts_name(contig), building / genes_gff_name(contig))
        if contig in genes.contigs
        else None
        for contig in names.lengths
    ]
    write_gene_blocks(own, [building / name for name in GENE_BLOCKS_NAMES])


def _write_known_blocks(known: list[KnownSummary], names: ContigNames, building: Path) -> None:
    for one in known:
        for contig in names.lengths:
            parquet = building / known_name(one.source, contig)
            if parquet.exists():
                target, index = (building / name for name in known_block_names(one.source, contig))
                write_blocks(parquet, target, index)


def _manifest(
    recipe: BundleRecipe,
    contigs: list[Contig],
    genes: GenesSummary,
    known: list[KnownSummary],
    intervals: list[IntervalsSummary],
) -> dict[str, Any]:
    created_at = recipe.created_at or datetime.datetime.now(datetime.UTC)
    return {
        "format": FORMAT,
        "name": recipe.name,
        "version": recipe.version,
        "created_at": created_at.astimezone(datetime.UTC).isoformat(timespec="seconds"),
        "description": recipe.description,
        "contigs": [
            {
                "name": contig.name,
                "length": contig.length,
                "md5": contig.md5,
                "genetic_code": contig.genetic_code,
                "aliases": list(contig.aliases),
                "genes": contig.genes,
            }
            for contig in contigs
        ],
        "genome": {"source": recipe.fasta.name},
        "genes": {"source": recipe.gff.name, "transcripts": genes.transcripts, "genes": genes.genes},
        "known": [
            {
                "source": one.source,
                "file": one.file,
                "version": one.version,
                "records": one.records,
                "gives_id": one.gives_id,
                "fields": [_field(field) for field in one.fields],
            }
            for one in known
        ],
        "intervals": [one.as_manifest() for one in intervals],
        "downloads": [dict(one) for one in recipe.downloads],
        "tools": {
            "bcftools": __bcftools_version__,
            "pysam": __version__,
        },
    }


def _field(one: SourceField) -> dict[str, str]:
    return {
        "from": one.source_id,
        "id": one.id,
        "number": "A" if one.number == "R" else one.number,
        "type": one.type,
        "description": one.description,
    }


def _check_names(recipe: BundleRecipe) -> None:
    for what, name in (("name", recipe.name), ("version", recipe.version)):
        if not _NAME.fullmatch(name):
            raise BundleError(
                f"{name!r} cannot be the {what} of a bundle: expected letters, digits, dots, _ and -, "
                "starting with a letter or digit."
            )
    sources = [one.source for one in recipe.known] + [one.source for one in recipe.intervals]
    for source in sources:
        if not _SOURCE.fullmatch(source):
            raise BundleError(
                f"{source!r} cannot name a source: expected letters, digits and _, starting with a letter, "
                "because it starts the names of INFO fields (clinvar_CLNSIG)."
            )
        if sources.count(source) > 1:
            raise BundleError(f"The source {source!r} is given twice. Give each its own name.")
    if strangers := sorted((recipe.id_sources or frozenset()) - set(sources)):
        raise BundleError(
            f"--ids names {', '.join(strangers)}, which is not among the known sources "
            f"({', '.join(sources) or 'none'})."
        )


def _check_genetic_codes(recipe: BundleRecipe, names: ContigNames) -> None:
    if strangers := sorted(recipe.genetic_codes.keys() - names.lengths.keys()):
        raise BundleError(
            f"--genetic-code names {', '.join(strangers)}, which the FASTA does not have. Use the "
            "FASTA's own names of contigs."
        )


def _gives_id(recipe: BundleRecipe, source: str) -> bool | None:
    return None if recipe.id_sources is None else source in recipe.id_sources


@contextlib.contextmanager
def _building_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` for one build at a time, gone afterwards unless it was renamed.

    The lock tells a build that is running from the remains of one that was killed, which are cleared.
    """
    folder = target.parent / f".{target.name}.building"
    new_parents = [parent for parent in (target.parent, target.parent.parent) if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BundleError(f"Another build of {target} is running. Wait until it ends.") from error
        for remains in folder.iterdir():
            shutil.rmtree(remains) if remains.is_dir() else remains.unlink()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # renamed by now, where all went well
            for parent in new_parents:
                with contextlib.suppress(OSError):  # not empty: it holds the bundle
                    parent.rmdir()
    finally:
        os.close(lock)


def _checksums(folder: Path) -> dict[str, dict[str, Any]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in paths
    }


def _sync(folder: Path) -> None:
    """Bring everything to the disk before the rename: a bundle that has its name is whole, come what may."""
    for path in [*folder.rglob("*"), folder]:
        _sync_folder(path)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

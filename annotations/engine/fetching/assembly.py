"""Fetched files as the builder wants them: one FASTA, one GFF3, sources one after the other."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pysam

from annotations.engine.building import BundleRecipe, KnownInput
from annotations.engine.building.allele_tables import write_table_as_vcf
from annotations.engine.building.inputs import open_input
from annotations.engine.building.intervals import IntervalsInput
from annotations.engine.fetching.addresses import file_name
from annotations.engine.fetching.cache import Download
from annotations.engine.fetching.plan import GENES, GENOME, Plan, PlannedFile
from annotations.engine.fetching.recipe import Source


@dataclass(frozen=True)
class Fetched:
    """A file on this machine; `download` None where it was there from the start."""

    planned: PlannedFile
    path: Path
    download: Download | None


def bundle_recipe(plan: Plan, fetched: Sequence[Fetched], version: str, work: Path) -> BundleRecipe:
    """What to build from the fetched files; `work` takes links and joined files."""
    paths = {
        role: [_link(one, work / role) for one in fetched if one.planned.role == role]
        for role in {one.planned.role for one in fetched}
    }
    genome = _joined(paths[GENOME], work / f"{plan.recipe.name}.fa.gz")
    if plan.chromosomes and not plan.recipe.genome.chromosome_url:
        genome = _some_contigs(genome, plan, work / f"{plan.recipe.name}.some.fa.gz")
    known, intervals = [], []
    for source in plan.sources:
        if source.format == "intervals" and source.table is not None:
            files = tuple(paths[source.name])
            intervals.append(IntervalsInput(source.name, files, source.table, source.release))
        else:
            known.append(_known(source, paths[source.name], work))
    return BundleRecipe(
        name=plan.recipe.name,
        version=version,
        description=plan.recipe.description,
        fasta=genome,
        gff=_joined(paths[GENES], work / f"{plan.recipe.name}.gff3.gz"),
        known=tuple(known),
        intervals=tuple(intervals),
        id_sources=frozenset(source.name for source in plan.sources if source.gives_id),
        aliases=plan.recipe.accessions,
        downloads=tuple(
            {"source": one.planned.role, **asdict(one.download)}
            for one in fetched
            if one.download is not None
        ),
    )


def _known(source: Source, files: list[Path], work: Path) -> KnownInput:
    if source.table is None:
        return KnownInput(source.name, files[0], source.info, tuple(files[1:]))
    vcf = write_table_as_vcf(files, source.table, work / f"{source.name}.vcf.gz", source.release)
    return KnownInput(source.name, vcf, tuple(one.name for one in source.table.fields))


def _link(one: Fetched, folder: Path) -> Path:
    """The file under its publisher's name, which the manifest and messages then give."""
    folder.mkdir(exist_ok=True)
    link = folder / (file_name(one.planned.url) if one.planned.url else one.path.name)
    link.symlink_to(one.path.absolute())
    return link


def _joined(files: list[Path], target: Path) -> Path:
    """The files one after the other: gzip members joined are a gzip file, and so are plain texts."""
    if len(files) == 1:
        return files[0]
    with target.open("wb") as out:
        for file in files:
            with file.open("rb") as source:
                shutil.copyfileobj(source, out)
    return target


def _some_contigs(fasta: Path, plan: Plan, target: Path) -> Path:
    """The chosen chromosomes of a FASTA that has them all."""
    wanted = set(_spellings(plan.chromosomes)) | {
        plan.recipe.accessions[name] for name in plan.chromosomes if name in plan.recipe.accessions
    }
    with open_input(fasta) as file, pysam.BGZFile(str(target), "wb", None) as out:
        keeping = False
        for line in file:
            if line.startswith(b">"):
                keeping = line[1:].split(maxsplit=1)[0].decode("utf-8", "replace") in wanted
            if keeping:
                out.write(line)
    return target


def _spellings(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        yield from (name, f"chr{name}", *(("chrM", "M") if name == "MT" else ()))

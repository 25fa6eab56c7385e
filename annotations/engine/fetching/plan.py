"""Which files a reference is made of, for all of the genome or some chromosomes."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from annotations.engine.fetching.addresses import file_name
from annotations.engine.fetching.errors import FetchError
from annotations.engine.fetching.recipe import Address, Recipe, Source

GENOME, GENES = "genome", "genes"


@dataclass(frozen=True)
class PlannedFile:
    """A file to bring. `role` is `genome`, `genes` or a source's name.

    Either `url` or `file` (on this machine) is set. `contigs`, in the source's own names, are the only ones
    to read of it, by `index`; None: the whole file. `checksum` is as in the recipe, its placeholders filled.
    """

    role: str
    url: str | None
    file: Path | None = None
    checksum: str | None = None
    index: str | None = None
    contigs: tuple[str, ...] | None = None

    @property
    def title(self) -> str:
        name = file_name(self.url) if self.url else self.file.name if self.file else ""
        return f"{self.role}: {name}"


@dataclass(frozen=True)
class Plan:
    """What to fetch and build: the recipe, its chosen chromosomes (empty: all) and sources, and the files."""

    recipe: Recipe
    chromosomes: tuple[str, ...]
    sources: tuple[Source, ...]
    files: tuple[PlannedFile, ...]

    @property
    def version(self) -> str:
        """The bundle's version by default: the recipe's release, and the chromosomes if not all are in it."""
        return "-".join((self.recipe.release, *self.chromosomes))

    def files_of(self, role: str) -> tuple[PlannedFile, ...]:
        return tuple(one for one in self.files if one.role == role)


def make_plan(recipe: Recipe, chromosomes: tuple[str, ...], sources: tuple[Source, ...]) -> Plan:
    """The files for these chromosomes (empty: the whole genome), in the order of their use."""
    kept = tuple(source for source in sources if not chromosomes or _has_any(source, chromosomes))
    files = [
        *_files(GENOME, recipe.genome, chromosomes, recipe),
        *_files(GENES, recipe.genes, chromosomes, recipe),
    ]
    for source in kept:
        files.extend(_source_files(source, chromosomes, recipe))
    return Plan(recipe, chromosomes, kept, tuple(files))


def _has_any(source: Source, chromosomes: tuple[str, ...]) -> bool:
    return source.chromosomes is None or not set(source.chromosomes).isdisjoint(chromosomes)


def _source_files(source: Source, chromosomes: tuple[str, ...], recipe: Recipe) -> list[PlannedFile]:
    own = source.chromosomes or recipe.chromosomes
    wanted = tuple(name for name in own if not chromosomes or name in chromosomes)
    address = source.address
    if not chromosomes or address.chromosome_url or not address.index:
        return _files(source.name, address, wanted, recipe)
    contigs = tuple(
        source.contig.format(chromosome=name, accession=recipe.accessions.get(name, name)) for name in wanted
    )
    return [_planned(source.name, address, address.url or "", contigs)]


def _files(role: str, address: Address, chromosomes: tuple[str, ...], recipe: Recipe) -> list[PlannedFile]:
    """The whole genome's file, or each chromosome's where those alone are wanted, or there is no other."""
    if address.file is not None:
        return [PlannedFile(role, None, file=address.file)]
    if address.chromosome_url and (chromosomes or not address.url):
        names = chromosomes or recipe.chromosomes
        if not names:
            raise FetchError(
                f"{recipe.name}: {role} has a chromosome_url, and the recipe lists no chromosomes"
            )
        return [_planned(role, address, address.chromosome_url.format(chromosome=name)) for name in names]
    return [_planned(role, address, address.url or "")]


def _planned(role: str, address: Address, url: str, contigs: tuple[str, ...] | None = None) -> PlannedFile:
    folder = url.rsplit("/", 1)[0]
    if not urlsplit(url).netloc:
        raise FetchError(f"{role}: {url!r} is no address. Expected https://…")
    checksum, index = (
        pattern.replace("{url}", url).replace("{folder}", folder) if pattern else None
        for pattern in (address.checksum, address.index)
    )
    return PlannedFile(role, url, checksum=checksum, index=index, contigs=contigs)

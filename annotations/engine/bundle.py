"""A reference bundle: the versioned, checksummed folder that the engine annotates against.

    references/<name>/<version>/
      manifest.json                    what the bundle is: contigs, sources, fields, checksum of every file
      genome.fa.gz (+ .fai, .gzi)      BGZF, upper case
      genome.2b, genome.others.npy     the same bases at two bits each (`packed_genome.py`)
      genes/<contig>.gff3.gz (+ .tbi)  Ensembl-dialect gene models, sorted: what `bcftools csq` reads
      genes/<contig>.parquet           one row a transcript, sorted by start
      genes.tsv, genes.gff3.gz (+ .npy)  the same of all contigs, to find a few (`gene_blocks.py`)
      known/<source>/<contig>.parquet  one row a known ALT allele, sorted by position
      known/<source>/<contig>.tsv.gz (+ .blocks.npy)  the same, to find a few of them (`known_blocks.py`)
      intervals/<source>/<contig>.parquet  one row an interval (start, end: 1-based, inclusive), by start

`ReferenceBundle.open` reads the manifest alone, so that a small job starts quickly; `verify` reads
every byte.
"""

import hashlib
import json
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST_NAME = "manifest.json"
GENOME_NAME = "genome.fa.gz"
PACKED_GENOME_NAME, PACKED_OTHERS_NAME = "genome.2b", "genome.others.npy"
GENE_BLOCKS_NAMES = "genes.tsv", "genes.rows.npy", "genes.gff3.gz", "genes.blocks.npy"

_PLAIN_CHARACTERS = frozenset(string.ascii_letters + string.digits + "._-")


class BundleError(Exception):
    """A reference bundle, or a file to build one from, cannot be used. Says what is wrong and what to do."""


@dataclass(frozen=True)
class Contig:
    """One sequence of the genome.

    `length` in bases; `md5` of the upper-case sequence, as in SAM's `M5`; `genetic_code` is NCBI's
    number (1 standard, 2 vertebrate mitochondrial); `genes` says whether there are gene models on it.
    """

    name: str
    length: int
    md5: str
    genetic_code: int
    aliases: tuple[str, ...]
    genes: bool


@dataclass(frozen=True)
class KnownField:
    """A column that a known-variant source adds: the INFO field it becomes in the annotated VCF.

    `number` and `type` are the VCF header's. Number=A also stands for a source's Number=R: the allele's
    own value has been picked. Numbers other than 0, 1 and A are kept whole, as the text of the source.
    """

    id: str
    number: str
    type: str
    description: str


@dataclass(frozen=True)
class KnownSource:
    """Where known variants come from (dbsnp, clinvar, …). `gives_id`: its IDs go into the ID column."""

    name: str
    gives_id: bool
    fields: tuple[KnownField, ...]
    version: str | None


@dataclass(frozen=True)
class IntervalField:
    """A column of an interval source, and the INFO field `id` that it becomes: a list (Number=.)."""

    column: str
    id: str
    type: str
    description: str


@dataclass(frozen=True)
class IntervalSource:
    """What is known of stretches of the genome (cytobands, …): a variant gets all that overlap it."""

    name: str
    fields: tuple[IntervalField, ...]
    version: str | None


@dataclass(frozen=True)
class ReferenceBundle:
    """An opened bundle. `checksum` is the SHA-256 of the manifest, which holds that of every other file."""

    path: Path
    name: str
    version: str
    description: str
    contigs: tuple[Contig, ...]
    known_sources: tuple[KnownSource, ...]
    interval_sources: tuple[IntervalSource, ...]
    checksum: str
    _files: dict[str, dict[str, Any]] = field(repr=False, compare=False)
    _contig_by_name: dict[str, Contig] = field(repr=False, compare=False)

    @classmethod
    def open(cls, path: str | Path) -> "ReferenceBundle":
        """Read the manifest of the bundle in the folder `path`.

        Raises BundleError where there is no bundle, or one of another format.
        """
        path = Path(path)
        manifest, checksum = _read_manifest(path)
        try:
            contigs = tuple(_contig(entry) for entry in manifest["contigs"])
            return cls(
                path=path,
                name=manifest["name"],
                version=manifest["version"],
                description=manifest["description"],
                contigs=contigs,
                known_sources=tuple(_known_source(entry) for entry in manifest["known"]),
                interval_sources=tuple(_interval_source(entry) for entry in manifest.get("intervals", ())),
                checksum=checksum,
                _files=dict(manifest["files"]),
                _contig_by_name=_names_and_aliases(contigs),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"{path / MANIFEST_NAME} is damaged: expected the manifest of a reference bundle, and "
                f"{error!r} is missing or wrong in it. Build or fetch the bundle again."
            ) from error

    @property
    def genome(self) -> Path:
        """The genome, BGZF FASTA with .fai and .gzi beside it."""
        return self.path / GENOME_NAME

    @property
    def packed_genome(self) -> tuple[Path, Path] | None:
        """The packed bases and the runs of other letters; None where the bundle was built without."""
        packed, others = map(self._file, (PACKED_GENOME_NAME, PACKED_OTHERS_NAME))
        return (packed, others) if packed and others else None

    def contig(self, name: str) -> Contig | None:
        """The contig called `name`, or of which `name` is an alias (`chr21` for `21`, `chrM` for `MT`)."""
        return self._contig_by_name.get(name)

    def genes_gff(self, contig: Contig) -> Path | None:
        """The gene models of the contig as GFF3 for `bcftools csq`; None where it has no genes."""
        return self._file(genes_gff_name(contig.name))

    def transcripts(self, contig: Contig) -> Path | None:
        """The gene models of the contig as Parquet, one row a transcript; None where it has no genes."""
        return self._file(transcripts_name(contig.name))

    @property
    def gene_blocks(self) -> list[Path] | None:
        """GENE_BLOCKS_NAMES, the gene models of all contigs; None where the bundle was built without."""
        found = [path for name in GENE_BLOCKS_NAMES if (path := self._file(name))]
        return found if len(found) == len(GENE_BLOCKS_NAMES) else None

    def known(self, source: KnownSource | str, contig: Contig) -> Path | None:
        """The known alleles that the source has on the contig, as Parquet; None where it has none."""
        return self._file(known_name(source if isinstance(source, str) else source.name, contig.name))

    def known_blocks(self, source: KnownSource | str, contig: Contig) -> tuple[Path, Path] | None:
        """The same alleles in small blocks, and the index of these; None where there are none."""
        names = known_block_names(source if isinstance(source, str) else source.name, contig.name)
        path, index = map(self._file, names)
        return (path, index) if path and index else None

    def intervals(self, source: IntervalSource | str, contig: Contig) -> Path | None:
        """The intervals that the source has on the contig, as Parquet; None where it has none."""
        return self._file(intervals_name(source if isinstance(source, str) else source.name, contig.name))

    def verify(self) -> list[str]:
        """Read every file and compare it with the manifest: one sentence a problem, none when whole."""
        return list(self._problems())

    def _file(self, relative: str) -> Path | None:
        return self.path / relative if relative in self._files else None

    def _problems(self) -> Iterator[str]:
        for relative, expected in self._files.items():
            path = self.path / relative
            if not path.is_file():
                yield f"{relative} is missing"
            elif (size := path.stat().st_size) != expected["bytes"]:
                yield f"{relative} has {size:,} bytes, expected {expected['bytes']:,}"
            elif sha256_of(path) != expected["sha256"]:
                yield f"{relative} has changed: its SHA-256 is not the one in the manifest"
        present = {str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_file()}
        for relative in sorted(present - self._files.keys() - {MANIFEST_NAME}):
            yield f"{relative} is not part of the bundle"


def bundle_folders(references: Path) -> list[Path]:
    """The folders <name>/<version> of `references` that have a manifest, sorted.

    Those that a build is still writing are left out: their names start with a dot.
    """
    return sorted(manifest.parent for manifest in references.glob(f"[!.]*/[!.]*/{MANIFEST_NAME}"))


def file_name_of(contig_name: str) -> str:
    """The contig's name as a file name: all but ASCII letters, digits, dot, _ and - percent-encoded.

    >>> file_name_of("HLA-A*01:01")
    'HLA-A%2A01%3A01'
    """
    encoded = "".join(
        character
        if character in _PLAIN_CHARACTERS
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in contig_name
    )
    return encoded if encoded.strip(".") else encoded.replace(".", "%2E")


def genes_gff_name(contig_name: str) -> str:
    """Where the contig's GFF3 stands, relative to the bundle."""
    return f"genes/{file_name_of(contig_name)}.gff3.gz"


def transcripts_name(contig_name: str) -> str:
    """Where the contig's transcripts stand, relative to the bundle."""
    return f"genes/{file_name_of(contig_name)}.parquet"


def known_name(source: str, contig_name: str) -> str:
    """Where the source's known alleles on the contig stand, relative to the bundle."""
    return f"known/{source}/{file_name_of(contig_name)}.parquet"


def known_block_names(source: str, contig_name: str) -> tuple[str, str]:
    """Where these alleles stand in small blocks, and the index of the blocks, relative to the bundle."""
    stem = known_name(source, contig_name).removesuffix(".parquet")
    return f"{stem}.tsv.gz", f"{stem}.blocks.npy"


def intervals_name(source: str, contig_name: str) -> str:
    """Where the source's intervals on the contig stand, relative to the bundle."""
    return f"intervals/{source}/{file_name_of(contig_name)}.parquet"


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(path: Path) -> tuple[dict[str, Any], str]:
    manifest_path = path / MANIFEST_NAME
    try:
        content = manifest_path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{path} is not a reference bundle: {manifest_path.name} cannot be read in it "
            f"({error.strerror}). Name a folder <name>/<version> made by `manage.py reference build`."
        ) from error
    try:
        manifest = json.loads(content)
        found = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{manifest_path} is not the manifest of a reference bundle. Build or fetch the bundle again."
        ) from error
    if found != FORMAT:
        raise BundleError(
            f"{path} has bundle format {found}, and this version of the service reads format {FORMAT}. "
            "Build the bundle again with this version."
        )
    return manifest, hashlib.sha256(content).hexdigest()


def _contig(entry: dict[str, Any]) -> Contig:
    return Contig(
        name=entry["name"],
        length=int(entry["length"]),
        md5=entry["md5"],
        genetic_code=int(entry["genetic_code"]),
        aliases=tuple(entry["aliases"]),
        genes=bool(entry["genes"]),
    )


def _known_source(entry: dict[str, Any]) -> KnownSource:
    return KnownSource(
        name=entry["source"],
        gives_id=bool(entry["gives_id"]),
        fields=tuple(
            KnownField(id=one["id"], number=one["number"], type=one["type"], description=one["description"])
            for one in entry["fields"]
        ),
        version=entry.get("version"),
    )


def _interval_source(entry: dict[str, Any]) -> IntervalSource:
    return IntervalSource(
        name=entry["source"],
        fields=tuple(
            IntervalField(one["column"], one["id"], one["type"], one["description"])
            for one in entry["fields"]
        ),
        version=entry.get("version"),
    )


def _names_and_aliases(contigs: tuple[Contig, ...]) -> dict[str, Contig]:
    by_name = {alias: contig for contig in contigs for alias in contig.aliases}
    by_name.update((contig.name, contig) for contig in contigs)  # a name outranks another one's alias
    return by_name

"""GFF3 in, the bundle's gene models out: per contig a slice for `bcftools csq` and a table of transcripts.

A slice keeps the lines that csq reads, byte for byte but for the contig's name, sorted by start: a job
with a thousand variants then parses the genes of its own contigs alone.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pysam

from annotations.engine.building.contig_names import ContigNames
from annotations.engine.building.inputs import kind_of, open_input
from annotations.engine.building.site import BuildSite, some_of
from annotations.engine.building.transcripts import GeneModels, write_transcripts
from annotations.engine.bundle import BundleError, genes_gff_name, transcripts_name

SPOOL_BYTES = 64 << 20  # of lines held in memory before they go to the contigs' files
TBI_LONGEST_BASES = 1 << 29  # the format's limit; longer contigs get a .csi
_REGION_TYPES = frozenset({b"chromosome", b"scaffold", b"supercontig", b"contig", b"region"})


@dataclass(frozen=True)
class GenesSummary:
    """What was built: counts, and the contigs that have genes."""

    genes: int
    transcripts: int
    contigs: frozenset[str]


def write_genes(gff: Path, site: BuildSite) -> GenesSummary:
    """Write genes/<contig>.gff3.gz (+ index) and genes/<contig>.parquet for every contig with genes.

    The site's names learn the contigs' aliases from the GFF3. Memory is bounded by the contig with the
    most genes. Raises BundleError for a file that is no Ensembl-dialect GFF3, or one of another genome.
    """
    names = site.names
    spool = _Spool(site.scratch)
    lengths = _split_by_contig(gff, names, spool)
    by_contig: dict[str, list[Path]] = defaultdict(list)
    strangers = []
    for gff_name, path in spool.files().items():
        contig = names.resolve(gff_name)
        if contig is None:
            strangers.append(gff_name)
        else:
            by_contig[contig].append(path)
            names.learn([contig, gff_name])
    if strangers and not by_contig:
        raise BundleError(
            f"{gff}: none of its contigs ({some_of(strangers)}) is in the FASTA "
            f"({some_of(names.lengths)}). Take the FASTA and the GFF3 of the same assembly and release."
        )
    if strangers:
        site.report(f"genes: left out, on contigs that the FASTA does not have: {some_of(strangers)}")
    for contig, length in lengths.items():
        _check_length(gff, contig, length, names)

    genes, transcripts, with_genes = 0, 0, set()
    for contig, paths in by_contig.items():
        models = GeneModels.of([line for path in paths for line in path.read_bytes().splitlines()], gff)
        if not models.genes:
            continue
        _check_inside(gff, contig, models, names.lengths[contig])
        _write_slice(contig, models.lines, site.folder / genes_gff_name(contig), names.lengths[contig])
        write_transcripts(models, site.folder / transcripts_name(contig))
        genes += len(models.genes)
        transcripts += len(models.transcripts)
        with_genes.add(contig)
    if not genes:
        raise BundleError(
            f"{gff} has no gene lines of Ensembl's dialect (ID=gene:…, ID=transcript:…). Take the GFF3 from "
            "Ensembl (for GENCODE or RefSeq files, Ensembl has one of the same assembly)."
        )
    site.report(f"genes: {genes:,} genes, {transcripts:,} transcripts on {len(with_genes)} contigs")
    return GenesSummary(genes, transcripts, frozenset(with_genes))


class _Spool:
    """Lines by contig, in files: a GFF3 need not be grouped by contig, and may be larger than memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: dict[str, list[bytes]] = defaultdict(list)
        self._files: dict[str, Path] = {}
        self._held_bytes = 0

    def add(self, contig: str, line: bytes) -> None:
        self._lines[contig].append(line)
        self._held_bytes += len(line)
        if self._held_bytes > SPOOL_BYTES:
            self._flush()

    def files(self) -> dict[str, Path]:
        self._flush()
        return self._files

    def _flush(self) -> None:
        for contig, lines in self._lines.items():
            path = self._files.setdefault(contig, self._folder / f"genes-{len(self._files)}.gff3")
            with path.open("ab") as file:
                file.writelines(line + b"\n" for line in lines)
        self._lines.clear()
        self._held_bytes = 0


def _split_by_contig(gff: Path, names: ContigNames, spool: _Spool) -> dict[str, int]:
    """Spool the lines that csq reads; return the contigs' lengths in bases where the file states them."""
    lengths: dict[str, int] = {}
    with open_input(gff) as file:
        for number, line in _numbered_lines(file):
            if number == 1 and line.startswith(b"##fileformat=VCF"):
                raise _not_gff(gff, number, line)
            if line.startswith(b"#"):
                _note_sequence_region(line, lengths)
                continue
            columns = line.split(b"\t", 8)
            if len(columns) != 9:
                raise _not_gff(gff, number, line)
            attributes = columns[8]
            contig = columns[0].decode("utf-8", "replace")
            if columns[2] in _REGION_TYPES and b"Parent=" not in attributes:
                _note_region(contig, columns, names, lengths)
            elif columns[2] == b"biological_region":
                continue
            elif b"Parent=" in attributes or b"ID=gene:" in attributes:
                spool.add(contig, line)
            elif b'gene_id "' in attributes:
                raise BundleError(
                    f"{gff}, line {number}: this is a GTF. Expected GFF3, with attributes such as "
                    "ID=gene:ENSG00000142192. Take the .gff3.gz file of the same release from Ensembl."
                )
    return lengths


def _numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        if line.startswith(b"##FASTA"):
            return  # GFF3 may carry its genome at the end
        if line := line.rstrip(b"\r\n"):
            yield number, line


def _not_gff(gff: Path, number: int, line: bytes) -> BundleError:
    if number == 1:
        return BundleError(f"{gff} is {kind_of(line)}. Expected a GFF3 with nine columns, tab between them.")
    found = line.count(b"\t") + 1
    return BundleError(
        f"{gff}, line {number}: expected nine columns with tabs between them, found {found}. "
        "Expected a GFF3; download it again if it should be one."
    )


def _note_region(contig: str, columns: list[bytes], names: ContigNames, lengths: dict[str, int]) -> None:
    """A contig's own line: its end in column 5, other names in its attributes (`Alias=chr21,NC_000021.9`)."""
    for attribute in columns[8].split(b";"):
        if attribute.startswith(b"Alias="):
            names.learn([contig, *attribute[6:].decode("utf-8", "replace").split(",")])
    if columns[3] == b"1" and columns[4].isdigit():
        lengths[contig] = int(columns[4])


def _note_sequence_region(line: bytes, lengths: dict[str, int]) -> None:
    words = line.decode("utf-8", "replace").split()
    if words[0] == "##sequence-region" and len(words) == 4 and words[2] == "1" and words[3].isdigit():
        lengths[words[1]] = int(words[3])


def _check_length(gff: Path, gff_name: str, length: int, names: ContigNames) -> None:
    contig = names.resolve(gff_name)
    if contig is not None and names.lengths[contig] != length:
        raise BundleError(
            f"{gff} looks like another build: it says that {gff_name} has {length:,} bases, and in the FASTA "
            f"it has {names.lengths[contig]:,}. Take the FASTA and the GFF3 of the same assembly."
        )


def _check_inside(gff: Path, contig: str, models: GeneModels, length: int) -> None:
    for transcript in models.transcripts:
        if transcript.exons and transcript.exons[-1][0] > length:
            raise BundleError(
                f"{gff} looks like another build: transcript {transcript.transcript} has an exon at "
                f"{contig}:{transcript.exons[-1][0]:,}, past the end of the contig ({length:,} bases). "
                "Take the FASTA and the GFF3 of the same assembly."
            )


def _write_slice(contig: str, lines: list[bytes], target: Path, length: int) -> None:
    target.parent.mkdir(exist_ok=True)
    name = contig.encode()
    with pysam.BGZFile(str(target), "wb", None) as out:
        out.write(b"##gff-version 3\n")
        for line in lines:
            out.write(name + line[line.index(b"\t") :] + b"\n")
    pysam.tabix_index(str(target), preset="gff", csi=length > TBI_LONGEST_BASES)

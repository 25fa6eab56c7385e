"""Gene models of one contig, read from Ensembl-dialect GFF3 lines, and their table."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import unquote

import polars as pl

from annotations.engine.bundle import BundleError

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "transcript_id": pl.String,  # with its version, where the GFF3 has one
    "transcript": pl.String,  # as in ID=transcript:…, which is what csq prints
    "gene_id": pl.String,
    "symbol": pl.String,  # empty where the gene has no name
    "biotype": pl.String,
    "strand": pl.Int8,  # 1 or -1
    "start": pl.Int32,  # positions are 1-based and inclusive
    "end": pl.Int32,
    "exon_starts": pl.List(pl.Int32),  # in genomic order
    "exon_ends": pl.List(pl.Int32),
    "cds_start": pl.Int32,
    "cds_end": pl.Int32,
    # GFF3's phase of the first CDS line in transcript order: bases before the first whole codon
    "cds_phase": pl.Int8,
    "protein_id": pl.String,
    "canonical": pl.Boolean,
    "mane_select": pl.String,
}
_STRANDS = {b"+": 1, b"-": -1}
_PHASES = {b"0": 0, b"1": 1, b"2": 2}
_REFSEQ_TRANSCRIPT = re.compile(r"\b[NX][MR]_\d+\.\d+")


@dataclass
class Transcript:
    """One transcript. Spans are (start, end), 1-based and inclusive, in genomic order."""

    transcript: str
    gene: str
    attributes: Mapping[str, str]
    type: str
    strand: int
    start: int
    end: int
    exons: list[tuple[int, int]] = field(default_factory=list)
    cds: list[tuple[int, int]] = field(default_factory=list)
    cds_phases: list[int | None] = field(default_factory=list)  # one for each span of `cds`
    protein_id: str | None = None

    @property
    def first_phase(self) -> int | None:
        """The phase where translation starts; None where nothing is coding, or the file does not tell."""
        if not self.cds:
            return None
        first = min(self.cds) if self.strand > 0 else max(self.cds)
        return self.cds_phases[self.cds.index(first)]

    def take_part(self, line: "_Line") -> None:
        """Take an exon, or a stretch of coding sequence."""
        if line.type == "exon":
            self.exons.append((line.start, line.end))
        elif line.type == "CDS":
            self.cds.append((line.start, line.end))
            self.cds_phases.append(line.phase)
            self.protein_id = self.protein_id or _versioned(line.attributes, "protein_id")


@dataclass(frozen=True)
class GeneModels:
    """The genes (attributes by ID) and transcripts of a contig, and the lines they stand in, all by start."""

    genes: Mapping[str, Mapping[str, str]]
    transcripts: tuple[Transcript, ...]
    lines: list[bytes]

    @classmethod
    def of(cls, lines: Iterable[bytes], gff: Path) -> Self:
        """Read GFF3 lines of one contig, in any order. `gff` is the file to name in a BundleError."""
        by_start = sorted(lines, key=lambda line: _start(line, gff))
        genes: dict[str, Mapping[str, str]] = {}
        transcripts: dict[str, Transcript] = {}
        for line in map(_Line.of, by_start):
            identity = line.attributes.get("ID", "")
            if identity.startswith("gene:"):
                genes[identity.removeprefix("gene:")] = line.attributes
            elif identity.startswith("transcript:"):
                transcript = line.as_transcript(gff)
                transcripts[transcript.transcript] = transcript
        # Parsed a second time, because a chromosome's parsed lines would take ten times their text's memory.
        for line in map(_Line.of, by_start):
            for parent in line.attributes.get("Parent", "").split(","):
                if owner := transcripts.get(parent.removeprefix("transcript:")):
                    owner.take_part(line)
        for transcript in transcripts.values():
            if transcript.gene not in genes:
                raise BundleError(
                    f"{gff}: transcript {transcript.transcript} belongs to gene {transcript.gene!r}, which "
                    f"has no line (ID=gene:{transcript.gene}). The file may be cut off or filtered: download "
                    "it again."
                )
            # bacterial files state the CDS alone, and some the transcript alone
            transcript.exons = (
                transcript.exons or transcript.cds.copy() or [(transcript.start, transcript.end)]
            )
        ordered = sorted(transcripts.values(), key=lambda one: (one.start, one.end, one.transcript))
        return cls(genes, tuple(ordered), by_start)


def write_transcripts(models: GeneModels, target: Path) -> None:
    """Write the table of transcripts, one row each, sorted by start (columns: SCHEMA)."""
    rows = [_row(transcript, models.genes[transcript.gene]) for transcript in models.transcripts]
    # lz4, for a small input spends most of its time on unpacking the gene models of all contigs
    pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(target, compression="lz4", statistics=True)


def _start(line: bytes, gff: Path) -> int:
    start, end = line.split(b"\t", 5)[3:5]
    try:
        return min(int(start), int(end))
    except ValueError as error:
        raise BundleError(
            f"{gff}: expected whole numbers for start and end (columns 4 and 5) in the line "
            f"{line[:120].decode('utf-8', 'replace')!r}. Download the file again."
        ) from error


@dataclass(frozen=True)
class _Line:
    type: str
    start: int
    end: int
    strand: int | None
    phase: int | None
    attributes: Mapping[str, str]

    @classmethod
    def of(cls, text: bytes) -> Self:
        columns = text.split(b"\t")
        attributes = (part.partition("=") for part in columns[8].decode("utf-8", "replace").split(";"))
        return cls(
            type=columns[2].decode("utf-8", "replace"),
            start=int(columns[3]),
            end=int(columns[4]),
            strand=_STRANDS.get(columns[6]),
            phase=_PHASES.get(columns[7]),
            attributes={name: unquote(value) for name, _, value in attributes if name},
        )

    def as_transcript(self, gff: Path) -> Transcript:
        name = self.attributes["ID"].removeprefix("transcript:")
        if self.strand is None:
            raise BundleError(f"{gff}: transcript {name} has no strand. Expected + or - in column 7.")
        if not self.attributes.get("Parent", "").startswith("gene:"):
            raise BundleError(
                f"{gff}: transcript {name} names no gene. Expected Parent=gene:… in its attributes, as in "
                "Ensembl's GFF3."
            )
        return Transcript(
            transcript=name,
            gene=self.attributes["Parent"].removeprefix("gene:"),
            attributes=self.attributes,
            type=self.type,
            strand=self.strand,
            start=self.start,
            end=self.end,
        )


def _row(one: Transcript, gene: Mapping[str, str]) -> tuple[object, ...]:
    tags = one.attributes.get("tag", "").split(",")
    versioned = _versioned({"transcript_id": one.transcript, **one.attributes}, "transcript_id")
    biotype = one.attributes.get("biotype") or one.attributes.get("gene_biotype") or gene.get("biotype")
    return (
        versioned,
        one.transcript,
        one.gene,
        gene.get("Name", ""),
        biotype or one.type,
        one.strand,
        one.start,
        one.end,
        [start for start, _ in one.exons],
        [end for _, end in one.exons],
        one.cds[0][0] if one.cds else None,
        max(end for _, end in one.cds) if one.cds else None,
        one.first_phase,
        one.protein_id,
        "Ensembl_canonical" in tags,
        _mane_select(one.attributes, versioned) if "MANE_Select" in tags else None,
    )


def _versioned(attributes: Mapping[str, str], key: str) -> str | None:
    name, version = attributes.get(key), attributes.get("version")
    if name is None or version is None or name.endswith(f".{version}"):
        return name
    return f"{name}.{version}"


def _mane_select(attributes: Mapping[str, str], transcript_id: str | None) -> str | None:
    """The RefSeq transcript where an attribute names it; Ensembl's tag alone says only that there is one."""
    refseq = (_REFSEQ_TRANSCRIPT.search(value) for value in attributes.values())
    return next((match.group() for match in refseq if match), transcript_id)

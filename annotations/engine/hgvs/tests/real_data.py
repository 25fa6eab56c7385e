"""Transcripts and sequence of the real data, read without any of the code under test."""

import gzip
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pysam
import pytest

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
CHR21_GENES = DATA / "grch38_chr21" / "Ensembl.GRCh38.chr21.gff3.gz"
CHR21_FASTA = DATA / "grch38_chr21" / "GRCh38.chr21.slice_masked.fa.gz"
MT_GENES = DATA / "mt" / "MT.gff3"
MT_FASTA = DATA / "mt" / "MT.fa"


@dataclass(frozen=True)
class Reference:
    """A contig's sequence and genes."""

    contig: str
    fasta: Path
    genes: Path
    genetic_code: int = 1


CHR21 = Reference("21", CHR21_FASTA, CHR21_GENES)
MITOCHONDRION = Reference("MT", MT_FASTA, MT_GENES, genetic_code=2)

needs_real_data = pytest.mark.skipif(not CHR21_GENES.exists(), reason=f"real data is not at {DATA}")


class Fasta:
    """A FASTA file behind the call that HgvsDescriber takes."""

    def __init__(self, path: Path) -> None:
        self._file = pysam.FastaFile(str(path))

    def __call__(self, contig: str, start: int, end: int) -> str:
        return str(self._file.fetch(contig, start, end))


def transcripts_of(gff: Path) -> pl.DataFrame:
    """All transcripts with exons, in the columns of a reference bundle plus cds_phase."""
    exons: dict[str, list[tuple[int, int]]] = defaultdict(list)
    coding: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    proteins: dict[str, str] = {}
    names: dict[str, str] = {}
    strands: dict[str, int] = {}
    for line in _text(gff).splitlines():
        if line.startswith("#"):
            continue
        _, _, kind, start, end, _, strand, phase, attribute_text = line.split("\t")
        attributes = dict(pair.split("=", 1) for pair in attribute_text.split(";"))
        parent = attributes.get("Parent", "").removeprefix("transcript:")
        if attributes.get("ID", "").startswith("transcript:"):
            version = attributes.get("version")
            name = attributes["transcript_id"]
            names[name] = name + (f".{version}" if version else "")
            strands[name] = 1 if strand == "+" else -1
        elif kind == "exon":
            exons[parent].append((int(start), int(end)))
        elif kind == "CDS":
            coding[parent].append((int(start), int(end), int(phase)))
            proteins[parent] = attributes.get("protein_id", attributes["ID"].removeprefix("CDS:"))
    return pl.DataFrame(
        [
            {
                "transcript_id": versioned,
                "transcript": name,
                "strand": strands[name],
                "exon_starts": [start for start, _ in sorted(exons[name])],
                "exon_ends": [end for _, end in sorted(exons[name])],
                "cds_start": min((start for start, _, _ in coding[name]), default=None),
                "cds_end": max((end for _, end, _ in coding[name]), default=None),
                "cds_phase": _first_phase(coding[name], strands[name]),
                "protein_id": proteins.get(name),
            }
            for name, versioned in names.items()
            if name in exons
        ],
        schema_overrides={"cds_start": pl.Int32, "cds_end": pl.Int32, "cds_phase": pl.Int8},
        infer_schema_length=None,
    )


def _text(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def _first_phase(coding: list[tuple[int, int, int]], strand: int) -> int | None:
    if not coding:
        return None
    return min(coding)[2] if strand > 0 else max(coding)[2]

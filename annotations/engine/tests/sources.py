"""The smallest files that a bundle can be built from."""

import random
from collections.abc import Iterable
from pathlib import Path

from annotations.engine.building import BundleRecipe, KnownInput, build_bundle
from annotations.engine.bundle import ReferenceBundle

CONTIG = "1"
BASES = "".join(random.Random(1).choices("ACGT", k=2000))  # noqa: S311 - the same in every run
GENE = f"{CONTIG}\tx\tgene\t101\t400\t.\t+\t.\tID=gene:G1;Name=FIRST;biotype=protein_coding;version=4"
TRANSCRIPT = (
    f"{CONTIG}\tx\tmRNA\t101\t400\t.\t+\t.\tID=transcript:T1;Parent=gene:G1;biotype=protein_coding;version=2"
)
EXONS = (
    f"{CONTIG}\tx\texon\t101\t200\t.\t+\t.\tParent=transcript:T1",
    f"{CONTIG}\tx\texon\t301\t400\t.\t+\t.\tParent=transcript:T1",
)
CDS = (
    f"{CONTIG}\tx\tCDS\t151\t200\t.\t+\t0\tID=CDS:P1;Parent=transcript:T1;protein_id=P1;version=3",
    f"{CONTIG}\tx\tCDS\t301\t350\t.\t+\t1\tID=CDS:P1;Parent=transcript:T1;protein_id=P1;version=3",
)
GFF_LINES = (GENE, TRANSCRIPT, *EXONS, *CDS)
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"


def base(pos: int) -> str:
    """The genome's base at a 1-based position."""
    return BASES[pos - 1]


def other_bases(pos: int) -> list[str]:
    return [one for one in "ACGT" if one != base(pos)]


def fasta_text(name: str = CONTIG, bases: str = BASES) -> str:
    return f">{name} some words\n" + "".join(bases[at : at + 70] + "\n" for at in range(0, len(bases), 70))


def gff_text(lines: Iterable[str] = GFF_LINES) -> str:
    return "".join(f"{line}\n" for line in ("##gff-version 3", *lines))


def vcf_text(records: Iterable[tuple[object, ...]], info: Iterable[str] = ()) -> str:
    declared = (f'##INFO=<{one},Description="what it says">' for one in info)
    rows = ("\t".join(str(column) for column in record) for record in records)
    return "".join(f"{line}\n" for line in ("##fileformat=VCFv4.2", *declared, COLUMNS, *rows))


class Sources:
    """Source files in a folder; every one can be replaced before `build`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.references = folder / "references"
        self.fasta = self.write("genome.fa", fasta_text())
        self.gff = self.write("genes.gff3", gff_text())
        self.known: list[KnownInput] = []

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def add_known(self, content: str, source: str = "known", fields: tuple[str, ...] | None = None) -> None:
        self.known.append(KnownInput(source, self.write(f"{source}.vcf", content), fields))

    def recipe(self, name: str = "tiny") -> BundleRecipe:
        return BundleRecipe(name, "1", self.fasta, self.gff, tuple(self.known))

    def build(self) -> ReferenceBundle:
        return build_bundle(self.recipe(), self.references)

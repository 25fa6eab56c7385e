"""Made-up data of human density for benchmarks: genome, gene models, known variants, one person's variants.

Everything comes from one seed, so that a run can be repeated. Genes have transcripts of up to twelve exons;
variants are 85 % single bases, the rest short insertions and deletions; half of them are known.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SEED = 20_260_101
KNOWN_SHARE = 0.5
_BASES = np.frombuffer(b"ACGT", np.uint8)


@dataclass(frozen=True)
class Shape:
    """How large the genome is, how densely genes lie on it, and exons in genes."""

    contigs: dict[str, int]
    gene_every_bases: int
    exon_every_bases: int
    transcripts: int  # of each gene


# As dense as the human genome, and a fiftieth of it.
SMALL = Shape({"1": 20_000_000, "2": 16_000_000, "3": 16_000_000, "4": 12_000_000}, 50_000, 200, 4)
# As many genes and lines of GFF3 (3.4 million) as Ensembl has for human, closer together, for a genome of
# three billion made-up bases would take longer to make than all else.
MANY_GENES = Shape({str(number): 25_000_000 for number in range(1, 25)}, 9_000, 60, 5)


@dataclass(frozen=True)
class Files:
    fasta: Path
    gff: Path
    known: Path
    folder: Path


def make_reference(
    folder: Path, known_records: int, shape: Shape = SMALL
) -> tuple[Files, dict[str, np.ndarray]]:
    """Write FASTA, GFF3 and known variants; returns their places and the bases by contig."""
    random = np.random.default_rng(SEED)
    genome = {name: random.choice(_BASES, length) for name, length in shape.contigs.items()}
    files = Files(folder / "genome.fa", folder / "genes.gff3.gz", folder / "known.vcf", folder)
    with files.fasta.open("wb") as out:
        for name, bases in genome.items():
            out.write(f">{name}\n".encode())
            text = bases.tobytes()
            out.writelines(text[at : at + 100] + b"\n" for at in range(0, len(text), 100))
    with gzip.open(files.gff, "wt", compresslevel=1) as gff:
        gff.write("##gff-version 3\n")
        for name, length in shape.contigs.items():
            gff.writelines(_genes(name, length, shape, random))
    with files.known.open("w") as known:
        known.write("##fileformat=VCFv4.2\n")
        known.writelines(f"##contig=<ID={name},length={len(bases)}>\n" for name, bases in genome.items())
        known.write('##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency of the allele">\n')
        known.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        # another stream of chance than the samples', but the same alleles at the same positions
        for number, (contig, pos, ref, alt) in enumerate(_variants(genome, known_records, SEED + 1)):
            known.write(f"{contig}\t{pos}\trs{number + 1}\t{ref}\t{alt}\t.\t.\tAF={(number % 997) / 1000}\n")
    return files, genome


def write_variants(path: Path, genome: dict[str, np.ndarray], count: int, known: Path) -> None:
    """One person's variants: half of them out of `known`, half new."""
    stride = max(1, int(_count_records(known) / (count * KNOWN_SHARE)))
    chosen: list[tuple[int, int, str, str, str]] = []
    order = {name: number for number, name in enumerate(genome)}
    with known.open() as lines:
        records = (line.split("\t", 5) for line in lines if not line.startswith("#"))
        for number, (contig, place, _, ref, alt, _) in enumerate(records):
            if number % stride == 0:
                chosen.append((order[contig], int(place), contig, ref, alt))
    fresh = count - len(chosen)
    chosen += [
        (order[contig], pos, contig, ref, alt) for contig, pos, ref, alt in _variants(genome, fresh, SEED + 2)
    ]
    chosen.sort()
    with path.open("w") as out:
        out.write("##fileformat=VCFv4.2\n")
        out.writelines(f"##contig=<ID={name},length={len(bases)}>\n" for name, bases in genome.items())
        out.write('##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">\n')
        out.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        out.write('##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">\n')
        out.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA00001\n")
        genotypes = ("0|1", "1|1", "1|0")
        for number, (_, pos, contig, ref, alt) in enumerate(chosen):
            depth = 20 + number % 31
            genotype = genotypes[number % 3]
            out.write(f"{contig}\t{pos}\t.\t{ref}\t{alt}\t50\tPASS\tDP={depth}\tGT:DP\t{genotype}:{depth}\n")


def _count_records(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for line in lines if not line.startswith(b"#"))


def _genes(contig: str, length: int, shape: Shape, random: np.random.Generator) -> Iterator[str]:
    for number, place in enumerate(range(10_000, length - shape.gene_every_bases, shape.gene_every_bases)):
        strand = "+-"[number % 2]
        gene = f"G{contig}x{number}"
        exon_count = int(random.integers(2, 13))
        starts = place + np.sort(random.choice(140, exon_count, replace=False)) * shape.exon_every_bases
        lengths = random.integers(
            shape.exon_every_bases * 2 // 5, shape.exon_every_bases * 9 // 10, exon_count
        )
        first, last = int(starts[0]), int(starts[-1] + lengths[-1])
        kind = "protein_coding" if number % 3 else "lncRNA"
        yield _line(contig, "gene", first, last, strand, ".", f"ID=gene:{gene};Name={gene};biotype={kind}")
        for transcript in range(shape.transcripts):
            kept = slice(0, max(2, exon_count - transcript))
            yield from _transcript(
                contig, strand, gene, transcript, kind, list(zip(starts[kept], lengths[kept], strict=True))
            )


def _transcript(  # noqa: PLR0913, PLR0917 - the columns of a GFF3
    contig: str, strand: str, gene: str, number: int, kind: str, exons: list[tuple[int, int]]
) -> Iterator[str]:
    name = f"T{gene}x{number}"
    spans = [(int(start), int(start + length - 1)) for start, length in exons]
    feature = "mRNA" if kind == "protein_coding" else "lnc_RNA"
    attributes = f"ID=transcript:{name};Parent=gene:{gene};biotype={kind};tag=basic"
    yield _line(contig, feature, spans[0][0], spans[-1][1], strand, ".", attributes)
    for start, end in spans:
        yield _line(contig, "exon", start, end, strand, ".", f"Parent=transcript:{name}")
    if kind != "protein_coding":
        return
    spans[0] = (spans[0][0] + 20, spans[0][1])  # untranslated at both ends
    spans[-1] = (spans[-1][0], spans[-1][1] - 20)
    done = 0
    coding: list[str] = []
    for start, end in spans if strand == "+" else spans[::-1]:
        attributes = f"ID=CDS:P{name};Parent=transcript:{name};protein_id=P{name}"
        coding.append(_line(contig, "CDS", start, end, strand, str(-done % 3), attributes))
        done += end - start + 1
    yield from coding if strand == "+" else coding[::-1]


def _line(  # noqa: PLR0913, PLR0917 - the columns of a GFF3
    contig: str, feature: str, start: int, end: int, strand: str, phase: str, attributes: str
) -> str:
    return f"{contig}\tmade\t{feature}\t{start}\t{end}\t.\t{strand}\t{phase}\t{attributes}\n"


def _variants(genome: dict[str, np.ndarray], count: int, seed: int) -> Iterator[tuple[str, int, str, str]]:
    random = np.random.default_rng(seed)
    total = sum(map(len, genome.values()))
    for contig, bases in genome.items():
        wanted = int(count * len(bases) / total)
        positions = np.sort(random.choice(len(bases) - 100, wanted, replace=False, shuffle=False) + 50)
        turns = random.integers(1, 4, wanted)
        kinds = random.random(wanted)
        lengths = random.integers(1, 9, wanted)
        text = bases.tobytes().decode()
        for place, turn, kind, length in zip(
            positions.tolist(), turns.tolist(), kinds.tolist(), lengths.tolist(), strict=True
        ):
            base = text[place]
            if kind < 0.85:
                yield contig, place + 1, base, "ACGT"[("ACGT".index(base) + turn) % 4]
            elif kind < 0.93:
                yield contig, place + 1, text[place : place + length + 1], base
            else:
                yield contig, place + 1, base, base + "ACGTTGCA"[:length]

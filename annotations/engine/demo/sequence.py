"""The demo's DNA: random bases, into which each gene's splice sites and reading frame are written."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from annotations.engine.demo.gene_models import CONTIG_LENGTHS, GENES, MITOCHONDRION, Gene, Shape

BASES = "ACGT"
# The stops of the standard code and of the vertebrate mitochondrion (NCBI's tables 1 and 2).
STOPS = frozenset({"TAA", "TAG", "TGA"})
MITOCHONDRIAL_STOPS = frozenset({"TAA", "TAG", "AGA", "AGG"})
_STOP = "TAA"  # in both codes
_TRYPTOPHAN_SHARE = 0.04  # of the mitochondrion's codons are TGA, which the standard code would stop at
_COMPLEMENT = str.maketrans(BASES, BASES[::-1])

Choice = TypeVar("Choice")
Genome = dict[str, list[str]]


def pick(random: Random, choices: Sequence[Choice]) -> Choice:
    """One of the choices. Only Random.random() promises the same numbers on every version of Python."""
    return choices[int(random.random() * len(choices))]


def complement(bases: str) -> str:
    return bases.translate(_COMPLEMENT)


def stops_of(contig: str) -> frozenset[str]:
    return MITOCHONDRIAL_STOPS if contig == MITOCHONDRION else STOPS


def make_genome(random: Random) -> Genome:
    """Bases by contig; the base at 1-based position p stands at index p - 1."""
    genome = {
        contig: [pick(random, BASES) for _ in range(length)] for contig, length in CONTIG_LENGTHS.items()
    }
    for gene in GENES:
        for shape in gene.shapes:
            for start, end in shape.introns:
                _write(genome, gene, range(start, start + 2), "GT")
                _write(genome, gene, range(end - 2, end), "AG")
    for gene in GENES:  # after all splice sites: a reading frame must stay whole
        if gene.shapes[0].codons:
            _write(genome, gene, gene.shapes[0].cds, _reading_frame(random, gene, gene.shapes[0]))
    return genome


def read(genome: Genome, gene: Gene, offsets: Sequence[int]) -> str:
    """The bases at these offsets, as the gene's strand reads them."""
    bases = "".join(genome[gene.contig][gene.position(offset) - 1] for offset in offsets)
    return bases if gene.strand > 0 else complement(bases)


def _write(genome: Genome, gene: Gene, offsets: Sequence[int], bases: str) -> None:
    for offset, base in zip(offsets, bases, strict=True):
        genome[gene.contig][gene.position(offset) - 1] = base if gene.strand > 0 else complement(base)


def _reading_frame(random: Random, gene: Gene, shape: Shape) -> str:
    codons = [_codon(random, gene.contig) for _ in range(shape.codons)]
    if not shape.leading:
        codons[0] = "ATG"
    if shape.has_stop:
        codons[-1] = _STOP
    leading = "".join(pick(random, BASES) for _ in range(shape.leading))
    trailing = "".join(pick(random, BASES) for _ in range(shape.trailing))
    return leading + "".join(codons) + trailing


def _codon(random: Random, contig: str) -> str:
    if contig == MITOCHONDRION and random.random() < _TRYPTOPHAN_SHARE:
        return "TGA"
    while (codon := "".join(pick(random, BASES) for _ in range(3))) in stops_of(contig):
        pass
    return codon

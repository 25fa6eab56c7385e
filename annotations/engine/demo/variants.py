"""The demo's variants: for every gene each kind of change that it can have, and a stretch between genes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from annotations.engine.demo.gene_models import CONTIG_LENGTHS, GENES, Gene, Shape
from annotations.engine.demo.sequence import BASES, Genome, complement, pick, read, stops_of

INTERGENIC = ("1", 84_001, 99_000)  # over 5,000 bases from every gene
INTERGENIC_VARIANTS = 40
NEAR_GENE_BASES = 800
READING_FRAME_AIMS = (
    "missense",
    "synonymous",
    "stop_gained",
    "frameshift_deletion",
    "missense",
    "inframe_deletion",
    "synonymous",
    "frameshift_insertion",
    "missense",
    "inframe_insertion",
    "substitution",
    "missense",
)
TRANSITIONS = {"A": "G", "G": "A", "C": "T", "T": "C"}


@dataclass(frozen=True)
class Variant:
    """`pos` is 1-based; `aim` says what it was placed for ("stop_gained", "intron", …)."""

    contig: str
    pos: int
    ref: str
    alts: tuple[str, ...]
    aim: str


def make_variants(genome: Genome, random: Random) -> list[Variant]:
    """Variants by contig and position, none overlapping another."""
    taken: set[tuple[str, int]] = set()
    kept = []
    for variant in (*_of_genes(genome, random), *_between_genes(genome, random)):
        touched = {(variant.contig, variant.pos + offset) for offset in range(-1, len(variant.ref) + 1)}
        if taken.isdisjoint(touched):
            taken |= touched
            kept.append(variant)
    order = list(CONTIG_LENGTHS)
    kept.sort(key=lambda variant: (order.index(variant.contig), variant.pos))
    return [_with_second_allele(variant, number) for number, variant in enumerate(kept)]


def _of_genes(genome: Genome, random: Random) -> Iterator[Variant]:
    for gene in GENES:
        main = gene.shapes[0]
        change = _Changes(genome, random, gene)
        if main.codons:
            yield from _of_reading_frame(change, main)
        yield from _of_splice_sites(change, main)
        for start, end in main.exons:
            yield from (change.substitution(offset, "exon") for offset in change.some(start, end, 2))
        for start, end in main.introns:
            yield from (
                change.substitution(offset, "intron") for offset in change.some(start + 20, end - 30, 1)
            )
        length = gene.end - gene.start + 1
        for aim, offset in (("upstream", -NEAR_GENE_BASES), ("downstream", length + NEAR_GENE_BASES)):
            if 0 < gene.position(offset) <= CONTIG_LENGTHS[gene.contig]:
                yield change.substitution(offset, aim)


def _of_reading_frame(change: "_Changes", main: Shape) -> Iterator[Variant]:
    whole = main.cds[main.leading : main.leading + 3 * main.codons]
    codons = [whole[index : index + 3] for index in range(0, len(whole), 3)]
    if not main.leading:
        yield change.codon(codons[0][2:], "A", "start_lost")  # ATG to ATA
        yield change.in_codon(codons[1], "missense")
    if main.has_stop:
        # TAA to CAA, or to TAG: one end of the protein cannot be lost and kept in one record.
        if change.gene.strand > 0:
            yield change.codon(codons[-1][:1], "C", "stop_lost")
        else:
            yield change.codon(codons[-1][2:], "G", "stop_retained")
    inner = codons[3:-3]
    step = len(inner) // len(READING_FRAME_AIMS)
    for number, aim in enumerate(READING_FRAME_AIMS):
        near = inner[number * step : (number + 1) * step]
        unbroken = [codon for codon in near if codon[2] - codon[0] == 2]  # by an intron
        yield change.in_codon(change.pick(unbroken), aim)


def _of_splice_sites(change: "_Changes", main: Shape) -> Iterator[Variant]:
    for number, (start, end) in enumerate(main.introns):
        yield change.substitution(start if number % 2 else start + 1, "splice_donor")
        yield change.substitution(end - 1 if number % 2 else end - 2, "splice_acceptor")
        yield change.substitution(start + 4, "splice_region")
        yield change.deletion(end - 12, 3, "intron")


def _between_genes(genome: Genome, random: Random) -> Iterator[Variant]:
    contig, first, last = INTERGENIC
    distance = (last - first) // INTERGENIC_VARIANTS
    for number in range(INTERGENIC_VARIANTS):
        pos = first + number * distance
        base = genome[contig][pos - 1]
        if number % 5 == 0:
            inserted = "".join(pick(random, BASES) for _ in range(1 + number % 4))
            yield Variant(contig, pos, base, (base + inserted,), "intergenic")
        else:
            yield Variant(contig, pos, base, (TRANSITIONS[base],), "intergenic")


def _with_second_allele(variant: Variant, number: int) -> Variant:
    """Every ninth substitution gets a second allele, every fifth insertion a longer one."""
    (alt,) = variant.alts
    if len(variant.ref) == len(alt) == 1 and number % 9 == 0:
        other = next(base for base in BASES if base not in {variant.ref, alt})
        return Variant(variant.contig, variant.pos, variant.ref, (alt, other), variant.aim)
    if len(alt) > len(variant.ref) == 1 and number % 5 == 0:
        return Variant(variant.contig, variant.pos, variant.ref, (alt, alt + alt[1:]), variant.aim)
    return variant


@dataclass(frozen=True)
class _Changes:
    """Changes to one gene, stated in its own direction."""

    genome: Genome
    random: Random
    gene: Gene

    def pick(self, codons: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        return pick(self.random, codons)

    def some(self, start: int, end: int, count: int) -> list[int]:
        return [start + int(self.random.random() * (end - start)) for _ in range(count)]

    def substitution(self, offset: int, aim: str) -> Variant:
        return self.codon((offset,), TRANSITIONS[read(self.genome, self.gene, (offset,))], aim)

    def codon(self, offsets: Sequence[int], bases: str, aim: str) -> Variant:
        """Replace the bases at neighbouring offsets by as many others."""
        pos = min(self.gene.position(offset) for offset in offsets)
        return Variant(self.gene.contig, pos, self._plus(pos, len(offsets)), (self._along(bases),), aim)

    def deletion(self, offset: int, length: int, aim: str) -> Variant:
        """Delete `length` bases from `offset` on."""
        pos = min(self.gene.position(offset), self.gene.position(offset + length - 1))
        ref = self._plus(pos - 1, length + 1)
        return Variant(self.gene.contig, pos - 1, ref, (ref[0],), aim)

    def insertion(self, offset: int, bases: str, aim: str) -> Variant:
        """Insert before the base at `offset`."""
        pos = self.gene.position(offset) - (self.gene.strand > 0)
        ref = self._plus(pos, 1)
        return Variant(self.gene.contig, pos, ref, (ref + self._along(bases),), aim)

    def in_codon(self, offsets: tuple[int, ...], aim: str) -> Variant:
        if aim == "frameshift_deletion":
            return self.deletion(offsets[0], 1, aim)
        if aim == "inframe_deletion":
            return self.deletion(offsets[0], 3, aim)
        if aim == "frameshift_insertion":
            return self.insertion(offsets[0], "GC", aim)
        if aim == "inframe_insertion":
            return self.insertion(offsets[0], "GCT", aim)
        if aim == "substitution":
            return self.codon(offsets[:2], complement(read(self.genome, self.gene, offsets[:2])), aim)
        return self._one_base(offsets, aim)

    def _one_base(self, offsets: tuple[int, ...], aim: str) -> Variant:
        """One base: to a stop if the codon allows it, the third if nothing shall change, else the second."""
        codon = read(self.genome, self.gene, offsets)
        if aim == "stop_gained":
            for index in range(3):
                for base in BASES:
                    if codon[:index] + base + codon[index + 1 :] in stops_of(self.gene.contig) - {codon}:
                        return self.codon(offsets[index : index + 1], base, aim)
        index = 2 if aim == "synonymous" else 1
        base = next(
            one
            for one in (TRANSITIONS[codon[index]], *BASES)
            if one != codon[index]
            and codon[:index] + one + codon[index + 1 :] not in stops_of(self.gene.contig)
        )
        return self.codon(offsets[index : index + 1], base, aim)

    def _along(self, bases: str) -> str:
        return bases if self.gene.strand > 0 else complement(bases)[::-1]

    def _plus(self, pos: int, length: int) -> str:
        return "".join(self.genome[self.gene.contig][pos - 1 : pos - 1 + length])

"""The demo's genes: every shape that a gene model can have, on two chromosomes and a mitochondrion.

A transcript is laid out in its gene's own direction: offsets count from the gene's 5' end, from 0, ends
excluded. Coding parts are stated as a start and a number of codons, so that each is a whole reading frame.
"""

from dataclasses import dataclass
from itertools import pairwise

CONTIG_LENGTHS = {"1": 100_000, "2": 50_000, "MT": 3_000}
ALIASES = {"1": "chr1", "2": "chr2", "MT": "chrM"}
MITOCHONDRION = "MT"


@dataclass(frozen=True)
class Shape:
    """A transcript. `codons` counts the stop; `leading` and `trailing` bases belong to codons that the
    transcript does not hold whole (incomplete at its 5' or 3' end)."""

    exons: tuple[tuple[int, int], ...]
    cds_start: int = 0
    codons: int = 0
    leading: int = 0
    trailing: int = 0
    biotype: str = ""
    tags: tuple[str, ...] = ("basic",)
    refseq: str = ""

    @property
    def cds(self) -> tuple[int, ...]:
        """Offsets of the coding bases, 5' to 3'."""
        spliced = [offset for start, end in self.exons for offset in range(start, end)]
        first = spliced.index(self.cds_start)
        return tuple(spliced[first : first + self.leading + 3 * self.codons + self.trailing])

    @property
    def introns(self) -> tuple[tuple[int, int], ...]:
        return tuple((left[1], right[0]) for left, right in pairwise(self.exons))

    @property
    def has_stop(self) -> bool:
        return self.codons > 0 and not self.trailing


@dataclass(frozen=True)
class Gene:
    """`start` is the leftmost base, 1-based; the first shape is the gene's main transcript."""

    name: str
    contig: str
    strand: int
    start: int
    biotype: str
    shapes: tuple[Shape, ...]

    @property
    def end(self) -> int:
        return self.start + max(shape.exons[-1][1] for shape in self.shapes) - 1

    def position(self, offset: int) -> int:
        """The 1-based position of an offset."""
        return self.start + offset if self.strand > 0 else self.end - offset

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The positions (first, last) of a range of offsets, in genomic order."""
        first, last = sorted((self.position(start), self.position(end - 1)))
        return first, last


_MAIN = ("basic", "Ensembl_canonical")
_MANE = ("basic", "Ensembl_canonical", "MANE_Select")
_CODING = "protein_coding"
_DEMO1 = ((0, 120), (620, 800), (1500, 1650), (2400, 2553), (3300, 3480), (4200, 4500), (5000, 5200))
_DEMO12 = (
    (0, 100),
    (500, 620),
    (1100, 1250),
    (2000, 2090),
    (2600, 2750),
    (3300, 3420),
    (4000, 4135),
    (5000, 5600),
)

GENES = (
    # Introns within both UTRs; a skipped exon; a retained intron.
    Gene(
        "DEMO1",
        "1",
        1,
        10_001,
        _CODING,
        (
            Shape(_DEMO1, 700, 261, tags=_MANE, refseq="NM_900001.1"),
            Shape((*_DEMO1[:3], *_DEMO1[4:]), 700, 210),
            Shape(((2400, 3480), (4200, 4500)), biotype="retained_intron"),
        ),
    ),
    # Antisense over exons of DEMO1.
    Gene("DEMO1-AS1", "1", -1, 12_001, "lncRNA", (Shape(((0, 300), (1800, 2500)), tags=_MAIN),)),
    Gene(
        "DEMO2",
        "1",
        -1,
        22_001,
        _CODING,
        (
            Shape(((0, 150), (900, 1050), (1800, 2022), (2900, 3200), (3900, 4300)), 100, 300, tags=_MANE),
            Shape(((0, 150), (1800, 2022)), biotype="processed_transcript"),
        ),
    ),
    Gene("DEMO3", "1", 1, 32_001, _CODING, (Shape(((0, 1500),), 200, 380, tags=_MAIN),)),
    Gene("DEMO4", "1", -1, 37_001, _CODING, (Shape(((0, 900),), 90, 240, tags=_MAIN),)),
    # DEMO6 stands in an intron of DEMO5, on the other strand.
    Gene(
        "DEMO5",
        "1",
        1,
        44_001,
        _CODING,
        (Shape(((0, 200), (4000, 4300), (9000, 9800)), 50, 300, tags=_MAIN),),
    ),
    Gene("DEMO6", "1", -1, 46_001, _CODING, (Shape(((0, 100), (400, 700)), 20, 100, tags=_MAIN),)),
    Gene("DEMO7", "1", 1, 60_001, "lncRNA", (Shape(((0, 500), (1500, 1900), (3000, 3600)), tags=_MAIN),)),
    Gene("DEMO8P", "1", -1, 66_001, "processed_pseudogene", (Shape(((0, 800),), tags=_MAIN),)),
    # Coding to the transcript's very end, without a stop; coding from its very start, within a codon.
    Gene(
        "DEMO9",
        "1",
        1,
        70_001,
        _CODING,
        (Shape(((0, 180), (700, 851)), 30, 100, trailing=1, tags=(*_MAIN, "cds_end_NF", "mRNA_end_NF")),),
    ),
    Gene(
        "DEMO10",
        "1",
        -1,
        74_001,
        _CODING,
        (Shape(((0, 200), (800, 1100)), 0, 110, leading=2, tags=(*_MAIN, "cds_start_NF", "mRNA_start_NF")),),
    ),
    Gene("MIRDEMO11", "1", 1, 77_001, "miRNA", (Shape(((0, 85),), tags=_MAIN),)),
    Gene(
        "DEMO12",
        "2",
        1,
        8_001,
        _CODING,
        (
            Shape(_DEMO12, 60, 300, tags=_MANE, refseq="NM_900012.3"),
            Shape((*_DEMO12[:3], *_DEMO12[4:]), 60, 270),
            Shape((_DEMO12[0], _DEMO12[2]), biotype="processed_transcript"),
        ),
    ),
    # Its 3' UTR overlaps that of DEMO12.
    Gene("DEMO13", "2", -1, 13_401, _CODING, (Shape(((0, 300), (2000, 3000)), 100, 200, tags=_MAIN),)),
    Gene("MT-DT", MITOCHONDRION, 1, 101, "Mt_tRNA", (Shape(((0, 70),), tags=_MAIN),)),
    Gene("MT-DR", MITOCHONDRION, 1, 201, "Mt_rRNA", (Shape(((0, 700),), tags=_MAIN),)),
    Gene("MT-D1", MITOCHONDRION, 1, 951, _CODING, (Shape(((0, 750),), 0, 250, tags=_MAIN),)),
    Gene("MT-D2", MITOCHONDRION, -1, 1_801, _CODING, (Shape(((0, 360),), 0, 120, tags=_MAIN),)),
)

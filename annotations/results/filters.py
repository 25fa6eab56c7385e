"""A filter of a result's rows: a typed value, made from an address's parameters and turned back into them.

    gene              symbols or ids of genes               gene=APP,SOD1
    region            CONTIG, CONTIG:POS, CONTIG:START-END  region=chr21:25,880,550-26,171,128
    consequence       the allele's most severe term         consequence=missense_variant
    impact            HIGH, MODERATE, LOW, MODIFIER
    significance      classes of clinical significance, see `vocabulary.SIGNIFICANCES`
    known             known or novel
    min_frequency     population frequency from, up to (0 to 1); an allele that no source has the frequency of
    max_frequency       counts as 0
    frequency_in      the column to take it from; without it the greatest of all sources' overall frequencies
    genotype          ZYGOSITY:SAMPLE, of `vocabulary.Zygosity`
    child, mother, father   samples: alleles that the child carries and both parents are called without
    min_quality       QUAL from
    filter            values of the FILTER column, . for none   filter=PASS
    id                identifiers of variants; * stands for anything   id=rs9005*
    preset            one of `presets.PRESETS`: its parameters, where they are not given themselves

Values of one parameter widen the filter (this or that gene), parameters narrow it; only several genotypes
must all be met. Every parameter may be repeated, and those of words take commas and spaces between them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from urllib.parse import urlencode

from annotations.results.presets import PRESETS
from annotations.results.problems import FilterRefused
from annotations.results.reading import ParameterReader
from annotations.results.vocabulary import CONSEQUENCES, IMPACT_LEVELS, SIGNIFICANCES, Novelty, Zygosity

PARAMETERS = (
    "gene", "region", "consequence", "impact", "significance", "known", "min_frequency", "max_frequency",
    "frequency_in", "genotype", "child", "mother", "father", "min_quality", "filter", "id",
)  # fmt: skip


@dataclass(frozen=True)
class Region:
    """A stretch of a contig, 1-based and inclusive; `start` and `end` are None for all of it.

    `written` is what it was read from, where that is more than the parts say: of HLA-A*01:01 only a table's
    contigs tell whether it is one of them or the first base of HLA-A*01.
    """

    contig: str
    start: int | None = None
    end: int | None = None
    written: str = ""

    @classmethod
    def read(cls, contig: str, start: int | None, end: int | None, written: str) -> "Region":
        region = cls(contig, start, end)
        return region if str(region) == written else cls(contig, start, end, written)

    def __str__(self) -> str:
        if self.written:
            return self.written
        if self.start is None:
            return self.contig
        return f"{self.contig}:{self.start}" + ("" if self.end == self.start else f"-{self.end}")


@dataclass(frozen=True)
class Genotype:
    """What a sample must have of the allele."""

    zygosity: Zygosity
    sample: str

    def __str__(self) -> str:
        return f"{self.zygosity}:{self.sample}"


@dataclass(frozen=True)
class Trio:
    """The samples among whom an allele is de novo: the child carries it and both parents are without it."""

    child: str
    mother: str
    father: str


@dataclass(frozen=True)
class ResultFilter:
    """Which rows of a result are wanted; the empty filter wants all."""

    genes: tuple[str, ...] = field(default=(), metadata={"parameter": "gene"})
    regions: tuple[Region, ...] = field(default=(), metadata={"parameter": "region"})
    consequences: tuple[str, ...] = field(default=(), metadata={"parameter": "consequence"})
    impacts: tuple[str, ...] = field(default=(), metadata={"parameter": "impact"})
    significances: tuple[str, ...] = field(default=(), metadata={"parameter": "significance"})
    novelty: Novelty | None = field(default=None, metadata={"parameter": "known"})
    min_frequency: float | None = field(default=None, metadata={"parameter": "min_frequency"})
    max_frequency: float | None = field(default=None, metadata={"parameter": "max_frequency"})
    frequency_column: str | None = field(default=None, metadata={"parameter": "frequency_in"})
    genotypes: tuple[Genotype, ...] = field(default=(), metadata={"parameter": "genotype"})
    trio: Trio | None = None
    min_quality: float | None = field(default=None, metadata={"parameter": "min_quality"})
    filters: tuple[str, ...] = field(default=(), metadata={"parameter": "filter"})
    ids: tuple[str, ...] = field(default=(), metadata={"parameter": "id"})

    @classmethod
    def parse(cls, parameters: Mapping[str, Sequence[str]], *, besides: Iterable[str] = ()) -> "ResultFilter":
        """The filter that the parameters of an address describe; empty values are as if not there.

        `besides` names parameters that the caller reads itself. Raises FilterRefused with all that is wrong,
        unknown parameters too: a filter that was misspelt and passed over would show rows as if they met it.
        """
        read = ParameterReader(parameters)
        read.refuse_others((*PARAMETERS, "preset", "sample", "zygosity"), besides)
        for name in read.choices("preset", PRESETS, most=1):
            read.assume(PRESETS[name].parameters)
        min_frequency, max_frequency = read.range("min_frequency", "max_frequency", 0, 1)
        parsed = cls(
            genes=read.words("gene"),
            regions=tuple(Region.read(*parts) for parts in read.regions("region")),
            consequences=read.choices("consequence", CONSEQUENCES),
            impacts=read.choices("impact", IMPACT_LEVELS),
            significances=read.choices("significance", SIGNIFICANCES),
            novelty=next((Novelty(word) for word in read.choices("known", tuple(Novelty), most=1)), None),
            min_frequency=min_frequency,
            max_frequency=max_frequency,
            frequency_column=read.text("frequency_in"),
            genotypes=tuple(Genotype(Zygosity(kind), sample) for kind, sample in _genotypes(read)),
            trio=_trio(read),
            min_quality=read.number("min_quality", 0, None),
            filters=read.words("filter"),
            ids=read.words("id"),
        )
        if read.problems:
            raise FilterRefused(read.problems)
        return parsed

    def parameters(self) -> list[tuple[str, str]]:
        """The parameters that `parse` makes this filter from, in a fixed order."""
        pairs: list[tuple[str, str]] = []
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, Trio):
                pairs += [("child", value.child), ("mother", value.mother), ("father", value.father)]
            elif isinstance(value, tuple):
                pairs += [(one.metadata["parameter"], str(item)) for item in value]
            elif value is not None:
                pairs.append((one.metadata["parameter"], str(value).removesuffix(".0")))
        return pairs

    def query(self, **more: object) -> str:
        """The filter as the query of an address, with further parameters behind it."""
        return urlencode([*self.parameters(), *((name, str(value)) for name, value in more.items())])

    def __bool__(self) -> bool:
        return self != ResultFilter()


def _genotypes(read: ParameterReader) -> list[tuple[str, str]]:
    """`genotype=het:NA12878`, or as a form with many samples sends it: `sample=NA12878&zygosity=het`."""
    found = read.pairs("genotype", tuple(Zygosity))
    sample, zygosity = read.text("sample"), read.choices("zygosity", tuple(Zygosity), most=1)
    if sample and zygosity:
        found.append((zygosity[0], sample))
    elif zygosity:
        read.refuse("sample", "the name of a sample beside zygosity", "none")
    return list(dict.fromkeys(found))


def _trio(read: ParameterReader) -> Trio | None:
    people = {role: read.text(role) for role in ("child", "mother", "father")}
    if not any(people.values()):
        return None
    named = {role: sample for role, sample in people.items() if sample}
    for role in people.keys() - named.keys():
        read.refuse(role, "the name of a sample, as child, mother and father are needed together", "none")
    if len(set(named.values())) < len(named):
        read.refuse("child", "three different samples as child, mother and father", "one of them twice")
    return Trio(**named) if len(named) == 3 else None

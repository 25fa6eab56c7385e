"""The words that filters are put in, and what stands in a table for each of them."""

from dataclasses import dataclass
from enum import StrEnum

from annotations.engine.terms import CODING, IMPACTS, TERMS, terms_of

CONSEQUENCES: tuple[str, ...] = TERMS
CODING_CONSEQUENCES: tuple[str, ...] = (*terms_of(CODING), "coding_sequence_variant")
IMPACT_LEVELS: tuple[str, ...] = IMPACTS


class Zygosity(StrEnum):
    """What a sample has of an allele; the words of `bcftools view -i 'GT="het"'` where it has one."""

    HET = "het"
    HOM = "hom"
    REF = "ref"
    CARRIER = "carrier"
    MISSING = "missing"

    @property
    def label(self) -> str:
        return _ZYGOSITY_LABELS[self]


_ZYGOSITY_LABELS = {
    Zygosity.HET: "heterozygous",
    Zygosity.HOM: "homozygous or hemizygous",
    Zygosity.REF: "reference",
    Zygosity.CARRIER: "carries it",
    Zygosity.MISSING: "not called",
}


class Novelty(StrEnum):
    """Whether any source of known variants has the allele."""

    KNOWN = "known"
    NOVEL = "novel"


@dataclass(frozen=True)
class Significance:
    """A class of clinical significance. `pattern` finds it among the words of a CLNSIG value, lower case.

    ClinVar joins several by `/`, `|` or `,`, and has renamed some over the years.
    """

    label: str
    pattern: str


def _word(text: str) -> str:
    return rf"(^|[^a-z_])_?{text}($|[^a-z_])"


SIGNIFICANCES: dict[str, Significance] = {
    "pathogenic": Significance("Pathogenic", _word("pathogenic")),
    "likely_pathogenic": Significance("Likely pathogenic", _word("likely[_ ]pathogenic")),
    "uncertain": Significance("Uncertain significance", "uncertain"),
    "conflicting": Significance("Conflicting classifications", "conflicting"),
    "likely_benign": Significance("Likely benign", _word("likely[_ ]benign")),
    "benign": Significance("Benign", _word("benign")),
    "drug_response": Significance("Drug response", "drug"),
    "risk_factor": Significance("Risk factor or association", "risk|association|affects|protective"),
}

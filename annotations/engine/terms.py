"""Sequence Ontology terms of consequences, their severity and their impact.

Order and impacts are those of Ensembl VEP's "Calculated variant consequences" table
(https://www.ensembl.org/info/genome/variation/prediction/predicted_data.html), release 110. A set of terms is
an integer with a bit per term, the most severe one lowest, so that the columns of millions of variants can be
worked on at once.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

HIGH, MODERATE, LOW, MODIFIER = "HIGH", "MODERATE", "LOW", "MODIFIER"

# Most severe first.
_TERMS: tuple[tuple[str, str], ...] = (
    ("transcript_ablation", HIGH),
    ("splice_acceptor_variant", HIGH),
    ("splice_donor_variant", HIGH),
    ("stop_gained", HIGH),
    ("frameshift_variant", HIGH),
    ("stop_lost", HIGH),
    ("start_lost", HIGH),
    ("transcript_amplification", HIGH),
    ("feature_elongation", HIGH),
    ("feature_truncation", HIGH),
    ("inframe_insertion", MODERATE),
    ("inframe_deletion", MODERATE),
    ("missense_variant", MODERATE),
    ("protein_altering_variant", MODERATE),
    ("splice_donor_5th_base_variant", LOW),
    ("splice_region_variant", LOW),
    ("splice_donor_region_variant", LOW),
    ("splice_polypyrimidine_tract_variant", LOW),
    ("incomplete_terminal_codon_variant", LOW),
    ("start_retained_variant", LOW),
    ("stop_retained_variant", LOW),
    ("synonymous_variant", LOW),
    ("coding_sequence_variant", MODIFIER),
    ("5_prime_UTR_variant", MODIFIER),
    ("3_prime_UTR_variant", MODIFIER),
    ("non_coding_transcript_exon_variant", MODIFIER),
    ("intron_variant", MODIFIER),
    ("NMD_transcript_variant", MODIFIER),
    ("non_coding_transcript_variant", MODIFIER),
    ("upstream_gene_variant", MODIFIER),
    ("downstream_gene_variant", MODIFIER),
    ("intergenic_variant", MODIFIER),
)
TERMS: tuple[str, ...] = tuple(term for term, _ in _TERMS)
IMPACT_OF_TERM: dict[str, str] = dict(_TERMS)
BIT: dict[str, int] = {term: 1 << rank for rank, term in enumerate(TERMS)}
IMPACTS: tuple[str, ...] = (HIGH, MODERATE, LOW, MODIFIER)

# What `bcftools csq` calls them (bcftools 1.24, csq.c).
_SO_TERM_OF_CSQ: dict[str, str] = {
    "missense": "missense_variant",
    "synonymous": "synonymous_variant",
    "stop_lost": "stop_lost",
    "stop_gained": "stop_gained",
    "stop_retained": "stop_retained_variant",
    "start_lost": "start_lost",
    "start_retained": "start_retained_variant",
    "inframe_deletion": "inframe_deletion",
    "inframe_insertion": "inframe_insertion",
    "inframe_altering": "protein_altering_variant",
    "frameshift": "frameshift_variant",
    "splice_acceptor": "splice_acceptor_variant",
    "splice_donor": "splice_donor_variant",
    "splice_region": "splice_region_variant",
    "coding_sequence": "coding_sequence_variant",
    "feature_elongation": "feature_elongation",
    "feature_truncation": "feature_truncation",
    "5_prime_utr": "5_prime_UTR_variant",
    "3_prime_utr": "3_prime_UTR_variant",
    "non_coding": "non_coding_transcript_exon_variant",
    "intron": "intron_variant",
    "intergenic": "intergenic_variant",
    "NMD_transcript": "NMD_transcript_variant",
}

# Terms that only reading the codons can give.
CODING = sum(
    BIT[term]
    for term in (
        "stop_gained",
        "frameshift_variant",
        "stop_lost",
        "start_lost",
        "inframe_insertion",
        "inframe_deletion",
        "missense_variant",
        "protein_altering_variant",
        "start_retained_variant",
        "stop_retained_variant",
        "synonymous_variant",
    )
)
SPLICE = BIT["splice_acceptor_variant"] | BIT["splice_donor_variant"] | BIT["splice_region_variant"]
# An allele with one of these is not said to be in a splice region, too.
SPLICE_SITE = sum(
    BIT[term]
    for term in (
        "splice_acceptor_variant",
        "splice_donor_variant",
        "splice_donor_5th_base_variant",
        "splice_donor_region_variant",
    )
)


def terms_of(mask: int) -> Iterator[str]:
    """The terms of a set, most severe first."""
    for rank, term in enumerate(TERMS):
        if mask >> rank & 1:
            yield term


@lru_cache(maxsize=65_536)
def text_of(mask: int) -> str:
    """`missense_variant&splice_region_variant`, as in VEP's Consequence column."""
    return "&".join(terms_of(mask))


@lru_cache(maxsize=65_536)
def impact_of(mask: int) -> str:
    """The impact of a set is that of its gravest term."""
    return min((IMPACT_OF_TERM[term] for term in terms_of(mask)), key=IMPACTS.index)


@lru_cache(maxsize=65_536)
def most_severe(mask: int) -> str:
    return next(terms_of(mask))


def mask_of(terms: Iterable[str]) -> int:
    return sum({BIT[term] for term in terms})


@lru_cache(maxsize=65_536)
def mask_of_csq(text: str) -> int:
    """The set behind csq's own words, such as `splice_region&synonymous`.

    A leading * (downstream of a stop on the same haplotype) has no term of its own and is left off.
    """
    words = text.lstrip("*").split("&")
    return mask_of(_SO_TERM_OF_CSQ[word] for word in words if word in _SO_TERM_OF_CSQ)

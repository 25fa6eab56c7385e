"""The demo's VCFs: a family's variants, and two that play dbSNP and ClinVar. All of it is made up."""

from collections.abc import Iterator
from random import Random

from annotations.engine.demo.gene_models import CONTIG_LENGTHS, MITOCHONDRION
from annotations.engine.demo.sequence import BASES, Genome, pick
from annotations.engine.demo.variants import TRANSITIONS, Variant

SAMPLES = ("CHILD", "FATHER", "MOTHER")
KNOWN_SHARE = 0.6  # of the family's variants are in "dbSNP"
OTHER_KNOWN = 300  # variants that the family does not have
FIRST_RS_NUMBER = 9_000_000_001
PHASED_CONTIG = "2"

_SIGNIFICANCE = {
    "stop_gained": "Pathogenic",
    "start_lost": "Pathogenic",
    "frameshift_deletion": "Pathogenic/Likely_pathogenic",
    "frameshift_insertion": "Likely_pathogenic",
    "splice_donor": "Pathogenic",
    "splice_acceptor": "Likely_pathogenic",
    "missense": "Uncertain_significance",
    "inframe_deletion": "Conflicting_classifications_of_pathogenicity",
    "synonymous": "Benign",
}
_DISEASES = (
    "Demonstration_syndrome_type_1",
    "Demonstration_syndrome_type_1|not_provided",
    "Hereditary_exampleosis%2C_autosomal_dominant|Exampleosis_susceptibility",
    "not_provided",
)


def family_lines(variants: list[Variant], random: Random) -> Iterator[str]:
    """The family's VCF: the child's alleles come from its parents; chromosome 2 is phased."""
    yield from _header(
        '##INFO=<ID=DP,Number=1,Type=Integer,Description="Total read depth">',
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count in genotypes">',
        '##FILTER=<ID=LowQual,Description="Low quality">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
    )
    yield "\t".join(("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *SAMPLES))
    for variant in variants:
        genotypes = _genotypes(variant, random)
        depths = [15 + int(random.random() * 40) for _ in SAMPLES]
        called = "".join(genotypes)
        counts = ",".join(str(called.count(str(number))) for number in range(1, len(variant.alts) + 1))
        quality = 20 + int(random.random() * 980)
        yield "\t".join(
            (
                variant.contig,
                str(variant.pos),
                ".",
                variant.ref,
                ",".join(variant.alts),
                str(quality),
                "PASS" if quality >= 60 else "LowQual",
                f"DP={sum(depths)};AC={counts}",
                "GT:DP:GQ",
                *(
                    f"{genotype}:{depth}:{20 + int(random.random() * 79)}"
                    for genotype, depth in zip(genotypes, depths, strict=True)
                ),
            )
        )


def dbsnp_lines(variants: list[Variant], genome: Genome, random: Random) -> Iterator[str]:
    """Known variants with rs numbers and frequencies: of the family's, and others."""
    yield from _header(
        "##dbSNP_BUILD_ID=999",
        '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency of the allele (made up)">',
        '##INFO=<ID=VC,Number=1,Type=String,Description="Variation class">',
        '##INFO=<ID=COMMON,Number=0,Type=Flag,Description="Frequency of 1 % and over">',
    )
    yield "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    known = [_as_known(variant) for variant in variants if random.random() < KNOWN_SHARE]
    known += _others(variants, genome, random)
    order = list(CONTIG_LENGTHS)
    known.sort(key=lambda variant: (order.index(variant.contig), variant.pos))
    for number, variant in enumerate(known):
        frequencies = [10 ** -(1 + 4 * random.random()) for _ in variant.alts]
        kind = "SNV" if all(len(alt) == len(variant.ref) == 1 for alt in variant.alts) else "INDEL"
        info = f"AF={','.join(f'{frequency:.3g}' for frequency in frequencies)};VC={kind}"
        info += ";COMMON" if max(frequencies) >= 0.01 else ""
        yield _site(variant, f"rs{FIRST_RS_NUMBER + 7 * number}", info)


def clinvar_lines(variants: list[Variant], random: Random) -> Iterator[str]:
    """Clinical significance of some of the family's variants in genes."""
    yield from _header(
        "##fileDate=2025-01-01",
        '##INFO=<ID=ALLELEID,Number=1,Type=Integer,Description="Allele ID (made up)">',
        '##INFO=<ID=CLNDN,Number=.,Type=String,Description="Disease name (made up)">',
        '##INFO=<ID=CLNREVSTAT,Number=.,Type=String,Description="Review status (made up)">',
        '##INFO=<ID=CLNSIG,Number=.,Type=String,Description="Clinical significance (made up)">',
    )
    yield "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    for number, variant in enumerate(variants):
        significance = _SIGNIFICANCE.get(variant.aim)
        if significance is None or random.random() < 0.4:
            continue
        info = (
            f"ALLELEID={900_000 + number};CLNDN={pick(random, _DISEASES)};"
            f"CLNREVSTAT=criteria_provided,_single_submitter;CLNSIG={significance}"
        )
        first = Variant(variant.contig, variant.pos, variant.ref, variant.alts[:1], variant.aim)
        yield _site(first, str(800_000 + number), info)


def _header(*lines: str) -> Iterator[str]:
    yield "##fileformat=VCFv4.2"
    yield "##source=demonstration data, made up"
    yield "##reference=demo"
    for contig, length in CONTIG_LENGTHS.items():
        yield f"##contig=<ID={contig},length={length}>"
    yield from lines


def _site(variant: Variant, identity: str, info: str) -> str:
    alts = ",".join(variant.alts)
    return "\t".join((variant.contig, str(variant.pos), identity, variant.ref, alts, ".", ".", info))


def _genotypes(variant: Variant, random: Random) -> tuple[str, str, str]:
    """Of child, father, mother; the mitochondrion comes from the mother, one copy of it."""
    alleles = range(len(variant.alts) + 1)
    if variant.contig == MITOCHONDRION:
        mothers = str(1 + int(random.random() * len(variant.alts)))
        return mothers, "0", mothers
    father = (pick(random, alleles), pick(random, alleles))
    mother = (pick(random, alleles), pick(random, alleles))
    if not any(father + mother):
        mother = (0, 1)
    child = (pick(random, father), pick(random, mother))
    if variant.contig == PHASED_CONTIG:
        return f"{child[0]}|{child[1]}", f"{father[0]}|{father[1]}", f"{mother[0]}|{mother[1]}"
    unphased = ["/".join(str(allele) for allele in sorted(pair)) for pair in (child, father, mother)]
    return unphased[0], unphased[1], unphased[2]


def _as_known(variant: Variant) -> Variant:
    """As a database might write it: of some records one allele alone, of some with a third one."""
    alts = variant.alts
    if len(alts) > 1 and variant.pos % 2:
        alts = alts[:1]
    elif len(alts) == len(alts[0]) == len(variant.ref) == 1 and variant.pos % 7 == 0:
        alts = (*alts, next(base for base in BASES if base not in {variant.ref, *alts}))
    return Variant(variant.contig, variant.pos, variant.ref, alts, variant.aim)


def _others(variants: list[Variant], genome: Genome, random: Random) -> Iterator[Variant]:
    taken = {(variant.contig, variant.pos) for variant in variants}
    for number in range(OTHER_KNOWN):
        contig = "12"[number % 2]
        pos = 1 + int(random.random() * (CONTIG_LENGTHS[contig] - 1))
        if (contig, pos) in taken:
            continue
        taken.add((contig, pos))
        base = genome[contig][pos - 1]
        yield Variant(contig, pos, base, (TRANSITIONS[base],), "other")

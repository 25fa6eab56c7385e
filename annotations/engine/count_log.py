"""The count log: what was found, in the lines that users of the original service know, and more."""

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.counts import LOCATIONS, OTHER_LOCATION, Counts
from annotations.engine.layout import Plan
from annotations.engine.terms import IMPACTS, TERMS


def log_text(plan: Plan, bundle: ReferenceBundle, counts: Counts, notes: list[str]) -> str:
    """The log of a whole input."""
    lines = [
        f"Annotation of {plan.name}",
        f"Reference: {bundle.name} {bundle.version}",
        "",
        f"Total: {plan.records}",
        f"Records in: {plan.records}",
        f"Records out: {counts.records}",
        f"Alleles: {counts.alleles}",
        *_known(bundle, counts),
        "",
        "Variants located:",
        *(
            f"  {name}: {counts.locations[name]}"
            for name in (*(name for name, _ in LOCATIONS), OTHER_LOCATION)
            if counts.locations[name] or name != OTHER_LOCATION
        ),
        "",
        "Most severe consequence:",
        *(f"  {term}: {counts.consequences[term]}" for term in TERMS if counts.consequences[term]),
        "",
        "Impact:",
        *(f"  {impact}: {counts.impacts[impact]}" for impact in IMPACTS),
        "",
        f"REF compared with the reference: {counts.ref_compared} compared, "
        f"{counts.ref_mismatched} differ, {counts.ref_unknown} where the reference has no known base",
        "",
        *_haplotypes(plan, counts),
        "Left unannotated:",
        *(f"  {reason}: {count}" for reason, count in counts.left_out.most_common()),
        *([] if counts.left_out else ["  none"]),
        "",
        "Put right in the input:",
        *(f"  {note}" for note in notes),
        *([] if notes else ["  nothing"]),
    ]
    return "\n".join(lines) + "\n"


def _haplotypes(plan: Plan, counts: Counts) -> list[str]:
    if not (plan.haplotype_aware and plan.samples):
        return []
    told = f"{counts.phased} of {counts.on_haplotypes} records have phased genotypes (0|1)"
    alone = "" if counts.phased else "; so every variant was judged alone, as without this option"
    return [f"Haplotype-aware: {told}{alone}", ""]


def _known(bundle: ReferenceBundle, counts: Counts) -> list[str]:
    lines: list[str] = []
    for source in bundle.known_sources:
        known = counts.known_records[source.name]
        share = 100 * known / counts.records if counts.records else 0
        name = "dbSNP" if source.name.lower() == "dbsnp" else source.name
        lines.append(f"In {name} {known} ({share:.1f}%)")
        alleles = counts.known_alleles[source.name]
        lines.append(f"  alleles known in {name}: {alleles}, novel: {counts.alleles - alleles}")
    return lines

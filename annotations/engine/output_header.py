"""The header of the annotated VCF: every line of the user's, and what the annotation adds."""

import re
from collections.abc import Sequence
from importlib.metadata import version

from annotations.engine.assembly import BCSQ_ID, OutputIds
from annotations.engine.bundle import IntervalField, KnownField, ReferenceBundle
from annotations.engine.consequences import CSQ_HEADER
from annotations.engine.counts import Counts
from annotations.engine.layout import Plan

ENGINE_VERSION = "1"
BCFTOOLS_VERSION = "1.24"  # bundled in the pinned pysam

_BCSQ_HEADER = (
    f'##INFO=<ID={BCSQ_ID},Number=.,Type=String,Description="Consequences as bcftools csq writes them. '
    'Format: Consequence|gene|transcript|biotype|strand|amino_acid_change|dna_change">'
)
_BCSQ_FORMAT = (
    f'##FORMAT=<ID={BCSQ_ID},Number=.,Type=Integer,Description="Bitmask of indexes to INFO/BCSQ, with '
    'interleaved haplotypes (limited to 2 haplotypes)">'
)
_DECLARED = re.compile(r"##(INFO|FORMAT|FILTER|contig)=<.*?\bID=([^,>]+)")

# Reserved keys of the VCF specification (4.3, tables 1 and 2), for files that use them undeclared.
_RESERVED_INFO = {
    "AA": ("1", "String"), "AC": ("A", "Integer"), "AD": ("R", "Integer"), "AF": ("A", "Float"),
    "AN": ("1", "Integer"), "BQ": ("1", "Float"), "CIGAR": ("A", "String"), "DB": ("0", "Flag"),
    "DP": ("1", "Integer"), "END": ("1", "Integer"), "H2": ("0", "Flag"), "H3": ("0", "Flag"),
    "MQ": ("1", "Float"), "MQ0": ("1", "Integer"), "NS": ("1", "Integer"), "SB": (".", "String"),
    "SOMATIC": ("0", "Flag"), "VALIDATED": ("0", "Flag"), "SVTYPE": ("1", "String"),
    "SVLEN": (".", "Integer"), "IMPRECISE": ("0", "Flag"),
}  # fmt: skip
_RESERVED_FORMAT = {
    "GT": ("1", "String"), "AD": ("R", "Integer"), "DP": ("1", "Integer"), "FT": ("1", "String"),
    "GQ": ("1", "Integer"), "GL": ("G", "Float"), "GP": ("G", "Float"), "PL": ("G", "Integer"),
    "HQ": ("2", "Integer"), "MQ": ("1", "Integer"), "PQ": ("1", "Integer"), "PS": ("1", "Integer"),
}  # fmt: skip


def header_text(plan: Plan, bundle: ReferenceBundle, counts: Counts, command: str) -> tuple[str, list[str]]:
    """The header with its #CHROM line, and notes on what was put right in it."""
    ids = OutputIds.choose(bundle, plan.keep_bcsq, _declared(plan.meta)["INFO"])
    notes: list[str] = []
    meta = [_renamed(line, ids) for line in plan.meta]
    if counts.renamed or meta != plan.meta:
        taken = ", ".join(f"{old} to {new}" for old, new in ids.renamed.items() if _uses(plan, counts, old))
        notes.append(f"INFO fields of the input that are called like ours were renamed: {taken}")
    declared = _declared(meta)
    meta += _missing_contigs(plan, bundle, declared["contig"], notes)
    meta += _undeclared(counts, declared, ids, notes)
    meta += [_known_line(field) for source in bundle.known_sources for field in source.fields]
    meta += [_info_line(field, ".") for source in bundle.interval_sources for field in source.fields]
    if plan.keep_bcsq:
        meta.append(_BCSQ_HEADER)
        if plan.haplotype_aware and plan.samples:
            meta.append(_BCSQ_FORMAT)
    meta += [
        CSQ_HEADER,
        f'##gas_reference=<Name="{bundle.name}",Version="{bundle.version}",Checksum="sha256:{bundle.checksum}">',
        f'##gas_tools=<Engine="{ENGINE_VERSION}",bcftools="{BCFTOOLS_VERSION}",pysam="{version("pysam")}">',
        f"##gas_command={command}",
    ]
    return "\n".join([*meta, "\t".join(plan.columns)]) + "\n", notes


def _declared(meta: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"INFO": set(), "FORMAT": set(), "FILTER": {"PASS"}, "contig": set()}
    for line in meta:
        if match := _DECLARED.match(line):
            found[match[1]].add(match[2])
    return found


def _renamed(line: str, ids: OutputIds) -> str:
    match = _DECLARED.match(line)
    if not match or match[1] != "INFO" or match[2] not in ids.renamed:
        return line
    return line.replace(f"ID={match[2]}", f"ID={ids.renamed[match[2]]}", 1)


def _uses(plan: Plan, counts: Counts, name: str) -> bool:
    return name in counts.info_keys or name in _declared(plan.meta)["INFO"]


def _missing_contigs(plan: Plan, bundle: ReferenceBundle, declared: set[str], notes: list[str]) -> list[str]:
    lines: list[str] = []
    for name, in_bundle in plan.contigs:
        if name in declared:
            continue
        contig = bundle.contig(in_bundle) if in_bundle else None
        lines.append(f"##contig=<ID={name},length={contig.length}>" if contig else f"##contig=<ID={name}>")
    if lines:
        notes.append(f"{len(lines):,} ##contig lines were missing and have been added")
    return lines


def _undeclared(counts: Counts, declared: dict[str, set[str]], ids: OutputIds, notes: list[str]) -> list[str]:
    lines: list[str] = []
    names: list[str] = []
    for key, has_value in counts.info_keys.items():
        name = ids.renamed.get(key, key)
        if name not in declared["INFO"]:
            number, kind = _RESERVED_INFO.get(name, (".", "String")) if has_value else ("0", "Flag")
            lines.append(_declaration("INFO", name, number, kind))
            names.append(f"INFO/{name}")
    for name in counts.format_keys:
        if name not in declared["FORMAT"]:
            lines.append(_declaration("FORMAT", name, *_RESERVED_FORMAT.get(name, (".", "String"))))
            names.append(f"FORMAT/{name}")
    for name in counts.filters:
        if name not in declared["FILTER"]:
            lines.append(f'##FILTER=<ID={name},Description="Not declared in the input">')
            names.append(f"FILTER/{name}")
    if names:
        notes.append(f"undeclared fields have been declared: {', '.join(names[:20])}")
    return lines


def _declaration(where: str, name: str, number: str, kind: str) -> str:
    return f'##{where}=<ID={name},Number={number},Type={kind},Description="Not declared in the input">'


def _known_line(field: KnownField) -> str:
    return _info_line(field, "0" if field.type == "Flag" else "A")


def _info_line(field: KnownField | IntervalField, number: str) -> str:
    description = field.description.replace('"', "'")
    return f'##INFO=<ID={field.id},Number={number},Type={field.type},Description="{description}">'

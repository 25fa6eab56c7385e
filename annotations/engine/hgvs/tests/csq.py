"""bcftools csq, asked for the amino acids that alleles change: a second opinion on proteins."""

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pysam

from annotations.engine.hgvs.tests.readback import Outcome, to_stop
from annotations.engine.hgvs.tests.real_data import Fasta, Reference

_CHILD = "import sys, pysam.bcftools; pysam.bcftools.csq(*sys.argv[1:], catch_stdout=False)"
_TIMEOUT_SECONDS = 300
_CHANGE = re.compile(r"(\d+)([A-Z*]+)(?:>(\d+)([A-Z*]*))?$")

Allele = tuple[int, str, str]


def left_aligned(allele: Allele, contig: str, fetch: Fasta) -> Allele:
    """The allele as `bcftools norm` would write it; csq is wrong about indels that are not."""
    position, ref, alt = allele
    while ref[-1] == alt[-1] and (len(ref) > 1 or len(alt) > 1):
        if len(ref) == 1 or len(alt) == 1:
            position -= 1
            base = fetch(contig, position - 1, position)
            ref, alt = base + ref, base + alt
        ref, alt = ref[:-1], alt[:-1]
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        position, ref, alt = position + 1, ref[1:], alt[1:]
    return position, ref, alt


@dataclass(frozen=True)
class CsqChange:
    """`717V>717F` of a transcript: the residues `before` from number `position` on become `after`."""

    consequences: frozenset[str]
    position: int
    before: str
    after: str

    def agrees_with(self, outcome: Outcome, protein: str) -> bool:
        """Whether csq's residues are those of `outcome`; of a frameshift it may not tell the end."""
        at = self.position - 1
        assert protein[at : at + len(self.before)] == self.before, "csq reads another protein"
        new = protein[:at] + self.after
        reads_on = not self.consequences.isdisjoint({"frameshift", "stop_lost"})
        if reads_on and "*" not in new:
            consistent = new.startswith(outcome.begins) or outcome.begins.startswith(new)
            return consistent and (outcome.length is None or outcome.length > len(new))
        return outcome.agrees_with(to_stop(new if reads_on else new + protein[at + len(self.before) :]))


def csq_changes(
    alleles: Iterable[Allele], reference: Reference, folder: Path
) -> dict[tuple[Allele, str], CsqChange]:
    """What csq says of each allele (POS, REF, ALT) and transcript (bare id), where it tells amino acids."""
    contig, code = reference.contig, str(reference.genetic_code)
    length = pysam.FastaFile(str(reference.fasta)).get_reference_length(contig)
    vcf, annotated = folder / "alleles.vcf", folder / "csq.vcf"
    lines = [f"{contig}\t{position}\t.\t{ref}\t{alt}\t.\t.\t.\n" for position, ref, alt in sorted(alleles)]
    vcf.write_text(
        f"##fileformat=VCFv4.2\n##contig=<ID={contig},length={length}>\n"
        + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        + "".join(lines)
    )
    inputs = ["-f", reference.fasta, "-g", reference.genes, "-o", annotated, vcf]
    arguments = ["-l", "--force", "--ncsq", "64", "-C", code, *map(str, inputs)]
    # csq runs once a process only: a second time in the same one fails.
    subprocess.run(
        [sys.executable, "-c", _CHILD, *arguments],
        check=True, timeout=_TIMEOUT_SECONDS, capture_output=True,
    )  # fmt: skip
    changes = {}
    for line in annotated.read_text().splitlines():
        fields = line.split("\t")
        if line.startswith("#") or "BCSQ=" not in fields[7]:
            continue
        for entry in fields[7].split("BCSQ=")[1].split(","):
            parts = entry.split("|")
            match = _CHANGE.match(parts[5]) if len(parts) > 5 else None
            if match:
                position, before, _, after = match.groups()
                allele = int(fields[1]), fields[3], fields[4]
                change = CsqChange(
                    frozenset(parts[0].split("&")), int(position), before, before if after is None else after
                )
                changes[allele, parts[2]] = change
    return changes

"""Reads HGVS descriptions back and carries them out, base by base and residue by residue."""

import re
from collections.abc import Callable
from dataclasses import dataclass

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
_POSITION = r"([*-]?)(\d+)([+-]\d+)?"
_CODING = re.compile(rf"[cn]\.{_POSITION}(?:_{_POSITION})?(del|dup|inv|ins|delins|[ACGT]>)([ACGT]*)$")
_ONE_LETTER = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G",
    "His": "H", "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Ser": "S",
    "Thr": "T", "Trp": "W", "Tyr": "Y", "Val": "V", "Ter": "*",
}  # fmt: skip
_RESIDUE = r"([A-Z][a-z]{2})(\d+)"
_FRAMESHIFT = re.compile(rf"{_RESIDUE}([A-Z][a-z]{{2}})fsTer(\d+|\?)$")
_EXTENSION = re.compile(r"Ter(\d+)([A-Z][a-z]{2})extTer(\d+|\?)$")
_EXCHANGE = re.compile(rf"{_RESIDUE}(?:_{_RESIDUE})?(delins|del|dup|ins|=)?((?:[A-Z][a-z]{{2}})*)$")


@dataclass(frozen=True)
class Gene:
    """A transcript on a genome that is short enough to be handled base by base; positions are 1-based."""

    exons: list[tuple[int, int]]
    forward: bool
    coding: tuple[int, int] | None  # cDNA positions, inclusive

    def exonic(self) -> list[int]:
        """Genomic positions of the cDNA's bases, in its order."""
        positions = [at for start, end in self.exons for at in range(start, end + 1)]
        return positions if self.forward else positions[::-1]

    def genomic(self, mark: str, number: str, offset: str | None) -> int:
        """The genomic position of `*34+5` and its like, in three parts."""
        at = int(number)
        if self.coding and mark == "*":
            at += self.coding[1]
        elif self.coding:
            at = self.coding[0] - at if mark == "-" else self.coding[0] + at - 1
        along = int(offset or 0)
        return self.exonic()[at - 1] + (along if self.forward else -along)


@dataclass(frozen=True)
class Edit:
    """Genomic bases start..end (inclusive; end = start - 1 for none) become `inserted`, forward."""

    start: int
    end: int
    inserted: str


def coding_edit(name: str, gene: Gene, bases: Callable[[int, int], str]) -> Edit:
    """What `c.76_78del` and its like ask for. `bases` reads the genome: (start, end), inclusive."""
    match = _CODING.fullmatch(name)
    assert match, f"not a description this can read: {name}"
    first = gene.genomic(*match.group(1, 2, 3))
    last = gene.genomic(*match.group(4, 5, 6)) if match[5] else first
    start, end = min(first, last), max(first, last)
    kind, given = match[7], match[8]
    given = given if gene.forward else given.translate(COMPLEMENT)[::-1]
    if kind == "ins":
        assert end == start + 1, f"an insertion stands between neighbours: {name}"
        return Edit(end, start, given)
    if kind == "dup":
        return (
            Edit(end + 1, end, bases(start, end))
            if gene.forward
            else Edit(start, start - 1, bases(start, end))
        )
    if kind == "inv":
        return Edit(start, end, bases(start, end).translate(COMPLEMENT)[::-1])
    if kind.endswith(">"):
        there = bases(start, start)
        assert (there if gene.forward else there.translate(COMPLEMENT)) == kind[0], (
            f"other base there: {name}"
        )
    return Edit(start, end, given)


@dataclass(frozen=True)
class Outcome:
    """What a protein description says of the new protein: how it begins, and how long it is with its stop.

    `length` is None where the new stop is not known; then `begins` ends with the first new residue.
    """

    begins: str
    length: int | None

    def agrees_with(self, residues: str) -> bool:
        """Whether these residues, to the first stop if there is one, are what is described."""
        if not residues.startswith(self.begins):
            return False
        return "*" not in residues if self.length is None else len(residues) == self.length


def protein_outcome(body: str, protein: str) -> Outcome | None:
    """What `Val717Phe` and its like make of `protein`; None for `Met1?`, which does not say."""
    if body == "Met1?":
        return None
    if body == "=":
        return Outcome(protein, len(protein))
    if match := _FRAMESHIFT.fullmatch(body):
        at = _checked(match[1], match[2], protein)
        length = None if match[4] == "?" else at + int(match[4])
        return Outcome(protein[:at] + _ONE_LETTER[match[3]], length)
    if match := _EXTENSION.fullmatch(body):
        at = _checked("Ter", match[1], protein)
        length = None if match[3] == "?" else at + int(match[3]) + 1
        return Outcome(protein[:at] + _ONE_LETTER[match[2]], length)
    match = _EXCHANGE.fullmatch(body)
    assert match, f"not a description this can read: {body}"
    first = _checked(match[1], match[2], protein)
    last = _checked(match[3], match[4], protein) if match[3] else first
    new = "".join(_ONE_LETTER[match[6][at : at + 3]] for at in range(0, len(match[6]), 3))
    if match[5] == "=":
        return Outcome(protein, len(protein))
    if match[5] == "dup":
        residues = protein[: last + 1] + protein[first:]
    elif match[5] == "ins":
        assert last == first + 1, f"an insertion stands between neighbours: {body}"
        residues = protein[:last] + new + protein[last:]
    else:
        residues = protein[:first] + new + protein[last + 1 :]
    return Outcome(to_stop(residues), len(to_stop(residues)))


def to_stop(residues: str) -> str:
    """The residues to the first stop, which is included."""
    return residues[: residues.index("*") + 1] if "*" in residues else residues


def _checked(name: str, number: str, protein: str) -> int:
    at = int(number) - 1
    assert protein[at] == _ONE_LETTER[name], f"residue {number} is {protein[at]}, not {name}"
    return at

"""Where HGVS places an allele: trimmed to what changes, shifted 3' along the transcript, and named.

The shift runs along the genome, so it may pass from an exon into an intron or back, as VEP's does; but it
never jumps an intron, from the last base of one exon to the first of the next: that is HGVS's exception to
its 3' rule.
"""

from enum import StrEnum
from typing import NamedTuple

from annotations.engine.hgvs.genetic_code import reverse_complement
from annotations.engine.hgvs.genome import GenomeBlocks

_SHIFT_WINDOW_BASES = 64  # few repeats are longer; those that are are read window by window


class Kind(StrEnum):
    """What happens to the bases of a placement."""

    SUBSTITUTION = ">"
    DELETION = "del"
    DUPLICATION = "dup"
    INSERTION = "ins"
    DELINS = "delins"
    INVERSION = "inv"


class Trimmed(NamedTuple):
    """Bases start..end (1-based, inclusive; end = start - 1 for none) replaced with `inserted`, forward.

    `shift` is how far it can move 3' along the transcript and still say the same.
    """

    start: int
    end: int
    deleted: str
    inserted: str
    shift: int


class Placement(NamedTuple):
    """An allele on a transcript; genomic positions, 1-based and inclusive, bases on the transcript's strand.

    `start` and `end` are what the description names: the bases changed or duplicated or, for an insertion,
    the two that flank it. `deleted` are the bases replaced with `inserted`; a duplication deletes none.
    """

    kind: Kind
    start: int
    end: int
    deleted: str
    inserted: str


def trim(position: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Drop the bases that REF and ALT share at their ends; the position is that of REF's first base left."""
    shortest = min(len(ref), len(alt))
    tail = 0
    while tail < shortest and ref[-1 - tail] == alt[-1 - tail]:
        tail += 1
    head = 0
    while head < shortest - tail and ref[head] == alt[head]:
        head += 1
    return position + head, ref[head : len(ref) - tail], alt[head : len(alt) - tail]


def trim_and_shift(
    allele: tuple[int, str, str], *, forward: bool, limits: tuple[int, int], genome: GenomeBlocks
) -> Trimmed | None:
    """Trim an allele (POS, REF, ALT) and find out how far it shifts; None where REF is not the genome's.

    `limits` are the genomic positions between which bases may be looked at.
    """
    position, ref, alt = allele
    if genome.between(position, position + len(ref) - 1) != ref:
        return None
    start, deleted, inserted = trim(position, ref, alt)
    end = start + len(deleted) - 1
    shift = 0
    if not (deleted and inserted):
        unit = deleted or inserted
        if forward:
            shift = _matching_bases(unit, end + 1, limits[1], genome)
        else:
            shift = _matching_bases_backwards(unit, start - 1, limits[0], genome)
    return Trimmed(start, end, deleted, inserted, shift)


def _matching_bases(unit: str, start: int, limit: int, genome: GenomeBlocks) -> int:
    """For how many bases, from `start` on, the genome goes on repeating `unit`."""
    count = 0
    while start + count <= limit:
        window = genome.between(start + count, min(start + count + _SHIFT_WINDOW_BASES - 1, limit))
        for base in window:
            if base != unit[count % len(unit)]:
                return count
            count += 1
    return count


def _matching_bases_backwards(unit: str, end: int, limit: int, genome: GenomeBlocks) -> int:
    count = 0
    while end - count >= limit:
        window = genome.between(max(end - count - _SHIFT_WINDOW_BASES + 1, limit), end - count)
        for base in reversed(window):
            if base != unit[-1 - count % len(unit)]:
                return count
            count += 1
    return count


def place(
    trimmed: Trimmed, *, forward: bool, bounds: tuple[int, int], genome: GenomeBlocks
) -> Placement | None:
    """Place an allele on a transcript that spans `bounds`, shifted as far as it stays on it, if it does."""
    start, end, deleted, inserted, _ = trimmed
    first, last = bounds
    changed_start, changed_end = (start, end) if deleted else (start - 1, start)
    room = last - changed_end if forward else changed_start - first
    shift = min(trimmed.shift, room)
    if shift < 0:
        return None
    step = shift if forward else -shift
    start, end = start + step, end + step
    if (start if deleted else start - 1) < first or (end if deleted else start) > last:
        return None
    if inserted and shift:
        turn = step % len(inserted)
        inserted = inserted[turn:] + inserted[:turn]
    if deleted and shift:
        deleted = genome.between(start, end)
    named, kind = (start, end), _kind(deleted, inserted)
    if kind is Kind.INSERTION:
        named = (start - 1, start)
        copied = _bases_copied(start, inserted, forward=forward, bounds=bounds, genome=genome)
        if copied is not None:
            named, kind = copied, Kind.DUPLICATION
    if not forward:
        deleted, inserted = reverse_complement(deleted), reverse_complement(inserted)
    return Placement(kind, *named, deleted, inserted)


def _bases_copied(
    before: int, inserted: str, *, forward: bool, bounds: tuple[int, int], genome: GenomeBlocks
) -> tuple[int, int] | None:
    """The bases upstream of an insertion before position `before`, if they are what is inserted once more."""
    start, end = (before - len(inserted), before - 1) if forward else (before, before + len(inserted) - 1)
    if start < bounds[0] or end > bounds[1] or genome.between(start, end) != inserted:
        return None
    return start, end


def _kind(deleted: str, inserted: str) -> Kind:
    if not inserted:
        return Kind.DELETION
    if not deleted:
        return Kind.INSERTION
    if len(deleted) == len(inserted) == 1:
        return Kind.SUBSTITUTION
    return Kind.INVERSION if inserted == reverse_complement(deleted) else Kind.DELINS

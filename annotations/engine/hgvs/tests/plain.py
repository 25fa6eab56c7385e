"""Descriptions put together plainly, one allele at a time, from strings: the kernel has to agree."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

from annotations.engine.hgvs.genetic_code import STOP, THREE_LETTERS, UNKNOWN, GeneticCode
from annotations.engine.hgvs.transcripts import TranscriptTable

_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_PLAIN = frozenset("ACGT")


def other_strand(bases: str) -> str:
    return bases.translate(_COMPLEMENT)[::-1]


def translate(code: GeneticCode, bases: str) -> str:
    """The residues of `bases`, from the first base; a trailing part of a codon gives none."""
    codons = (bases[at : at + 3] for at in range(0, len(bases) - 2, 3))
    return "".join(code.residues.get(codon, UNKNOWN) for codon in codons)


class Description(NamedTuple):
    """As in RESULT_SCHEMA, but without accessions and parentheses."""

    hgvsc: str | None = None
    hgvsp: str | None = None
    codons: str | None = None
    amino_acids: str | None = None
    protein_position: int | None = None


@dataclass(frozen=True)
class PlainTranscript:
    """A transcript of a genome in upper case; see TranscriptTable for `coding` and `pad`."""

    genome: str
    exons: list[tuple[int, int]]
    forward: bool
    coding: tuple[int, int]
    pad: int
    code: GeneticCode

    @classmethod
    def of(cls, table: TranscriptTable, row: int, genome: str) -> Self:
        """The transcript in a row of the table."""
        coding = int(table.coding_first[row]), int(table.coding_last[row])
        forward, code = bool(table.exon_map.forward[row]), GeneticCode.of(table.genetic_code)
        return cls(genome, table.exon_map.exons(row), forward, coding, int(table.pad[row]), code)

    def between(self, start: int, end: int) -> str:
        """The genome's bases, 1-based and inclusive."""
        return self.genome[start - 1 : end] if start > 0 else ""

    @cached_property
    def places(self) -> list[int]:
        """Of the cDNA's bases, in its order."""
        places = [place for start, end in self.exons for place in range(start, end + 1)]
        return places if self.forward else places[::-1]

    @cached_property
    def base_of(self) -> dict[int, int]:
        return {place: base for base, place in enumerate(self.places, 1)}

    @cached_property
    def cdna(self) -> str:
        bases = "".join(self.between(*exon) for exon in self.exons)
        return bases if self.forward else other_strand(bases)

    @cached_property
    def has_initiator(self) -> bool:
        start = self.coding[0] - 1
        return self.pad == 0 and self.cdna[start : start + 3] in self.code.initiators

    @cached_property
    def protein(self) -> str:
        start, end = self.coding
        protein = translate(self.code, "N" * self.pad + self.cdna[start - 1 : end])
        return "M" + protein[1:] if self.has_initiator else protein

    def describe(self, position: int, ref: str | None, alt: str | None) -> Description:
        if not ref or not alt or not _PLAIN.issuperset(ref + alt) or ref == alt:
            return Description()
        if len(ref) == len(alt) == 1:
            return self._substitution(position, ref, alt)
        if self.between(position, position + len(ref) - 1) != ref:
            return Description()
        return self._placed(*trimmed(position, ref, alt))

    def _substitution(self, place: int, ref: str, alt: str) -> Description:
        if not self.exons[0][0] <= place <= self.exons[-1][1]:
            return Description()
        own_ref, own_alt = (base if self.forward else other_strand(base) for base in (ref, alt))
        named = Description(f"{self._prefix}{self._name(place)}{own_ref}>{own_alt}")
        base = self.base_of.get(place, 0)
        is_read = self.pad >= 0 and self.coding[0] <= base <= self.coding[1] and base > 0
        if not is_read or self.between(place, place) != ref:
            return named
        edit = Edit(self, base - 1, base, own_alt)
        lead, _, trail = edit.before
        if len(lead + trail) < 2 or not _PLAIN.issuperset(lead + trail):
            return named
        old_residue, residue = edit.touched()
        if old_residue == STOP != residue:
            return edit.described(named)
        shown = old_residue if old_residue == residue else f"{old_residue}/{residue}"
        change = "=" if old_residue == residue else THREE_LETTERS[residue]
        hgvsp = "Met1?" if edit.loses_initiator else f"{THREE_LETTERS[old_residue]}{edit.first + 1}{change}"
        codons = "/".join(lead.lower() + middle + trail.lower() for middle in (own_ref, own_alt))
        return Description(named.hgvsc, hgvsp, codons, shown, edit.first + 1)

    def _placed(self, start: int, end: int, deleted: str, inserted: str) -> Description:
        first, last = self.exons[0][0], self.exons[-1][1]
        room = (
            last - (end if deleted else start) if self.forward else (start if deleted else start - 1) - first
        )
        if not (deleted and inserted):
            unit, step = deleted or inserted, 1 if self.forward else -1
            ahead, back = (0, 1) if self.forward else (-1, -1)  # the base that comes next, and how it turns
            while room > 0 and self.between(*[end + 1 if self.forward else start - 1] * 2) == unit[ahead]:
                unit, start, end, room = unit[back:] + unit[:back], start + step, end + step, room - 1
            deleted, inserted = (unit, "") if deleted else ("", unit)
        if room < 0 or (start if deleted else start - 1) < first or (end if deleted else start) > last:
            return Description()
        if deleted:
            kind = "delins" if inserted else "del"
            kind = ">" if len(deleted) == len(inserted) == 1 else kind
            kind = "inv" if kind == "delins" and inserted == other_strand(deleted) else kind
        else:
            copy = start - len(inserted) if self.forward else start
            is_copy = copy >= first and copy + len(inserted) - 1 <= last
            is_copy = is_copy and self.between(copy, copy + len(inserted) - 1) == inserted
            kind = "dup" if is_copy else "ins"
            start, end = (copy, copy + len(inserted) - 1) if is_copy else (start - 1, start)
        if not self.forward:
            deleted, inserted = other_strand(deleted), other_strand(inserted)
        return self._described(kind, (start, end), deleted, inserted)

    def _described(self, kind: str, at: tuple[int, int], deleted: str, inserted: str) -> Description:
        names = [self._name(place) for place in (at if self.forward else at[::-1])]
        name = "_".join(dict.fromkeys(names)) + (deleted if kind == ">" else "") + kind
        named = Description(self._prefix + name + (inserted if kind in {">", "ins", "delins"} else ""))
        if not all(place in self.base_of for place in at):
            return named
        low, high = sorted(self.base_of[place] for place in at)
        is_read = self.pad >= 0 and high >= self.coding[0] > 0 and low <= self.coding[1]
        if not is_read or high - low != at[1] - at[0]:
            return named
        start, end = {"ins": (low, low), "dup": (high, high)}.get(kind, (low - 1, high))
        return Edit(self, start, end, inserted).described(named)

    @property
    def _prefix(self) -> str:
        return "c." if self.coding[0] else "n."

    def _name(self, place: int) -> str:
        """`76`, `-12`, `*34`, `123+4`."""
        if place in self.base_of:
            return self._number(self.base_of[place])
        along = 1 if self.forward else -1
        before = max((base for at, base in self.base_of.items() if (place - at) * along > 0))
        past, to = abs(place - self.places[before - 1]), abs(place - self.places[before])
        return f"{self._number(before)}+{past}" if past <= to else f"{self._number(before + 1)}-{to}"

    def _number(self, base: int) -> str:
        first, last = self.coding
        if not first:
            return str(base)
        if base > last:
            return f"*{base - last}"
        return str(base - first + 1 if base >= first else base - first)


def trimmed(position: int, ref: str, alt: str) -> tuple[int, int, str, str]:
    """Without the bases that REF and ALT share at their ends: first and last place, and what is left."""
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        position, ref, alt = position + 1, ref[1:], alt[1:]
    return position, position + len(ref) - 1, ref, alt


class Edit:
    """Bases start..end of the cDNA (0-based, half-open) are replaced with `inserted`."""

    def __init__(self, transcript: PlainTranscript, start: int, end: int, inserted: str) -> None:
        self.transcript, self.protein, self.start, self.end = transcript, transcript.protein, start, end
        self.cdna, code = transcript.cdna, transcript.code
        coding_start, coding_end = transcript.coding[0] - 1, transcript.coding[1]
        self.touches_coding = end > coding_start and start < coding_end
        self.touches_start = start < coding_start
        self.is_frameshift = (len(inserted) - (end - start)) % 3 != 0
        self.crosses_end = end > coding_end
        upstream = "N" * transcript.pad + self.cdna[coding_start:start]
        self.first = len(upstream) // 3
        past = len(upstream) + end - start
        self.past_codons = -(-past // 3)
        lead = upstream[3 * self.first :]
        trail = self.cdna[end : min(end + self.past_codons * 3 - past, max(coding_end, end))]
        self.before = lead, self.cdna[start:end], trail
        self.after = lead, inserted, trail
        self.from_first = lead + inserted + self.cdna[end:]
        self.touches_initiator = self.first == 0 and transcript.has_initiator
        self.loses_initiator = self.touches_initiator and self.from_first[:3] not in code.initiators

    def described(self, named: Description) -> Description:
        if not self.touches_coding:
            return named
        if self.touches_start:
            initiator = "Met1?" if self.transcript.has_initiator else None
            return named._replace(hgvsp=initiator, protein_position=1)
        before, after = self.touched()
        codons = "/".join(
            lead.lower() + changed + trail.lower() or "-"
            for lead, changed, trail in (self.before, self.after)
        )
        hgvsp = self._change(before, after)
        if hgvsp and THREE_LETTERS[UNKNOWN] in hgvsp:
            hgvsp = None
        if self.crosses_end:
            return named._replace(hgvsp=hgvsp, protein_position=self.first + 1)
        amino_acids = f"{before or '-'}/{after or '-'}"
        return Description(named.hgvsc, hgvsp, codons, amino_acids, self.first + 1)

    def touched(self) -> tuple[str, str]:
        """The residues of the codons touched, before and after; `X` for a part of a codon."""
        code = self.transcript.code
        before, after = (
            translate(code, bases) + (UNKNOWN if len(bases) % 3 else "")
            for bases in map("".join, (self.before, self.after))
        )
        if self.touches_initiator and not self.loses_initiator:
            return "M" + before[1:], "M" + after[1:]
        return before, after

    def _change(self, before: str, after: str) -> str | None:
        if self.loses_initiator:
            return "Met1?"
        if STOP in self.protein[:-1]:
            return None
        keeps_stop = before.endswith(STOP) and STOP in after
        if self.is_frameshift or self.crosses_end or (STOP in before and not keeps_stop):
            return self._reading_on()
        if keeps_stop and before != after:
            before, after = before[:-1], after[: after.index(STOP)]
        return None if UNKNOWN in before + after else self._in_frame(before, after)

    def _reading_on(self) -> str | None:
        old, new = self.protein[self.first :], translate(self.transcript.code, self.from_first)
        new = "M" + new[1:] if self.touches_initiator else new
        new = new[: new.index(STOP) + 1] if STOP in new else new
        if new == old and old.endswith(STOP):
            return f"Ter{len(self.protein)}=" if self.past_codons >= len(self.protein) else "="
        same = next((at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
        if same is None or UNKNOWN in new[same:]:
            return None
        residue, tail = self._residue(self.first + same), new[same:]
        count = tail.index(STOP) if STOP in tail else None
        if old[same] == STOP:
            return f"{residue}{THREE_LETTERS[tail[0]]}extTer{'?' if count is None else count}"
        if count == 0:
            return f"{residue}Ter"
        shifted = f"{residue}{THREE_LETTERS[tail[0]]}fsTer{'?' if count is None else count + 1}"
        return shifted if self.is_frameshift else None

    def _in_frame(self, before: str, after: str) -> str | None:
        first, protein = self.first, self.protein
        after = after[: after.index(STOP) + 1] if STOP in after else after
        if before == after:
            return self._residue(first) + "=" if len(before) < 2 else "="
        while before and after and before[0] == after[0]:
            before, after, first = before[1:], after[1:], first + 1
        while before and after and before[-1] == after[-1]:
            before, after = before[:-1], after[:-1]
        if first >= len(protein):
            return None
        if after == STOP:
            return self._residue(first) + ("=" if protein[first] == STOP else "Ter")
        if not before:
            return self._insertion(first, after)
        if not after:
            while protein[first] == protein[first + len(before) : first + len(before) + 1]:
                first += 1
        kind = "delins" if len(before) > 1 or len(after) > 1 else ""
        return self._span(first, len(before)) + (kind + _three_letters(after) if after else "del")

    def _insertion(self, first: int, inserted: str) -> str | None:
        protein = self.protein
        while STOP not in inserted and protein[first : first + 1] == inserted[0]:
            inserted, first = inserted[1:] + inserted[0], first + 1
        if first >= len(inserted) and protein[first - len(inserted) : first] == inserted:
            return self._span(first - len(inserted), len(inserted)) + "dup"
        if first == 0 or first >= len(protein):
            return None
        return f"{self._residue(first - 1)}_{self._residue(first)}ins{_three_letters(inserted)}"

    def _span(self, first: int, length: int) -> str:
        return "_".join(self._residue(at) for at in sorted({first, first + length - 1}))

    def _residue(self, at: int) -> str:
        return f"{THREE_LETTERS[self.protein[at]]}{at + 1}"


def _three_letters(residues: str) -> str:
    return "".join(THREE_LETTERS[residue] for residue in residues)

"""What an edit of a transcript does to its protein, and how HGVS writes that.

The rules are those of https://hgvs-nomenclature.org/stable/recommendations/protein/.
"""

from dataclasses import dataclass, replace

from annotations.engine.hgvs.genetic_code import STOP, THREE_LETTERS, UNKNOWN, GeneticCode

INITIATOR_LOST = "Met1?"


@dataclass(frozen=True)
class CodingTranscript:
    """A spliced transcript that is translated.

    `cdna` is its sequence; `coding` the half-open, 0-based part of it that is translated; `pad` the bases
    of the first codon that an incomplete start lacks; `protein` the residues, one letter each, `X` for the
    codon of which bases are lacking, and `*` at its end unless that is incomplete too.
    """

    cdna: str
    coding: tuple[int, int]
    pad: int
    protein: str
    code: GeneticCode

    @classmethod
    def of(cls, cdna: str, coding: tuple[int, int], pad: int, code: GeneticCode) -> "CodingTranscript":
        """Translate `cdna`."""
        transcript = cls(cdna, coding, pad, code.translate("N" * pad + cdna[slice(*coding)]), code)
        if transcript.has_initiator:  # ATT and its like are read as Met there
            return replace(transcript, protein="M" + transcript.protein[1:])
        return transcript

    @property
    def has_initiator(self) -> bool:
        """Whether the first codon starts the protein, rather than being the first that is known."""
        start = self.coding[0]
        return self.pad == 0 and self.cdna[start : start + 3] in self.code.initiators

    @property
    def reads_to_its_end(self) -> bool:
        """False where a stop stands inside: a selenocysteine, or a reading frame that is not the real one."""
        return STOP not in self.protein[:-1]


@dataclass(frozen=True)
class TranscriptEdit:
    """Bases start..end of the cDNA (0-based, half-open) are replaced with `inserted`."""

    start: int
    end: int
    inserted: str


@dataclass(frozen=True)
class ProteinChange:
    """`hgvs` is the part after `p.`, without parentheses, None where no description can be relied on.

    `codons` and `amino_acids` are VEP's: `Gtt/Ttt` and `V/F`; `-` stands for none, `X` for a part of a codon.
    `position` is the 1-based number of the first residue concerned.
    """

    hgvs: str | None
    codons: str | None
    amino_acids: str | None
    position: int


class _Consequence:
    """An edit inside the coding sequence: the codons it touches, before and after."""

    def __init__(self, transcript: CodingTranscript, edit: TranscriptEdit) -> None:
        start, end = transcript.coding
        self.transcript = transcript
        self.protein = transcript.protein
        self.is_frameshift = (len(edit.inserted) - (edit.end - edit.start)) % 3 != 0
        self.crosses_end = edit.end > end
        upstream = "N" * transcript.pad + transcript.cdna[start : edit.start]
        self.first = len(upstream) // 3
        past = len(upstream) + edit.end - edit.start  # as many bases of the reading frame end the edit
        self.past_codons = -(-past // 3)
        lead = upstream[3 * self.first :]
        in_last_codon = self.past_codons * 3 - past
        trail = transcript.cdna[edit.end : min(edit.end + in_last_codon, max(end, edit.end))]
        self.before = (lead, transcript.cdna[edit.start : edit.end], trail)
        self.after = (lead, edit.inserted, trail)
        self.from_first = lead + edit.inserted + transcript.cdna[edit.end :]
        self.touches_initiator = self.first == 0 and transcript.has_initiator
        self.loses_initiator = (
            self.touches_initiator and self.from_first[:3] not in transcript.code.initiators
        )

    def read_on(self) -> str:
        """The residues from the first codon touched to the new stop, or to the transcript's end."""
        residues = self.transcript.code.translate(self.from_first, to_stop=True)
        return "M" + residues[1:] if self.touches_initiator else residues

    def touched(self) -> tuple[str, str]:
        """The residues of the codons touched, before and after; `X` for a part of a codon."""
        before, after = self._residues("".join(self.before)), self._residues("".join(self.after))
        if self.touches_initiator and not self.loses_initiator:
            return "M" + before[1:], "M" + after[1:]
        return before, after

    def codons(self) -> str:
        return "/".join(
            lead.lower() + changed.upper() + trail.lower() or "-"
            for lead, changed, trail in (self.before, self.after)
        )

    def _residues(self, bases: str) -> str:
        return self.transcript.code.translate(bases) + (UNKNOWN if len(bases) % 3 else "")


def protein_change(transcript: CodingTranscript, edit: TranscriptEdit) -> ProteinChange | None:
    """What `edit` does to the protein; None where it touches no coding base."""
    start, end = transcript.coding
    if edit.end <= start or edit.start >= end:
        return None
    if edit.start < start:
        return ProteinChange(INITIATOR_LOST if transcript.has_initiator else None, None, None, 1)
    consequence = _Consequence(transcript, edit)
    before, after = consequence.touched()
    return ProteinChange(
        hgvs=_described(consequence, before, after),
        codons=None if consequence.crosses_end else consequence.codons(),
        amino_acids=None if consequence.crosses_end else f"{before or '-'}/{after or '-'}",
        position=consequence.first + 1,
    )


def _described(consequence: _Consequence, before: str, after: str) -> str | None:
    if consequence.loses_initiator:
        return INITIATOR_LOST
    if not consequence.transcript.reads_to_its_end:
        return None
    keeps_stop = before.endswith(STOP) and STOP in after
    if consequence.is_frameshift or consequence.crosses_end or (STOP in before and not keeps_stop):
        return _described_by_reading_on(consequence)
    if keeps_stop and before != after:
        before, after = before[:-1], after[: after.index(STOP)]
    if UNKNOWN in before or UNKNOWN in after:
        return None
    described = _described_in_frame(consequence, before, after)
    return None if described is None or THREE_LETTERS[UNKNOWN] in described else described


def _described_by_reading_on(consequence: _Consequence) -> str | None:
    """A frameshift, or a change of the stop codon: what follows matters up to the new stop."""
    first, protein = consequence.first, consequence.protein
    new = consequence.read_on()
    old = protein[first:]
    if new == old and old.endswith(STOP):
        return f"Ter{len(protein)}=" if consequence.past_codons >= len(protein) else "="
    same = next((at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
    if same is None or UNKNOWN in new[same:] or old[same] == UNKNOWN:
        return None
    residue, number, tail = old[same], first + same + 1, new[same:]
    to_stop = tail.index(STOP) if STOP in tail else None
    if residue == STOP:
        return f"Ter{number}{THREE_LETTERS[tail[0]]}extTer{'?' if to_stop is None else to_stop}"
    if to_stop == 0:
        return f"{THREE_LETTERS[residue]}{number}Ter"
    if not consequence.is_frameshift:
        return None  # residues and the stop codon lost in frame: HGVS has no form for it
    new_stop = "?" if to_stop is None else to_stop + 1
    return f"{THREE_LETTERS[residue]}{number}{THREE_LETTERS[tail[0]]}fsTer{new_stop}"


def _described_in_frame(consequence: _Consequence, before: str, after: str) -> str | None:
    """Whole residues exchanged, lost or gained; the stop codon stays where it is, or a new one comes in."""
    first, protein = consequence.first, consequence.protein
    brings_stop = STOP in after
    after = after[: after.index(STOP) + 1] if brings_stop else after
    if before == after:
        return _residue(protein, first) + "=" if len(before) < 2 else "="
    while before and after and before[0] == after[0]:
        before, after, first = before[1:], after[1:], first + 1
    while before and after and before[-1] == after[-1] and not brings_stop:
        before, after = before[:-1], after[:-1]
    if first >= len(protein):
        return None  # an incomplete coding sequence ends here: what follows the change is not known
    if after == STOP:
        return _residue(protein, first) + ("=" if protein[first] == STOP else "Ter")
    return _exchange(protein, first, before, after)


def _exchange(protein: str, first: int, before: str, after: str) -> str | None:
    if not after:
        return _deletion(protein, first, len(before))
    if not before:
        return _insertion(protein, first, after)
    if len(before) == len(after) == 1:
        return _residue(protein, first) + THREE_LETTERS[after]
    return f"{_span(protein, first, len(before))}delins{_three_letters(after)}"


def _deletion(protein: str, first: int, length: int) -> str:
    while first + length < len(protein) and protein[first] == protein[first + length]:
        first += 1
    return f"{_span(protein, first, length)}del"


def _insertion(protein: str, at: int, inserted: str) -> str | None:
    """Residues that come to stand before residue number `at`, counted from 0."""
    while at < len(protein) and protein[at] == inserted[0] != STOP and STOP not in inserted:
        inserted, at = inserted[1:] + inserted[0], at + 1
    if at >= len(inserted) and protein[at - len(inserted) : at] == inserted:
        return f"{_span(protein, at - len(inserted), len(inserted))}dup"
    if at == 0 or at >= len(protein):
        return None
    return f"{_residue(protein, at - 1)}_{_residue(protein, at)}ins{_three_letters(inserted)}"


def _span(protein: str, first: int, length: int) -> str:
    if length == 1:
        return _residue(protein, first)
    return f"{_residue(protein, first)}_{_residue(protein, first + length - 1)}"


def _residue(protein: str, at: int) -> str:
    return f"{THREE_LETTERS[protein[at]]}{at + 1}"


def _three_letters(residues: str) -> str:
    return "".join(THREE_LETTERS[residue] for residue in residues)

"""Take records apart into alleles: plain ones by kernels/alleles.c, all others one by one."""

from collections.abc import Callable, Sequence

import numpy as np

from annotations.engine.alleles import LARGEST_SPAN_BASES, Alleles, Comparison, Kind, Reason
from annotations.engine.contig_line import ContigLine
from annotations.engine.genome import Genome, Windows
from annotations.engine.kernels.library import Array, Room, call, structure
from annotations.engine.kernels.texts import Texts
from annotations.engine.lines import ALT, INFO, REF, Lines

PLAIN_BASES = frozenset("ACGT")
SHIFT_BASES = 100  # how many reference bases are fetched at a time when an allele is shifted left

_SV_NAMES = {
    "DEL": ("deletion", Kind.DELETION),
    "DUP": ("duplication", Kind.DUPLICATION),
    "INV": ("inversion", Kind.REPLACEMENT),
    "CNV": ("copy_number_variation", Kind.REPLACEMENT),
    "INS": ("insertion", Kind.INSERTION),
}
_NO_CHANGE = {
    ".": Reason.NO_ALT,
    "*": Reason.SPANNING_DELETION,
    "<NON_REF>": Reason.REFERENCE_BLOCK,
    "<*>": Reason.REFERENCE_BLOCK,
}
Row = tuple[int, int, int, int, int, str, int | None, str | None, str | None, int, bool]

_Windows = structure(
    "_Windows", count=int, start=np.int64, end=np.int64, at=np.int64, bases=np.uint8, size=int
)
_Places = structure("_Places", offset=np.int64, limit=np.int64, pos=np.int32)
_TYPES = {
    "easy": np.uint8,
    "start": np.int32,
    "end": np.int32,
    "kind": np.uint8,
    "norm_pos": np.int32,
    "reason": np.uint8,
    "for_csq": np.uint8,
    "name_at": np.int64,
    "name_length": np.int32,
    "ref_at": np.int64,
    "ref_length": np.int32,
    "alt_at": np.int64,
    "alt_length": np.int32,
}
_Taken = structure("_Taken", **_TYPES, texts=Room, compared=int, mismatched=int, unknown=int)


def take_apart(
    lines: Lines, contigs: Array, line: ContigLine, genome: Genome, comparison: Comparison
) -> Alleles:
    """The alleles of consecutive records, sorted by contig in the line's order and position.

    `contigs` (int32) are the plan's numbers of the records' contigs. Records of contigs that are not on the
    line are left out of judgement.
    """
    offset, limit = line.extents(contigs)
    known = offset >= 0
    starts = lines.positions.astype(np.int64) - 1 + offset
    ends = np.minimum(starts + lines.fields(REF).length, limit)
    windows = genome.windows(line, starts[known], ends[known], offset[known])
    # those of unknown contigs go along with the ones before them
    places = np.maximum.accumulate(starts)
    easy, taken = _take_apart_easy(lines, contigs, offset, limit, windows, places, comparison)
    if easy.all():
        return taken
    parts = [taken.take(easy)]
    if not known.all():
        parts.append(_alleles_of(_not_judged(lines, np.flatnonzero(~known)), contigs))
    others = np.flatnonzero(known & ~easy)
    if len(others):
        rows = _take_apart_others(lines, others, offset, limit, windows, comparison)
        parts.append(_alleles_of(rows, contigs))
    return Alleles.join(parts)


def _take_apart_easy(  # noqa: PLR0913, PLR0917 - what places each record
    lines: Lines,
    contigs: Array,
    offset: Array,
    limit: Array,
    windows: Windows,
    starts: Array,
    comparison: Comparison,
) -> tuple[Array, Alleles]:
    """Which records are easy (kernels/alleles.c), and their alleles; rows of others mean nothing."""
    columns = {name: np.zeros(len(lines), kind) for name, kind in _TYPES.items()}
    size = 2 * len(lines.block) + 4 * len(lines)  # no texts can take more
    text = np.empty(size, np.uint8)
    taken = _Taken(texts=Room(bytes=text, size=size, used=0), compared=0, mismatched=0, unknown=0, **columns)
    places = _Places(
        offset=np.ascontiguousarray(offset), limit=np.ascontiguousarray(limit), pos=lines.positions
    )
    numbers = windows.numbers(starts)
    for first, last, held in windows.groups():
        rows = np.searchsorted(numbers, [first, last]).tolist()
        stretches = _Windows(
            count=len(held.start),
            start=held.start,
            end=held.end,
            at=held.at,
            bases=held.bases,
            size=len(held.bases),
        )
        call("take_apart_easy", lines.for_kernels, stretches, places, *rows, taken)
    comparison.compared += taken.compared
    comparison.mismatched += taken.mismatched
    comparison.unknown += taken.unknown
    data = text[: taken.texts.used].copy()
    alleles = Alleles(
        row=np.arange(len(lines), dtype=np.int32),
        allele=np.ones(len(lines), np.uint16),
        contig=contigs,
        **{name: columns[name] for name in ("start", "end", "kind", "norm_pos", "reason")},
        for_csq=columns["for_csq"].astype(np.bool_),
        name=Texts(data, columns["name_at"], columns["name_length"]),
        norm_ref=Texts(data, columns["ref_at"], columns["ref_length"]),
        norm_alt=Texts(data, columns["alt_at"], columns["alt_length"]),
    )
    return columns["easy"].astype(np.bool_), alleles


def _alleles_of(rows: Sequence[Row], contigs: Array) -> Alleles:
    """Rows of row, allele, start, end, kind, name, norm_pos, norm_ref, norm_alt, reason and for_csq."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    numbers, names = [columns[at] for at in (0, 1, 2, 3, 4, 9, 10)], [columns[at] for at in (5, 7, 8)]
    kinds = (np.int32, np.uint16, np.int32, np.int32, np.uint8, np.uint8, np.bool_)
    arrays: list[Array] = [np.array(column, dtype) for column, dtype in zip(numbers, kinds, strict=True)]
    row, allele, start, end, kind, reason, for_csq = arrays
    name, norm_ref, norm_alt = (Texts.of_strings(column) for column in names)
    return Alleles(
        row=row,
        allele=allele,
        contig=contigs[row],
        start=start,
        end=end,
        kind=kind,
        norm_pos=np.array([position or 0 for position in columns[6]], np.int32),
        reason=reason,
        for_csq=for_csq,
        name=name,
        norm_ref=norm_ref,
        norm_alt=norm_alt,
    )


def _not_judged(lines: Lines, records: Array) -> list[Row]:
    rows: list[Row] = []
    alts = _strings(lines, ALT, records)
    for row, pos, alt in zip(records.tolist(), lines.positions[records].tolist(), alts, strict=True):
        rows += [
            (row, number, pos, pos, 0, name, None, None, None, Reason.UNKNOWN_CONTIG, False)
            for number, name in enumerate(alt.upper().split(","), 1)
        ]
    return rows


def _take_apart_others(  # noqa: PLR0913, PLR0917 - what places each record
    lines: Lines, records: Array, offset: Array, limit: Array, windows: Windows, comparison: Comparison
) -> list[Row]:
    rows: list[Row] = []
    numbers = (column[records].tolist() for column in (lines.positions, offset, limit))
    *alleles, infos = (_strings(lines, column, records) for column in (REF, ALT, INFO))
    for row, pos, starts_at, ends_at, ref, alt, info in zip(
        records.tolist(), *numbers, *(map(str.upper, text) for text in alleles), infos, strict=True
    ):
        alts = alt.split(",")
        length = ends_at - starts_at
        bases = windows.from_offset(starts_at)
        if not 0 < pos <= length:
            judged, reason = False, Reason.BEYOND_CONTIG
        else:
            found = bases(pos - 1, min(pos - 1 + len(ref), length)).decode()
            judged, reason = _compare(ref, found, comparison)
        names = _names(ref, alts)
        for number, (one, name) in enumerate(zip(alts, names, strict=True), 1):
            if reason:
                rows.append((row, number, pos, pos, 0, name, None, None, None, reason, False))
            elif set(one) <= PLAIN_BASES or one.isalpha():
                start, end, kind = _extent(pos, ref, one)
                at, short_ref, short_alt = normalise(pos, ref, one, bases)
                for_csq = judged and set(one) <= PLAIN_BASES and one != ref
                rows.append(
                    (row, number, start, end, kind, name, at, short_ref, short_alt, Reason.NONE, for_csq)
                )
            else:
                symbol = _take_apart_symbol(pos, one, info, length)
                for_csq = judged and symbol[-1] == Reason.NONE and one.startswith(("<INS", "<DEL"))
                rows.append((row, number, *symbol, for_csq))
    return rows


def _strings(lines: Lines, column: int, records: Array) -> list[str]:
    return [text or "" for text in lines.fields(column).take(records).strings()]


def _compare(ref: str, found: str, comparison: Comparison) -> tuple[bool, Reason]:
    """Whether csq can judge the record, and if it is to be left out, why."""
    if not found:
        return False, Reason.BEYOND_CONTIG
    ref = ref[: len(found)]  # as in `_compare_all`
    if not (set(found) <= PLAIN_BASES and set(ref) <= PLAIN_BASES):
        comparison.unknown += 1
        return False, Reason.NONE
    comparison.compared += 1
    if found != ref:
        comparison.mismatched += 1
        return False, Reason.REF_MISMATCH
    return True, Reason.NONE


def _names(ref: str, alts: Sequence[str]) -> list[str]:
    """VEP's names: where lengths differ, the first base goes if all the alleles share it."""
    plain = [alt for alt in alts if alt.isalpha()]
    if any(len(alt) != len(ref) for alt in plain) and all(alt[0] == ref[0] for alt in plain):
        return [alt[1:] or "-" if alt.isalpha() else alt for alt in alts]
    return list(alts)


def _extent(pos: int, ref: str, alt: str) -> tuple[int, int, Kind]:
    """The reference bases that the allele touches, without those that it shares with REF."""
    last_ref, last_alt = len(ref), len(alt)
    while last_ref and last_alt and ref[last_ref - 1] == alt[last_alt - 1]:
        last_ref -= 1
        last_alt -= 1
    first = 0
    while first < last_ref and first < last_alt and ref[first] == alt[first]:
        first += 1
    if first == last_ref:
        return pos + first - 1, pos + first, Kind.INSERTION
    kind = Kind.DELETION if first == last_alt else Kind.REPLACEMENT
    return pos + first, pos + last_ref - 1, kind


def normalise(pos: int, ref: str, alt: str, bases: Callable[[int, int], bytes]) -> tuple[int, str, str]:
    """The allele left-aligned and parsimonious, as `bcftools norm` writes it (Tan et al. 2015,
    doi:10.1093/bioinformatics/btv112).

    `bases(start, end)` gives the reference, 0-based.

    >>> normalise(5, "CAC", "C", lambda start, end: b"GCACACACT"[start:end])
    (1, 'GCA', 'G')
    """
    if ref == alt:
        return pos, ref, alt
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    before = ""
    while ref[-1] == alt[-1] and pos > 1:  # one of them is a single base: shift left
        if not before:
            before = bases(max(0, pos - 1 - SHIFT_BASES), pos - 1).decode()
        base, before = before[-1], before[:-1]
        ref, alt, pos = base + ref[:-1], base + alt[:-1], pos - 1
    shared = 0
    while shared < len(ref) - 1 and shared < len(alt) - 1 and ref[shared] == alt[shared]:
        shared += 1
    return pos + shared, ref[shared:], alt[shared:]


def _take_apart_symbol(
    pos: int, alt: str, info: str, contig_length: int
) -> tuple[int, int, int, str, None, None, None, int]:
    def left_out(reason: Reason) -> tuple[int, int, int, str, None, None, None, int]:
        return pos, pos, Kind.REPLACEMENT, alt, None, None, None, reason

    if alt in _NO_CHANGE or not alt.startswith("<"):
        return left_out(_NO_CHANGE.get(alt, Reason.BREAKEND))
    name, kind = _SV_NAMES.get(alt[1:-1].split(":", maxsplit=1)[0], ("", Kind.REPLACEMENT))
    last = pos + 1 if kind == Kind.INSERTION else _last_base(pos, info)
    if not name or last is None or last <= pos:
        return left_out(Reason.SYMBOLIC)
    if last - pos > LARGEST_SPAN_BASES:
        return left_out(Reason.TOO_LONG)
    start = pos if kind == Kind.INSERTION else pos + 1  # POS is the base before the event
    return start, min(last, contig_length), kind, name, None, None, None, Reason.NONE


def _last_base(pos: int, info: str) -> int | None:
    fields = dict(field.partition("=")[::2] for field in info.split(";"))
    end = fields.get("END", "")
    if end.isdigit():
        return int(end)
    length = fields.get("SVLEN", "").split(",")[0].lstrip("-")
    return pos + int(length) if length.isdigit() else None

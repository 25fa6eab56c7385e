"""Take records apart into alleles: where each lies, what VEP calls it, and whether it can be judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import polars as pl

from annotations.engine.contig_line import ContigLine
from annotations.engine.genome import Genome, Windows
from annotations.engine.kernels.library import Array, Room, call, structure
from annotations.engine.kernels.texts import Texts
from annotations.engine.lines import Lines

PLAIN_BASES = frozenset("ACGT")
LARGEST_SPAN_BASES = 10_000_000  # beyond this an event hits so many genes that naming them says nothing
SHIFT_BASES = 100  # how many reference bases are fetched at a time when an allele is shifted left


class Kind(IntEnum):
    """What an allele does to the bases from `start` to `end`; an insertion stands between those two."""

    REPLACEMENT = 0
    INSERTION = 1
    DELETION = 2
    DUPLICATION = 3


class Reason(IntEnum):
    """Why an allele is left without consequences; NONE when it is not."""

    NONE = 0
    UNKNOWN_CONTIG = 1
    BEYOND_CONTIG = 2
    REF_MISMATCH = 3
    NO_ALT = 4
    SPANNING_DELETION = 5
    REFERENCE_BLOCK = 6
    BREAKEND = 7
    SYMBOLIC = 8
    TOO_LONG = 9


REASON_TEXT: dict[Reason, str] = {
    Reason.UNKNOWN_CONTIG: "on a contig that the reference does not have",
    Reason.BEYOND_CONTIG: "beyond the end of its contig",
    Reason.REF_MISMATCH: "REF differs from the reference",
    Reason.NO_ALT: "no ALT allele (.)",
    Reason.SPANNING_DELETION: "deleted by a variant before it (*)",
    Reason.REFERENCE_BLOCK: "reference block (<NON_REF>, <*>)",
    Reason.BREAKEND: "breakend",
    Reason.SYMBOLIC: "symbolic allele without a length that could be read",
    Reason.TOO_LONG: f"longer than {LARGEST_SPAN_BASES:,} bases",
}

SCHEMA = {
    "row": pl.UInt32,  # of the chunk
    "allele": pl.UInt16,  # 1 is the first ALT
    "start": pl.Int32,  # 1-based; an insertion stands between start and end
    "end": pl.Int32,
    "kind": pl.UInt8,
    "allele_name": pl.String,  # VEP's form: the bases, or - for a deletion
    "norm_pos": pl.Int32,  # left-aligned and parsimonious, to look the allele up by
    "norm_ref": pl.String,
    "norm_alt": pl.String,
    "reason": pl.UInt8,
    "for_csq": pl.Boolean,  # plain bases (or <INS>, <DEL>) on plain reference bases that agree
}

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
_Taken = structure(
    "_Taken",
    easy=np.uint8,
    start=np.int32,
    end=np.int32,
    kind=np.uint8,
    norm_pos=np.int32,
    reason=np.uint8,
    for_csq=np.uint8,
    texts=Room,
    compared=int,
    mismatched=int,
    unknown=int,
)
_INTS = {"start", "end", "norm_pos"}


@dataclass(frozen=True)
class Alleles:
    """Alleles of a chunk in order of row and number: a column each of SCHEMA, and the contig of each."""

    row: Array  # int32, of the chunk's records
    allele: Array  # uint16
    contig: Array  # int32, by the plan's number
    start: Array  # int32
    end: Array  # int32
    kind: Array  # uint8
    norm_pos: Array  # int32, 0 where there is none
    reason: Array  # uint8
    for_csq: Array  # bool
    name: Texts
    norm_ref: Texts  # null where there is none
    norm_alt: Texts

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: Array) -> "Alleles":
        """Those of these rows: numbers, or a mask."""
        return Alleles(
            **{
                name: column.take(rows) if isinstance(column, Texts) else column[rows]
                for name, column in vars(self).items()
            }
        )


@dataclass
class Comparison:
    """How REF compared with the reference, in records."""

    compared: int = 0
    mismatched: int = 0
    unknown: int = 0  # the reference has N there


def take_apart(
    records: pl.DataFrame, lines: Lines, line: ContigLine, genome: Genome, comparison: Comparison
) -> pl.DataFrame:
    """The alleles of consecutive records, sorted by contig in the line's order and position.

    `records` has row, contig (by the plan's number), pos, ref, alt and info; `lines` are the same records as
    they came. Records of contigs that are not on the line are left out of judgement. Returns a frame of
    SCHEMA, in order of row and allele.
    """
    offset, limit = line.extents(records["contig"].to_numpy())
    placed = records.with_columns(
        pl.col("ref", "alt").str.to_uppercase(), pl.Series("offset", offset), pl.Series("limit", limit)
    )
    known = offset >= 0
    starts = placed["pos"].to_numpy().astype(np.int64) - 1 + offset
    ends = np.minimum(starts + placed["ref"].str.len_bytes().to_numpy(), limit)
    windows = genome.windows(line, starts[known], ends[known], offset[known])
    # those of unknown contigs go along with the ones before them
    easy, taken = _take_apart_easy(placed, lines, windows, np.maximum.accumulate(starts), comparison)
    if easy.all():
        return taken
    parts = [taken.filter(easy)]
    if not known.all():
        parts.append(_not_judged(placed.filter(~known), Reason.UNKNOWN_CONTIG))
    others = known & ~easy
    if others.any():
        parts.append(_take_apart_others(placed.filter(others), windows, comparison))
    return pl.concat(parts).sort("row", "allele")


def _not_judged(records: pl.DataFrame, reason: Reason) -> pl.DataFrame:
    rows: list[Row] = []
    for row, pos, alt in records.select("row", "pos", "alt").iter_rows():
        rows += [
            (row, number, pos, pos, 0, name, None, None, None, reason, False)
            for number, name in enumerate(alt.split(","), 1)
        ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _take_apart_easy(
    records: pl.DataFrame, lines: Lines, windows: Windows, starts: np.ndarray, comparison: Comparison
) -> tuple[np.ndarray, pl.DataFrame]:
    """Which records are easy (kernels/alleles.c), and their alleles; rows of others mean nothing."""
    count = len(records)
    columns: dict[str, np.ndarray] = {
        name: np.zeros(count, np.int32 if name in _INTS else np.uint8)
        for name in ("easy", "start", "end", "kind", "norm_pos", "reason", "for_csq")
    }
    size = 2 * len(lines.block) + 4 * count  # no texts can take more
    text = np.empty(size, np.uint8)
    taken = _Taken(texts=Room(bytes=text, size=size, used=0), compared=0, mismatched=0, unknown=0, **columns)
    places = _Places(
        offset=records["offset"].to_numpy(), limit=records["limit"].to_numpy(), pos=records["pos"].to_numpy()
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
    easy = columns["easy"].astype(np.bool_)
    texts = _texts(
        records, np.flatnonzero(easy & (columns["kind"] != Kind.REPLACEMENT)), text[: taken.texts.used]
    )
    return easy, records.select(
        "row",
        pl.lit(1, pl.UInt16).alias("allele"),
        *(pl.Series(name, columns[name]) for name in ("start", "end", "kind")),
        texts[0].alias("allele_name"),
        pl.Series("norm_pos", columns["norm_pos"]),
        texts[1].alias("norm_ref"),
        texts[2].alias("norm_alt"),
        pl.Series("reason", columns["reason"]),
        pl.Series("for_csq", columns["for_csq"].astype(np.bool_)),
    )


def _texts(records: pl.DataFrame, rows: np.ndarray, lines: np.ndarray) -> list[pl.Series]:
    """Name, REF and ALT of the alleles: of those in `rows` the lines say them."""
    own = [records[name] for name in ("alt", "ref", "alt")]
    if not len(rows):
        return own
    schema = dict.fromkeys(("name", "ref", "alt"), pl.String)
    said = pl.read_csv(lines.tobytes(), separator="\t", has_header=False, quote_char=None, schema=schema)
    return [texts.scatter(rows, new) for texts, new in zip(own, said.get_columns(), strict=True)]


def _take_apart_others(records: pl.DataFrame, windows: Windows, comparison: Comparison) -> pl.DataFrame:
    rows: list[Row] = []
    columns = records.select("row", "pos", "ref", "alt", "info", "offset", "limit")
    for row, pos, ref, alt, info, offset, limit in columns.iter_rows():
        alts = alt.split(",")
        length = limit - offset
        bases = windows.from_offset(offset)
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
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


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

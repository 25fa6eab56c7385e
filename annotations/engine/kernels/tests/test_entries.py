"""Terms that csq and the description of the protein agree on, and the order of entries."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.engine.entries import EntryNames, write_entries
from annotations.engine.genes import Located, Pairs
from annotations.engine.hgvs.descriptions import Descriptions
from annotations.engine.kernels.texts import Texts
from annotations.engine.terms import BIT, CODING, SPLICE_SITE, impact_of, mask_of, most_severe, text_of

LENGTH = mask_of(("inframe_insertion", "inframe_deletion", "protein_altering_variant"))
FRAMESHIFT, SYNONYMOUS, CODED = (
    BIT[name] for name in ("frameshift_variant", "synonymous_variant", "coding_sequence_variant")
)
# What HGVS says of a protein: the first that fits counts. The terms that follow, and what csq may add.
READINGS = (
    (r"Met1=", BIT["start_retained_variant"] | SYNONYMOUS, 0),
    (r"Ter\d+=", BIT["stop_retained_variant"], 0),
    (r"=", SYNONYMOUS, 0),
    (r"Met1\?", BIT["start_lost"], LENGTH | FRAMESHIFT),
    (r"fs", FRAMESHIFT, BIT["stop_lost"]),
    (r"ext", BIT["stop_lost"], LENGTH | FRAMESHIFT),
    (r"Ter$", BIT["stop_gained"], LENGTH | FRAMESHIFT),
    (r"\ddel$", BIT["inframe_deletion"], 0),
    (r"dup|\dins", BIT["inframe_insertion"], BIT["stop_retained_variant"]),
)
CHANGES = (
    "Met1=", "Ter97=", "Val3=", "=", "Met1?", "Arg97ProfsTer23", "Ter97GluextTer5", "Arg9Ter", "Lys2del",
    "Lys2_Met3del", "Lys2dup", "Lys2_Met3insGlnSer", "Cys28delinsTrpVal", "Val7Phe", "Val7_Lys9delinsTer",
)  # fmt: skip
AMINO_ACIDS = ("V", "V/F", "VK/V", "-/K", "X/*")
MASKS = st.sets(
    st.sampled_from([name for name in BIT if name != "intergenic_variant"]), min_size=1, max_size=4
)
PAIR = st.tuples(
    st.integers(0, 2),  # span
    st.integers(0, 4),  # transcript
    MASKS.map(mask_of),
    st.none() | MASKS.map(mask_of),  # of csq
    st.none() | st.sampled_from(CHANGES),
    st.none() | st.sampled_from(AMINO_ACIDS),
    st.integers(0, 3),  # exon
)
Pair = tuple[int, int, int, int | None, str | None, str | None, int]

TEXTS = pl.DataFrame(
    {
        "before_exon": [f"|S{n}|G{n}|" for n in range(5)],
        "after_amino_acids": [f"|{n}|" for n in range(5)],
        "symbol": ["A", "B", "A", None, None],
        "gene": ["G1", "G2", "G1", "G3", "G4"],
        "transcript": [f"T{n}" for n in range(5)],
        "protein": ["P0", "P1", "P2", "", "P4"],
    }
)
NOT_CANONICAL = np.array([True, False, True, True, False])
NAMES = EntryNames(TEXTS, np.full(5, 9, np.int64), NOT_CANONICAL)
_NONE = np.empty(0, np.int32)
NO_PAIRS = Pairs(_NONE, _NONE, np.empty(0, np.uint32), _NONE, _NONE)


def agreed(located: int, csq: int | None, change: str | None, amino_acids: str | None) -> int:
    """The terms by gene model, csq and description together, plainly."""
    if csq is None and change is None:
        return located
    said = csq or 0
    if change is None:
        others = said & CODING & ~SYNONYMOUS
        coding = others if others or not located & CODED else said & CODING
    else:
        coding = next(
            (follow | said & may_add for pattern, follow, may_add in READINGS if re.search(pattern, change)),
            0,
        )
        sides = (amino_acids or "-/--").split("/")
        if not coding and len(sides[0]) == len(sides[-1]):
            coding = BIT["missense_variant"]
        coding = coding or said & LENGTH or BIT["protein_altering_variant"]
    together = (located & ~CODED if coding else located) | said & ~CODING | coding
    return together & ~BIT["splice_region_variant"] if together & SPLICE_SITE else together


def descriptions(pairs: list[Pair]) -> Descriptions:
    columns = (
        [f"T{pair[1]}:c.1" for pair in pairs],
        [pair[4] for pair in pairs],
        [pair[5] for pair in pairs],
        [None] * len(pairs),
    )
    texts = Texts.join([Texts.of(pl.Series(column, dtype=pl.String)) for column in columns])
    shape = len(columns), len(pairs)
    residue = np.zeros(len(pairs), np.int32)
    return Descriptions(texts.data, texts.at.reshape(shape), texts.length.reshape(shape), residue)


def written(pairs: list[Pair]) -> tuple[list[str], pl.DataFrame]:
    """The CSQ of four alleles, of spans 0, 0, 1 and 2, and the spans' rows."""
    span, transcript, exon = (np.array([pair[at] for pair in pairs], np.int32) for at in (0, 1, 6))
    terms = np.array([pair[2] for pair in pairs], np.uint32)
    found = Pairs(span, transcript, terms, first_exon=exon, last_exon=np.where(exon == 3, 4, exon))
    located = Located(np.array([0, 0, 1, 2], np.int32), np.array([0, 2, 3], np.int32), found)
    said = pl.DataFrame(
        [(span, f"T{transcript}", csq, None) for span, transcript, _, csq, *_ in pairs if csq is not None],
        schema={"span": pl.Int32, "transcript": pl.String, "mask": pl.Int64, "change": pl.String},
        orient="row",
    )
    texts, text_of, rows = write_entries(
        located, Texts.of_strings(["A", "C", "A", "-"]), descriptions(pairs), said, NAMES
    )
    return texts.take(text_of).series().to_list(), rows


@settings(deadline=None)
@given(st.lists(PAIR, max_size=8, unique_by=lambda pair: pair[:2]))
def test_entries_are_as_put_together_plainly(pairs: list[Pair]) -> None:
    pairs.sort(key=lambda pair: pair[:2])
    texts, rows = written(pairs)
    for number, (name, span) in enumerate(zip("ACA-", (0, 0, 1, 2), strict=True)):
        entries = []
        for _, transcript, located, csq, change, amino_acids, exon in (p for p in pairs if p[0] == span):
            protein = TEXTS["protein"][transcript]
            terms = agreed(located, csq, change if protein else None, amino_acids)
            hgvsp = f"{protein}:p.({change})" if protein and change else ""
            entries.append(
                (terms & -terms, bool(NOT_CANONICAL[transcript]), transcript, terms, hgvsp, amino_acids, exon)
            )
        entries.sort(key=lambda entry: entry[:3])
        expected = [
            f"{name}|{text_of(terms)}|{impact_of(terms)}|S{transcript}|G{transcript}|"
            f"{'' if not exon else '3-4/9' if exon == 3 else f'{exon}/9'}|T{transcript}:c.1|"
            f"{hgvsp.replace('=', '%3D')}|{amino_acids or ''}|{transcript}|"
            for _, _, transcript, terms, hgvsp, amino_acids, exon in entries
        ]
        assert texts[number] == ",".join(expected or [f"{name}|intergenic_variant|MODIFIER||||||||||||"])
        row = rows.row(span, named=True)
        gravest = entries[0][3] if entries else BIT["intergenic_variant"]
        assert (row["consequence"], row["impact"]) == (most_severe(gravest), impact_of(gravest))
        transcripts = [entry[2] for entry in entries]
        symbols = list(dict.fromkeys(TEXTS["symbol"][n] for n in transcripts if TEXTS["symbol"][n]))
        genes = list(dict.fromkeys(TEXTS["gene"][n] for n in transcripts))
        assert (row["symbols"], row["genes"]) == ((symbols, genes) if entries else (None, None))
        assert row["gene_names"] == (f"|{'|'.join(symbols + genes)}|" if entries else None)
        assert row["hgvsp"] == ((entries[0][4] or None) if entries else None)


@pytest.mark.parametrize("allele", ["T", "T" * 5_000])
def test_texts_get_the_room_that_they_take(allele: str) -> None:
    located = Located(np.zeros(1, np.int32), np.zeros(1, np.int32), NO_PAIRS)
    said = pl.DataFrame(
        schema={"span": pl.Int32, "transcript": pl.String, "mask": pl.Int64, "change": pl.String}
    )
    texts, _, _ = write_entries(located, Texts.of_strings([allele]), descriptions([]), said, NAMES)
    assert texts.series()[0] == f"{allele}|intergenic_variant|MODIFIER||||||||||||"

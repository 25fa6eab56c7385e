"""Genetic codes 1 and 2 of NCBI, as look-up tables for single codons and for arrays of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np
import polars as pl
from numpy.typing import NDArray

STOP = "*"
UNKNOWN = "X"
THREE_LETTERS = {
    "A": "Ala", "R": "Arg", "N": "Asn", "D": "Asp", "C": "Cys", "Q": "Gln", "E": "Glu", "G": "Gly",
    "H": "His", "I": "Ile", "L": "Leu", "K": "Lys", "M": "Met", "F": "Phe", "P": "Pro", "S": "Ser",
    "T": "Thr", "W": "Trp", "Y": "Tyr", "V": "Val", STOP: "Ter", UNKNOWN: "Xaa",
}  # fmt: skip

# https://www.ncbi.nlm.nih.gov/Taxonomy/Utils/wprintgc.cgi, whose codons run in the order of TCAG
_NCBI_BASES = "TCAG"
_NCBI_RESIDUES = {
    1: "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG",
    2: "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIMMTTTTNNKKSS**VVVVAAAADDEEGGGG",
}
SUPPORTED_CODES = frozenset(_NCBI_RESIDUES)
# Code 1 lists CTG and TTG too, but a nuclear transcript that starts with one is, far more often, incomplete.
_INITIATORS = {1: frozenset({"ATG"}), 2: frozenset({"ATT", "ATC", "ATA", "ATG", "GTG"})}

RESIDUES = "".join(THREE_LETTERS)

BASES = "ACGTN"
_CODONS = list(product(BASES, repeat=3))
_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def reverse_complement(bases: str) -> str:
    """The other strand, 5' to 3'. `bases` are upper-case A, C, G, T or N."""
    return bases.translate(_COMPLEMENT)[::-1]


def is_plain(bases: str) -> bool:
    """Whether an allele is spelled out: one or more of A, C, G, T, in upper case."""
    return bool(bases) and not bases.strip("ACGT")


@dataclass(frozen=True)
class GeneticCode:
    """How codons become residues: one-letter amino acids, `*` for a stop, `X` where a base is not known."""

    residues: dict[str, str]
    initiators: frozenset[str]

    @classmethod
    @cache
    def of(cls, number: int) -> "GeneticCode":
        """Code `number` of NCBI's. ValueError for any but 1 (standard) and 2 (vertebrate mitochondrial)."""
        if number not in _NCBI_RESIDUES:
            raise ValueError(f"Genetic code {number} is not supported: expected 1 or 2 (mitochondrial).")
        codons = map("".join, product(_NCBI_BASES, repeat=3))
        return cls(dict(zip(codons, _NCBI_RESIDUES[number], strict=True)), _INITIATORS[number])

    def translate(self, coding: str, *, to_stop: bool = False) -> str:
        """The residues of `coding`, from its first base; a trailing part of a codon gives none.

        With `to_stop`, translation ends with the first stop, which is included.
        """
        residue_of = self.residues.get
        if not to_stop:
            return "".join([residue_of(coding[at : at + 3], UNKNOWN) for at in range(0, len(coding) - 2, 3)])
        residues = []
        for at in range(0, len(coding) - 2, 3):
            residues.append(residue_of(coding[at : at + 3], UNKNOWN))
            if residues[-1] == STOP:
                break
        return "".join(residues)

    @cached_property
    def residue_by_codon(self) -> NDArray[np.uint8]:
        """Numbers in RESIDUES, shape (125,), indexed by `codon_index`."""
        return np.array(
            [RESIDUES.index(self.residues.get("".join(codon), UNKNOWN)) for codon in _CODONS], dtype=np.uint8
        )

    @cached_property
    def initiates_by_codon(self) -> NDArray[np.bool_]:
        """Whether a codon can start translation, shape (125,), indexed by `codon_index`."""
        return np.array(["".join(codon) in self.initiators for codon in _CODONS])


# Base codes: 0 A, 1 C, 2 G, 3 T, 4 anything else.
_CODE_BY_BYTE = np.full(256, 4, dtype=np.uint8)
for _code, _base in enumerate("ACGT"):
    _CODE_BY_BYTE[ord(_base)] = _CODE_BY_BYTE[ord(_base.lower())] = _code
COMPLEMENT_CODES = np.array([3, 2, 1, 0, 4], dtype=np.uint8)
_CHANGED_CODONS = pl.Series(
    [
        "".join(base if at == changed else base.lower() for at, base in enumerate(codon))
        for changed in range(3)
        for codon in _CODONS
    ]
)


def base_codes(bases: bytes) -> NDArray[np.uint8]:
    """Base codes of ASCII bases in either case, one a byte."""
    return _CODE_BY_BYTE[np.frombuffer(bases, dtype=np.uint8)]


def single_base_codes(alleles: Sequence[str]) -> NDArray[np.uint8]:
    """Base codes of alleles that are one base each."""
    return base_codes("".join(alleles).encode("ascii"))


def codon_index(codons: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Row numbers into the tables by codon, for base codes of shape (n, 3)."""
    return codons.astype(np.intp) @ np.array([25, 5, 1], dtype=np.intp)


def base_names(codes: NDArray[np.uint8]) -> pl.Series:
    """`A`, `C`, `G`, `T` or `N` for base codes."""
    return pl.Series(list(BASES))[codes]


def residue_letters(residues: NDArray[np.uint8]) -> pl.Series:
    """`V`, for numbers in RESIDUES."""
    return pl.Series(list(RESIDUES))[residues]


def residue_names(residues: NDArray[np.uint8]) -> pl.Series:
    """`Val`, for numbers in RESIDUES."""
    return pl.Series(list(THREE_LETTERS.values()))[residues]


def codon_names(codons: NDArray[np.intp], changed: NDArray[np.int64]) -> pl.Series:
    """`gTt`, for codon indexes: the base that changes, 0 to 2, is in upper case, as VEP writes codons."""
    return _CHANGED_CODONS[changed * len(_CODONS) + codons]

"""Genetic codes 1 and 2 of NCBI, as look-up tables for single codons and for arrays of them."""

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
_RESIDUE_LETTERS = np.frombuffer(RESIDUES.encode("ascii"), np.uint8)

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
        codes = base_codes(coding.encode("ascii"))
        first, second, third = codes[: len(codes) // 3 * 3].astype(np.intp).reshape(-1, 3).T
        residues = _RESIDUE_LETTERS[self.residue_by_codon[25 * first + 5 * second + third]]
        protein = residues.tobytes().decode("ascii")
        return protein[: protein.find(STOP) + 1] if to_stop and STOP in protein else protein

    @cached_property
    def residue_by_codon(self) -> NDArray[np.uint8]:
        """Numbers in RESIDUES, shape (125,), indexed by 25 * first + 5 * second + third base code."""
        return np.array(
            [RESIDUES.index(self.residues.get("".join(codon), UNKNOWN)) for codon in _CODONS], dtype=np.uint8
        )

    @cached_property
    def initiates_by_codon(self) -> NDArray[np.bool_]:
        """Whether a codon can start translation, shape (125,), indexed likewise."""
        return np.array(["".join(codon) in self.initiators for codon in _CODONS])


# Base codes: 0 A, 1 C, 2 G, 3 T, 4 anything else.
_CODE_BY_BYTE = np.full(256, 4, dtype=np.uint8)
for _code, _base in enumerate("ACGT"):
    _CODE_BY_BYTE[ord(_base)] = _CODE_BY_BYTE[ord(_base.lower())] = _code


def base_codes(bases: bytes) -> NDArray[np.uint8]:
    """Base codes of ASCII bases in either case, one a byte."""
    return _CODE_BY_BYTE[np.frombuffer(bases, dtype=np.uint8)]


def single_base_codes(alleles: pl.Series) -> NDArray[np.uint8]:
    """Base codes of alleles that are one byte each."""
    return base_codes(alleles.str.join("").item().encode())

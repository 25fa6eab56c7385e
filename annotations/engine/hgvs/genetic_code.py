"""Genetic codes 1 and 2 of NCBI, as look-up tables."""

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np
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
_CODONS = list(product("ACGTN", repeat=3))  # in the order of kernels/bases.h


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

    @cached_property
    def residue_by_codon(self) -> NDArray[np.uint8]:
        """Numbers in RESIDUES, shape (125,), indexed by 25 * first + 5 * second + third base."""
        return np.array(
            [RESIDUES.index(self.residues.get("".join(codon), UNKNOWN)) for codon in _CODONS], dtype=np.uint8
        )

    @cached_property
    def initiates_by_codon(self) -> NDArray[np.bool_]:
        """Whether a codon can start translation, shape (125,), indexed likewise."""
        return np.array(["".join(codon) in self.initiators for codon in _CODONS])

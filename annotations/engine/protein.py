"""What csq says of amino acids, in VEP's Amino_acids and HGVS protein notation."""

import re
from functools import lru_cache

from annotations.engine.terms import BIT

_THREE_LETTERS = {
    "A": "Ala", "R": "Arg", "N": "Asn", "D": "Asp", "C": "Cys", "Q": "Gln", "E": "Glu", "G": "Gly",
    "H": "His", "I": "Ile", "L": "Leu", "K": "Lys", "M": "Met", "F": "Phe", "P": "Pro", "S": "Ser",
    "T": "Thr", "W": "Trp", "Y": "Tyr", "V": "Val", "U": "Sec", "O": "Pyl", "X": "Xaa", "*": "Ter",
}  # fmt: skip
_UNCHANGED = re.compile(r"(\d+)([A-Z*]+)")
_CHANGED = re.compile(r"(\d+)([A-Z*]+)>(\d+)([A-Z*]*)")
_LENGTH_UNKNOWN = BIT["frameshift_variant"]


@lru_cache(maxsize=65_536)
def amino_acids(change: str, mask: int) -> str:
    """VEP's Amino_acids: `V/F`, or one letter where nothing changes. Empty for frameshifts.

    >>> amino_acids("717V>717F", 0)
    'V/F'
    """
    if mask & _LENGTH_UNKNOWN:
        return ""
    if match := _UNCHANGED.fullmatch(change):
        return match[2]
    if match := _CHANGED.fullmatch(change):
        return f"{match[2]}/{match[4] or '-'}"
    return ""


@lru_cache(maxsize=65_536)
def hgvs_protein(change: str, mask: int) -> str:
    """The change of one amino acid in HGVS, as `p.Val717Phe`; empty where csq does not tell enough.

    >>> hgvs_protein("717V>717F", BIT["missense_variant"])
    'p.Val717Phe'
    """
    if match := _UNCHANGED.fullmatch(change):
        position, residue = match.groups()
        return f"p.{_THREE_LETTERS[residue]}{position}=" if residue in _THREE_LETTERS else ""
    match = _CHANGED.fullmatch(change)
    if not match or match[1] != match[3] or len(match[2]) != 1 or len(match[4]) != 1:
        return ""
    before, after = _THREE_LETTERS.get(match[2]), _THREE_LETTERS.get(match[4])
    if mask & BIT["start_lost"]:
        return "p.Met1?"
    if before is None or after is None or before == "Ter" or mask & _LENGTH_UNKNOWN:
        return ""
    return f"p.{before}{match[1]}{after}"

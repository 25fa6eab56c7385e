"""What HGVS says of pairs of allele and transcript, as texts."""

from dataclasses import dataclass

import numpy as np

from annotations.engine.kernels.library import Array, Structure
from annotations.engine.kernels.texts import Texts

COLUMNS = ("hgvsc", "hgvsp", "amino_acids", "codons")


@dataclass(frozen=True)
class Descriptions:
    """What HGVS says of pairs of allele and transcript.

    `text` has all the texts; `at` and `length`, of shape (4, pairs), where those of COLUMNS stand in it, and
    a length of -1 for what is not described. `hgvsp` is the bare change, without accession and parentheses.
    `residue` is the number of the first residue concerned, 0 for none.
    """

    text: Array
    at: Array
    length: Array
    residue: Array

    def texts(self, column: str) -> Texts:
        """One column."""
        number = COLUMNS.index(column)
        return Texts(self.text, self.at[number], self.length[number])

    def has(self, column: str) -> Array:
        """Whether there is a text in one column."""
        return self.length[COLUMNS.index(column)] >= 0

    def column(self, name: str) -> Structure:
        """One column for a kernel."""
        return self.texts(name).for_kernels

    def spread(self, rows: Array, count: int) -> "Descriptions":
        """The same for `count` pairs, of which these are `rows`; the others are not described."""
        at, length = np.zeros((len(COLUMNS), count), np.int64), np.full((len(COLUMNS), count), -1, np.int32)
        residue = np.zeros(count, np.int32)
        at[:, rows], length[:, rows], residue[rows] = self.at, self.length, self.residue
        return Descriptions(self.text, at, length, residue)

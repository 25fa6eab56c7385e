"""What was found of the alleles of a chunk."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from annotations.engine.alleles import Alleles, Reason
from annotations.engine.consequences import Effects
from annotations.engine.kernels.library import Array
from annotations.engine.known import KnownValues


@dataclass(frozen=True)
class Annotated:
    """Alleles with what each source says of them, in their rows; effects are of those that were judged."""

    alleles: Alleles
    effects: Effects
    known: Sequence[KnownValues]
    intervals: pl.DataFrame | None

    @cached_property
    def is_judged(self) -> Array:
        return self.alleles.reason == Reason.NONE

    @cached_property
    def text_of(self) -> Array:
        """The number of each allele's text among the effects', -1 for none (int32)."""
        return self._of_all(self.effects.text_of)

    @cached_property
    def row_of(self) -> Array:
        """The number of each allele's row among the effects', -1 for none (int32)."""
        return self._of_all(self.effects.row_of)

    def _of_all(self, numbers: Array) -> Array:
        if len(numbers) == len(self.alleles):
            return numbers
        spread = np.full(len(self.alleles), -1, np.int32)
        spread[self.is_judged] = numbers
        return spread

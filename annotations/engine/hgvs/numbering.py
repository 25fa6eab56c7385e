"""HGVS's numbers for positions in a transcript: `76`, `-12`, `*34`, `123+4`, `*34-7`.

https://hgvs-nomenclature.org/stable/background/numbering/
"""

import numpy as np
import polars as pl

from annotations.engine.hgvs.exon_map import Ints, TranscriptPositions
from annotations.engine.hgvs.transcripts import TranscriptTable


def reference_prefix(table: TranscriptTable, transcript: Ints) -> pl.Series:
    """`ENST….7:c.`, or `:n.` where there is no coding sequence."""
    kind = pl.Series(np.where(table.coding_first[transcript] > 0, ":c.", ":n."))
    return table.ids.gather(transcript) + kind


def position_names(table: TranscriptTable, transcript: Ints, at: TranscriptPositions) -> pl.Series:
    """The positions as HGVS writes them; null where they are outside of the transcript."""
    first, last = table.coding_first[transcript], table.coding_last[transcript]
    coding = first > 0
    after_stop = coding & (at.base > last)
    number = np.where(after_stop, at.base - last, np.where(coding, at.base - first + 1, at.base))
    number = np.where(coding & (number < 1), number - 1, number)  # there is no c.0: c.-1 comes before c.1
    return pl.select(
        pl.when(pl.lit(pl.Series(at.inside))).then(
            pl.concat_str(
                pl.lit(pl.Series(np.where(after_stop, "*", ""))),
                pl.lit(pl.Series(number)).cast(pl.String),
                pl.lit(pl.Series(np.where(at.offset > 0, "+", ""))),
                pl.lit(_blank_where_zero(at.offset)),
            )
        )
    ).to_series()


def _blank_where_zero(offsets: Ints) -> pl.Series:
    names = pl.Series(offsets).cast(pl.String)
    return names.zip_with(pl.Series(offsets != 0), pl.Series([""]).new_from_index(0, len(names)))

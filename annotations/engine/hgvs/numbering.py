"""HGVS's numbers for positions in a transcript: `76`, `-12`, `*34`, `123+4`, `*34-7`.

https://hgvs-nomenclature.org/stable/background/numbering/
"""

import numpy as np
import polars as pl

from annotations.engine.hgvs.exon_map import Ints, TranscriptPositions
from annotations.engine.hgvs.transcripts import TranscriptTable


def reference_prefix(table: TranscriptTable, transcript: Ints) -> pl.Series:
    """`ENST….7:c.`, or `:n.` where there is no coding sequence."""
    kinds = pl.Series([":n.", ":c."])[(table.coding_first > 0).astype(np.int64)]
    return (table.ids + kinds)[transcript]


def position_names(table: TranscriptTable, transcript: Ints, at: TranscriptPositions) -> pl.Series:
    """The positions as HGVS writes them; null where they are outside of the transcript."""
    first, last = table.coding_first[transcript], table.coding_last[transcript]
    coding = first > 0
    after_stop = coding & (at.base > last)
    number = np.where(after_stop, at.base - last, np.where(coding, at.base - first + 1, at.base))
    number = np.where(coding & (number < 1), number - 1, number)  # there is no c.0: c.-1 comes before c.1
    columns = {"inside": at.inside, "after_stop": after_stop, "number": number, "offset": at.offset}
    offset = pl.col("offset")
    name = pl.concat_str(
        pl.when("after_stop").then(pl.lit("*")).otherwise(pl.lit("")),
        pl.col("number").cast(pl.String),
        pl.when(offset > 0).then(pl.lit("+")).otherwise(pl.lit("")),
        pl.when(offset == 0).then(pl.lit("")).otherwise(offset.cast(pl.String)),
    )
    return pl.DataFrame(columns).select(pl.when("inside").then(name)).to_series()

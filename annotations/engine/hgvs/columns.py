"""Rows of a frame put in their places among others."""

import numpy as np
import polars as pl

from annotations.engine.hgvs.exon_map import Ints


def spread(frame: pl.DataFrame, places: Ints, count: int) -> pl.DataFrame:
    """A frame of `count` rows that has the rows of `frame` at `places` and nulls elsewhere.

    As a left join on the row's number gives, in a tenth of the time: batches are small, and many.
    """
    index = np.full(count, len(frame))
    index[places] = np.arange(len(frame))
    return pl.concat([frame, frame.clear(1)])[index]

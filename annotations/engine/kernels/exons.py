"""The exons of transcripts, for the kernels that look places up in them (exons.h)."""

import numpy as np

from annotations.engine.kernels.library import Array, Structure, structure

Exons = structure(
    "Exons",
    transcript_count=int,
    exon_count=int,
    forward=np.uint8,
    first=np.int64,
    start=np.int64,
    end=np.int64,
)


def exons_of(forward: Array, counts: Array, start: Array, end: Array) -> Structure:
    """The exons of transcripts that have at least one each, in genomic order.

    `forward` and `counts` have an entry a transcript, `start` and `end` (1-based, inclusive) one an exon.
    """
    if len(counts) and (counts.min() < 1 or counts.sum() != len(start) or len(start) != len(end)):
        raise ValueError("every transcript needs an exon, and every exon a start and an end")
    return Exons(
        transcript_count=len(counts),
        exon_count=len(start),
        forward=forward.astype(np.uint8),
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        start=start.astype(np.int64),
        end=end.astype(np.int64),
    )

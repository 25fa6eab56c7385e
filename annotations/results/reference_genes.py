"""Transcripts of the reference on a stretch of the genome, for the genome browser."""

from typing import Any

import polars as pl

from annotations.engine.bundle import ReferenceBundle

MOST_TRANSCRIPTS = 2_000


def transcripts_on(bundle: ReferenceBundle, name: str, start: int, end: int) -> list[dict[str, Any]]:
    """Features of igv.js, for the transcripts that overlap `start` (from 0) to `end` of the contig.

    Of very many, those that stand for their gene come first; none where the bundle has no such contig.
    """
    contig = bundle.contig(name)
    path = bundle.transcripts(contig) if contig else None
    if path is None:
        return []
    found = (
        pl.scan_parquet(path)
        .filter((pl.col("start") <= end) & (pl.col("end") > start))
        .sort("canonical", descending=True, maintain_order=True)
        .head(MOST_TRANSCRIPTS)
        .collect()
    )
    return [_feature(name, row) for row in found.iter_rows(named=True)]


def _feature(contig: str, row: dict[str, Any]) -> dict[str, Any]:
    coding = row["cds_start"] is not None
    return {
        "chr": contig,
        "start": row["start"] - 1,
        "end": row["end"],
        "name": row["symbol"] or row["transcript"],
        "id": row["transcript"],
        "strand": "+" if row["strand"] > 0 else "-",
        "cdStart": row["cds_start"] - 1 if coding else row["end"],
        "cdEnd": row["cds_end"] if coding else row["end"],
        "exons": [
            _exon(start, end, (row["cds_start"], row["cds_end"]) if coding else None)
            for start, end in zip(row["exon_starts"], row["exon_ends"], strict=True)
        ],
    }


def _exon(start: int, end: int, cds: tuple[int, int] | None) -> dict[str, Any]:
    exon: dict[str, Any] = {"start": start - 1, "end": end}
    if cds is None or end < cds[0] or start > cds[1]:
        return {**exon, "utr": True}
    return {**exon, "cdStart": max(start, cds[0]) - 1, "cdEnd": min(end, cds[1])}

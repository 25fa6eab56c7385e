"""Describe one allele on transcripts, on demand: for a page that shows what the annotated file leaves out.

The file has descriptions in and near exons only. Here any transcript that the allele lies on is described,
deep in introns too.
"""

from dataclasses import dataclass

import polars as pl

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.descriptions import describer_of
from annotations.engine.genome import Genome
from annotations.engine.hgvs import PAIR_SCHEMA
from annotations.engine.taking_apart import normalise


@dataclass(frozen=True)
class Description:
    """An allele on one transcript; None where there is nothing to say, or nothing to be relied on."""

    transcript: str  # as in CSQ's Feature
    hgvsc: str | None
    hgvsp: str | None
    codons: str | None
    amino_acids: str | None
    protein_position: int | None


def describe_allele(
    bundle: ReferenceBundle, contig: str, position: int, ref: str, alt: str
) -> list[Description]:
    """The allele on every transcript that spans it, in order of their starts; `position` is POS, 1-based.

    Takes some milliseconds. Gives an empty list where there is no transcript, or no such contig.
    """
    found = bundle.contig(contig)
    path = bundle.transcripts(found) if found else None
    if found is None or path is None or not 0 < position <= found.length:
        return []
    last = position + len(ref)  # an insertion lies before this base
    transcripts = (
        pl.scan_parquet(path).filter((pl.col("start") <= last) & (pl.col("end") >= position)).collect()
    )
    if not len(transcripts):
        return []
    genome = Genome(bundle)
    ref, alt = ref.upper(), alt.upper()
    if set(ref + alt) <= set("ACGT"):
        position, ref, alt = normalise(position, ref, alt, lambda a, b: genome.fetch(found.name, a, b))
    pairs = pl.DataFrame(
        {"transcript": range(len(transcripts)), "pos": position, "ref": ref, "alt": alt}, schema=PAIR_SCHEMA
    )
    described = describer_of(transcripts, found.genetic_code, genome.fetch, found.name).describe(pairs)
    return [
        Description(transcript, *columns)
        for transcript, columns in zip(
            transcripts["transcript"],
            described.select("hgvsc", "hgvsp", "codons", "amino_acids", "protein_position").iter_rows(),
            strict=True,
        )
    ]

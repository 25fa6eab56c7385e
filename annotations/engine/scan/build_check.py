"""Was the file made on this genome? A sample of its REF bases is compared with the reference."""

import polars as pl
import pysam

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.errors import UnusableInput

FIRST_SAMPLE = 200  # records looked at in the first block
LATER_SAMPLE = 8  # and in each one after it
FEWEST_MISMATCHES = 3  # a typing error or two in a short file is no other build


class BuildCheck:
    """Compares sampled REF alleles; bases that the reference does not know (N) say nothing."""

    def __init__(self, bundle: ReferenceBundle, max_mismatch_share: float) -> None:
        self._bundle = bundle
        self._genome = pysam.FastaFile(str(bundle.genome))
        self._max_mismatch_share = max_mismatch_share
        self._compared = 0
        self._mismatched = 0
        self._example = ""

    def sample(self, lines: pl.Series) -> None:
        wanted = LATER_SAMPLE if self._compared else FIRST_SAMPLE
        for line in lines.gather_every(max(1, lines.len() // wanted)):
            chrom, position, _, ref, _ = line.split("\t", 4)
            self._compare(chrom, int(position), ref.upper())

    def _compare(self, chrom: str, position: int, ref: str) -> None:
        contig = self._bundle.contig(chrom)
        if contig is None or position < 1:
            return
        ref = ref[:100]
        found = self._genome.fetch(contig.name, position - 1, position - 1 + len(ref)).upper()
        if "N" in found or not set(ref) <= set("ACGT"):
            return
        self._compared += 1
        if found != ref:
            self._mismatched += 1
            self._example = self._example or (
                f"at {chrom}:{position} the file has {ref[:20]} and the reference {found[:20] or 'no base'}"
            )

    def refuse_another_build(self) -> None:
        refuse_another_build(
            self._compared, self._mismatched, self._max_mismatch_share, self._bundle.name, self._example
        )


def refuse_another_build(
    compared: int, mismatched: int, max_share: float, reference: str, example: str = ""
) -> None:
    """Raise UnusableInput when more than `max_share` of the compared REF alleles differ."""
    if mismatched < FEWEST_MISMATCHES or mismatched <= max_share * compared:
        return
    raise UnusableInput(
        f"{mismatched:,} of {compared:,} REF alleles compared do not match the reference {reference}"
        f"{f' ({example})' if example else ''}: was the file made on another build? "
        "Choose the reference that the variants were called against."
    )

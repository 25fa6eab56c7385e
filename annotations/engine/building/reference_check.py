"""Does a VCF belong to this genome? Compare a sample of its REF alleles with the FASTA."""

from pathlib import Path

import polars as pl
import pysam

from annotations.engine.bundle import BundleError

SAMPLE_RECORDS = 1000  # between two judgements
TOLERATED_SHARE = 0.05
_BASES = frozenset("ACGT")


class ReferenceCheck:
    """Is shown every record, keeps an even sample of them, and judges the sample when asked."""

    def __init__(self, vcf: Path, fasta: pysam.FastaFile) -> None:
        self._vcf = vcf
        self._fasta = fasta
        self._sample: list[tuple[str, int, str]] = []
        self._stride = 1
        self._since = 0
        self.compared = 0
        self.differing = 0
        self._example = ""

    def add(self, contigs: pl.Series, positions: pl.Series, refs: pl.Series) -> None:
        """Columns of consecutive records; positions are 1-based and inside the contig."""
        at = self._stride - 1 - self._since
        while at < len(refs):
            self._sample.append((contigs[at], positions[at], refs[at].upper()))
            if len(self._sample) > SAMPLE_RECORDS:
                self._sample = self._sample[::2]
                self._stride *= 2
            at += self._stride
        self._since = len(refs) - 1 - (at - self._stride)

    def judge(self) -> None:
        """Compare the sample. BundleError when over 5 % of all that was compared differs from the FASTA."""
        for contig, pos, ref in self._sample:
            there = self._fasta.fetch(contig, pos - 1, pos - 1 + len(ref))
            if not _BASES.issuperset(ref) or not _BASES.issuperset(there):
                continue  # N says nothing about the build
            self.compared += 1
            if ref != there:
                self.differing += 1
                self._example = f"{contig}:{pos:,} has REF {_short(ref)}, and the FASTA {_short(there)}"
        self._sample, self._stride, self._since = [], 1, 0
        if self.compared and self.differing / self.compared > TOLERATED_SHARE:
            raise BundleError(
                f"{self._vcf} looks like another build: {self.differing:,} of {self.compared:,} REF alleles "
                f"that were sampled differ from the FASTA ({self._example}). Take the file for this genome's "
                "build."
            )

    def summary(self) -> str:
        return f"{self.differing:,} of {self.compared:,} sampled REF alleles differ from the FASTA"


def _short(allele: str) -> str:
    return allele if len(allele) <= 12 else f"{allele[:12]}…"

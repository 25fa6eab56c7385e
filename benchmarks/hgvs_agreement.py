"""How far HGVS descriptions agree with independent implementations, and how fast they are made.

    python -m benchmarks.hgvs_agreement [--step BASES]

On the real data beside the project: alleles made at every STEPth base of whole transcripts, the known
variants of chromosome 21 and NA12878's in and near exons, and every substitution of the mitochondrion's
genes. The peers are ferro-hgvs, if it is installed, and `bcftools csq`. Every class of difference is counted;
one that no reason is known for counts as unexplained, and the exit status is then 1.
"""

import argparse
import importlib.util
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from annotations.engine.hgvs import PAIR_SCHEMA, HgvsDescriber, TranscriptTable
from annotations.engine.hgvs.tests.agreement import (
    AGREE,
    REGIONS,
    UNEXPLAINED,
    beside_csq,
    beside_ferro,
    every_substitution,
    known_alleles,
    made_alleles,
    whole_transcripts,
)
from annotations.engine.hgvs.tests.real_data import CHR21, DATA, MITOCHONDRION, Fasta, transcripts_of

KNOWN = DATA / "grch38_chr21" / "known.chr21.vcf.gz"
NA12878 = DATA / "grch38_chr21" / "PG_NA12878_hg38-chr21.vcf.gz"
TIMED_PAIRS = 200_000


def compared(step: int, folder: Path) -> Iterator[tuple[str, pl.DataFrame, str]]:
    """(what is compared, its rows, the column of their classes), one after the other."""
    whole = whole_transcripts()
    made = made_alleles(whole, step)
    known = {"known variants": known_alleles(whole, KNOWN), "NA12878": known_alleles(whole, NA12878)}
    if importlib.util.find_spec("ferro_hgvs"):
        for name, pairs in {"made alleles": made, **known}.items():
            both = beside_ferro(whole, pairs, folder)
            says_c = pl.any_horizontal(pl.col("c", "ferro_c").is_not_null())
            says_p = pl.any_horizontal(pl.col("p", "ferro_p").is_not_null())
            yield f"{name}, c. and n. beside ferro-hgvs", both.filter(says_c), "c_class"
            yield f"{name}, p. beside ferro-hgvs", both.filter(says_p), "p_class"
    yield "made alleles, p. beside csq", beside_csq(whole, made, CHR21, folder), "p_class"
    near = transcripts_of(CHR21.genes).filter(
        pl.any_horizontal(
            (pl.col("exon_starts").list.first() <= end) & (pl.col("exon_ends").list.last() >= start)
            for start, end in REGIONS
        )
    )
    for name, vcf in (("known variants", KNOWN), ("NA12878", NA12878)):
        pairs = known_alleles(near, vcf)
        yield (
            f"{name}, APP and its neighbours, p. beside csq",
            beside_csq(near, pairs, CHR21, folder),
            "p_class",
        )
    genes = transcripts_of(MITOCHONDRION.genes)
    pairs = every_substitution(genes, MITOCHONDRION)
    yield "mitochondrion, p. beside csq", beside_csq(genes, pairs, MITOCHONDRION, folder), "p_class"


def show(title: str, rows: pl.DataFrame, column: str) -> int:
    """Print a table of the classes by kind of allele; the number of rows that are not explained."""
    agreeing = (rows[column] == AGREE).sum()
    print(f"\n## {title}: {agreeing:,} of {len(rows):,} agree ({agreeing / max(len(rows), 1):.2%})\n")
    print("| | " + " | ".join(kinds := sorted(rows["kind"].unique())) + " |")
    print("|---" * (len(kinds) + 1) + "|")
    classes = rows.group_by(column).len().sort(pl.col(column) == AGREE, "len", descending=True)[column]
    for name in classes:
        counts = dict(rows.filter(pl.col(column) == name).group_by("kind").len().rows())
        print(f"| {name} | " + " | ".join(f"{counts.get(kind, 0):,}" for kind in kinds) + " |")
    unexplained = rows.filter(pl.col(column) == UNEXPLAINED)
    for row in unexplained.head(20).rows():
        print(row)
    return len(unexplained)


def show_speed() -> None:
    """Time 200,000 substitutions in exons and near, and as many deletions."""
    frame = whole_transcripts().filter(pl.col("cds_start").is_not_null())
    table = TranscriptTable.from_frame(frame)
    made = made_alleles(frame, 1)
    print("\n## Speed\n\n| pairs | seconds | processor seconds | pairs a second | with p. |")
    print("|---" * 5 + "|")
    for kind in ("substitution", "deletion"):
        chosen = made.filter(pl.col("kind") == kind).sort("pos").select(PAIR_SCHEMA.keys())
        repeats = -(-TIMED_PAIRS // len(chosen))
        pairs = pl.concat([chosen] * repeats).head(TIMED_PAIRS).sort("pos")
        describer = HgvsDescriber(table, Fasta(CHR21.fasta), CHR21.contig)
        started, used = time.perf_counter(), time.process_time()
        proteins = describer.describe(pairs)["hgvsp"].count()
        seconds, used = time.perf_counter() - started, time.process_time() - used
        speed = len(pairs) / seconds
        print(f"| {len(pairs):,} {kind}s | {seconds:.2f} | {used:.2f} | {speed:,.0f} | {proteins:,} |")


def main() -> int:
    """Print every comparison; 1 if a difference is not explained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--step", type=int, default=10, help="make alleles at every STEPth base (default 10)")
    options = parser.parse_args()
    if not DATA.exists():
        print(f"The real data is not at {DATA}.")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        unexplained = sum(show(*comparison) for comparison in compared(options.step, Path(folder)))
    show_speed()
    print(f"\n{unexplained} differences are not explained.")
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())

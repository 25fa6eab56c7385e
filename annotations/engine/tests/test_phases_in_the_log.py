"""Whoever asks for haplotype-aware consequences is told how much of the file is phased."""

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.tests.conftest import Annotate
from annotations.engine.tests.sources import Sources, base, other_bases

HEADER = (
    '##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tMOTHER\tCHILD\n"
)


def file_of(*genotypes: str) -> str:
    return HEADER + "".join(
        f"1\t{at}\t.\t{base(at)}\t{other_bases(at)[0]}\t.\t.\t.\tGT:DP\t0/1:9\t{genotype}:7\n"
        for at, genotype in enumerate(genotypes, 160)
    )


def told(run: Annotate, bundle: ReferenceBundle, text: str, *, haplotype_aware: bool) -> list[str]:
    log = run(text, bundle, haplotype_aware=haplotype_aware).log
    return [line for line in log.splitlines() if line.startswith("Haplotype-aware")]


def test_the_log_counts_records_with_phased_genotypes(run: Annotate, sources: Sources) -> None:
    text = file_of("0|1", "0/1", "1|0")
    assert told(run, sources.build(), text, haplotype_aware=True) == [
        "Haplotype-aware: 2 of 3 records have phased genotypes (0|1)"
    ]


def test_the_log_says_that_the_option_changed_nothing(run: Annotate, sources: Sources) -> None:
    bundle = sources.build()
    [line] = told(run, bundle, file_of("0/1", "0/1"), haplotype_aware=True)
    assert line.endswith("; so every variant was judged alone, as without this option")
    assert told(run, bundle, file_of("0/1"), haplotype_aware=False) == []

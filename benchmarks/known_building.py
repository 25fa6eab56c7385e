"""Building known variants into a bundle, beside bare `bcftools norm` of the same file.

    python -m benchmarks.known_building [RECORDS]      (part of `make bench`)

The file is made up in the likeness of dbSNP's: single bases and indels, eight INFO fields, of which two are
taken. bcftools only normalises and writes; the builder reads and checks, normalises by bcftools, sorts, and
writes the Parquet that look-ups read. Processor time is that of all processes.
"""

import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pysam

from annotations.engine.building.contig_names import ContigNames
from annotations.engine.building.genome import write_genome
from annotations.engine.building.known import KnownInput, write_known
from annotations.engine.building.site import BuildSite
from annotations.engine.bundle import GENOME_NAME, PACKED_GENOME_NAME, PACKED_OTHERS_NAME
from annotations.engine.child import run_bcftools
from annotations.engine.packed_genome import GenomePacker

RECORDS = 1_000_000
BASES_A_RECORD = 4
TAKEN = ("RS", "COMMON")


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory(prefix="gas-bench-") as name:
        folder = Path(name)
        fasta, vcf = _write_sources(folder, records)
        site = _site(folder, fasta)
        normalise = [
            "norm",
            "-m",
            "-any",
            "-c",
            "w",
            "-f",
            str(site.genome),
            "-Oz",
            "-o",
            str(folder / "norm.vcf.gz"),
        ]
        print(f"{records:,} known variants")
        norm = _measured(lambda: run_bcftools([*normalise, str(vcf)], folder), "bcftools norm", records)
        ours = _measured(lambda: write_known(KnownInput("dbsnp", vcf, TAKEN), True, site), "builder", records)
        print(f"builder : bcftools norm  time {ours[0] / norm[0]:.2f}, CPU {ours[1] / norm[1]:.2f}")


def _write_sources(folder: Path, records: int) -> tuple[Path, Path]:
    draw = random.Random(1)  # noqa: S311 - made-up data
    bases = "".join(draw.choices("ACGT", k=records * BASES_A_RECORD + 100))
    fasta, vcf = folder / "genome.fa", folder / "known.vcf"
    fasta.write_text(f">1\n{bases}\n")
    fields = ("RS", "dbSNPBuildID", "SSR", "GENEINFO", "VC", "FREQ", "COMMON", "GNO")
    with vcf.open("w") as file:
        file.write(f"##fileformat=VCFv4.2\n##contig=<ID=1,length={len(bases)}>\n")
        file.writelines(
            f"##INFO=<ID={one},Number={'0' if one in {'COMMON', 'GNO'} else '1'},"
            f'Type={"Flag" if one in {"COMMON", "GNO"} else "String"},Description="">\n'
            for one in fields
        )
        file.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for number in range(records):
            pos = number * BASES_A_RECORD + 2
            ref = bases[pos - 1 : pos + draw.choice((0, 0, 0, 0, 0, 0, 0, 2))] or bases[pos - 1]
            alt = ref[0] if len(ref) > 1 else draw.choice([one for one in "ACGT" if one != ref])
            info = (
                f"RS={number};dbSNPBuildID=151;SSR=0;GENEINFO=GENE{number % 999}:1;VC=SNV;"
                f"FREQ=TOPMED:0.9,0.1|dbGaP_PopFreq:1,0{';COMMON' * (number % 20 == 0)};GNO"
            )
            file.write(f"1\t{pos}\trs{number}\t{ref}\t{alt}\t.\t.\t{info}\n")
    pysam.tabix_compress(str(vcf), f"{vcf}.gz", force=True)
    vcf.unlink()
    return fasta, vcf.with_name("known.vcf.gz")


def _site(folder: Path, fasta: Path) -> BuildSite:
    bundle, scratch = folder / "bundle", folder / "scratch"
    for one in (bundle, scratch):
        one.mkdir()
    with closing(GenomePacker(bundle / PACKED_GENOME_NAME, bundle / PACKED_OTHERS_NAME)) as packer:
        names = ContigNames(write_genome(fasta, bundle / GENOME_NAME, packer))
    return BuildSite(bundle, scratch, names, report=lambda _: None)


def _measured(work: Callable[[], object], name: str, records: int) -> tuple[float, float]:
    started, cpu = time.monotonic(), _cpu_seconds()
    work()
    seconds, cpu = time.monotonic() - started, _cpu_seconds() - cpu
    print(
        f"{name:14} {seconds:6.2f} s, {cpu:6.2f} s of CPU, {records / seconds:>9,.0f} records/s", flush=True
    )
    return seconds, cpu


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()

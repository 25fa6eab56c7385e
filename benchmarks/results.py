"""Look at results of a million variants and of five: pages, filters, plots, beside `bcftools view -i`.

Made-up results as `make bench` makes them. Each page is asked for through the whole site, in this process, as
a browser would: middleware, session, template. p95 is over all runs of all filters; what a filter counted is
forgotten between the runs. bcftools reads the same annotated VCF and writes the records that its expression
lets through. Memory is the largest resident set (VmHWM) of a process that does nothing but this.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from benchmarks.memory import peak_bytes

SIZES = (1_000_000, 5_000_000)
RUNS = 9
FILTERS = {
    "all": ("", "1"),
    "page 5,000": ("page=5000", ""),
    "impact": ("impact=HIGH&impact=MODERATE", ""),
    "gene": ("gene=G1x40", ""),
    "region": ("region=2:5000000-6000000", 'CHROM="2" && POS>=5000000 && POS<=6000000'),
    "id": ("id=rs1001", 'ID="rs1001"'),
    "novel": ("known=novel", 'ID="."'),
    "rare": ("max_frequency=0.01", 'INFO/dbsnp_AF<=0.01 || INFO/dbsnp_AF="."'),
    "heterozygous": ("genotype=het:NA00001", 'GT="het"'),
    "QUAL and FILTER": ("min_quality=50&filter=PASS", 'QUAL>=50 && FILTER="PASS"'),
    "combined": ("known=novel&impact=HIGH&genotype=het:NA00001", ""),
    "by gene": ("sort=gene", ""),
    "by frequency": ("sort=-frequency", ""),
    "by severity": ("impact=HIGH&sort=consequence", ""),
}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """How long one page took; `cpu_seconds` are of all threads."""

    seconds: float
    cpu_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--keep", type=Path, help="keep the data in this folder, and take them from there")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)  # the child's part
    options = parser.parse_args()
    if options.measure:
        measure_result(options.measure)
        return
    folder = options.keep or Path(tempfile.mkdtemp(prefix="gas-bench-"))
    try:
        for size, result in made_results(folder, options.sizes).items():
            print(f"\n{size:,} variants")
            subprocess.run(
                [sys.executable, "-m", "benchmarks.results", "--measure", str(result)],
                check=True,
                timeout=3600,
            )
    finally:
        if not options.keep:
            shutil.rmtree(folder)


def made_results(folder: Path, sizes: list[int]) -> dict[int, Path]:
    """Folders with a result each, annotated by the engine where it is not there yet."""
    from annotations.engine.annotate import annotate
    from benchmarks.engine import SMALL, prepare

    bundle, inputs, _ = prepare(folder, sizes, 1_000_000, SMALL)
    results = {size: folder / f"out-{size}" for size in inputs}
    for size, source in inputs.items():
        if not results[size].exists():
            annotate(source, bundle, results[size], cores=2)
    return results


def measure_result(result: Path) -> None:
    """One result, in a process of its own: prints the times of pages and plots, and the memory."""
    client, address = site_with(result)
    pages = {name: times(partial(get, client, f"{address}?{query}")) for name, (query, _) in FILTERS.items()}
    vcf = next(result.glob("*.annot.vcf.gz"))
    print(f"{'page':18} {'median':>8} {'p95':>8} {'CPU':>8}   bcftools    ratio")
    for name, taken in pages.items():
        expression = FILTERS[name][1]
        show(name, taken, bcftools_seconds(vcf, expression) if expression else None)
    show("all pages", [one for taken in pages.values() for one in taken])
    from annotations.results.plots.catalogue import PLOTS

    for name in PLOTS:
        show(f"plot {name}", times(partial(get, client, f"{address}plots/{name}.json"), runs=1))
    for name in PLOTS:
        show(f"again {name}", times(partial(get, client, f"{address}plots/{name}.json"), runs=5))
    for name in PLOTS:  # these are counted each time
        show(f"HIGH {name}", times(partial(get, client, f"{address}plots/{name}.json?impact=HIGH"), runs=3))
    print(f"memory {peak_bytes() / 1e6:.0f} MB")


def site_with(result: Path) -> tuple[Any, str]:
    """The site on a database in memory, with the result as somebody's job, and that person's browser."""
    from django.core.management import call_command

    from gas_project import settings as site

    site.DATABASES["default"]["NAME"] = ":memory:"
    site.OBJECT_STORE = "annotations.storage.local.LocalObjectStore"
    site.STORAGES["default"]["OPTIONS"] = {"location": result}  # type: ignore[index]
    site.ALLOWED_HOSTS = ["testserver"]
    django.setup()
    from django.test import Client

    from annotations.models import Job
    from gas_project.accounts.models import User

    call_command("migrate", verbosity=0)
    user = User.objects.create(email="bench@example.org")
    vcf = next(result.glob("*.annot.vcf.gz"))
    job = Job.objects.create(
        user=user,
        input_file_name="bench.vcf",
        inputs_bucket="inputs",
        input_key="none",
        input_bytes=1,
        reference="bench/1",
        status="COMPLETED",
        result_state="AVAILABLE",
        result_key=vcf.name,
        index_key=f"{vcf.name}.tbi",
        table_key=next(result.glob("*.parquet")).name,
    )
    client = Client()
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    started = time.perf_counter()
    get(client, f"/jobs/{job.job_id}/result/")
    print(f"first page of all, with imports {1000 * (time.perf_counter() - started):.0f} ms")
    return client, f"/jobs/{job.job_id}/result/"


def get(client: Any, address: str) -> None:
    response = client.get(address)
    if response.status_code != 200:
        sys.exit(f"{address} answered {response.status_code}")


def times(ask: Callable[[], None], runs: int = RUNS) -> list[Taken]:
    from annotations.results import rows

    taken = []
    for _ in range(runs):
        rows._count.cache_clear()
        started, cpu_started = time.perf_counter(), time.process_time()
        ask()
        taken.append(Taken(time.perf_counter() - started, time.process_time() - cpu_started))
    return taken


def show(name: str, taken: list[Taken], beside_seconds: float | None = None) -> None:
    """Median and p95 of the time, and the median of the CPU time: it tells more on a machine with others."""
    seconds = sorted(one.seconds for one in taken)
    median, cpu = statistics.median(seconds), statistics.median(one.cpu_seconds for one in taken)
    p95 = seconds[max(0, -(-95 * len(seconds) // 100) - 1)]
    ratio = f"{1000 * beside_seconds:7.0f} ms {median / beside_seconds:8.3f}" if beside_seconds else ""
    print(f"{name:18} {1000 * median:5.0f} ms {1000 * p95:5.0f} ms {1000 * cpu:5.0f} ms {ratio}")


def bcftools_seconds(vcf: Path, expression: str) -> float:
    """In a process of its own, as it is used; it writes what it finds uncompressed to nowhere."""
    code = "import sys, pysam.bcftools; pysam.bcftools.view(*sys.argv[1:], catch_stdout=False)"
    arguments = ["-Ou", "-o", "/dev/null", "-i", expression, str(vcf)]
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, timeout=600)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

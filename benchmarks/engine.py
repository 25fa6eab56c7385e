"""`make bench`: the engine beside what else annotates, on the same made-up files.

The peers, each where it is installed:

- bcftools, as pysam bundles it: annotate and csq in a process each, joined by a pipe, compressed VCF out. It
  writes neither CSQ nor the location in every transcript, nor a table, an index or a count log: the engine
  does all of these.
- snpEff (Debian's), with its database built from the same gene models; it adds no known variants.
- vcfanno (Debian's), with the known variants alone.

All read the same indexed VCF, one after the other, in this run, on this machine; what counts is the ratio.
Memory is the largest sum, over samples 50 ms apart, of the proportional set sizes (PSS) of a run's processes:
memory that they share counts once.

With `--many-genes` also 1,000 variants against 3.4 million lines of GFF3 and 10 million known variants,
beside bare csq, which reads all of these lines; making the data takes some ten minutes, so `--keep` them.
With `--sizes 1000000 5000000` it shows that memory does not grow with the input.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pysam

from annotations.engine.building import BundleRecipe, KnownInput, build_bundle
from annotations.engine.bundle import ReferenceBundle
from benchmarks import peers, scattered
from benchmarks.synthetic import MANY_GENES, SMALL, Files, Shape, make_reference, write_variants

SIZES = (1_000, 100_000, 1_000_000)
SAMPLE_SECONDS = 0.05
SLOW_PEERS_UP_TO = 1_000_000  # variants; snpEff needs minutes for more


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu_seconds: float  # of all processes, which tells more where others use the machine too
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--known", type=int, default=1_000_000, help="known variants")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--many-genes", action="store_true", help="also the gene set of human size")
    parser.add_argument("--keep", type=Path, help="keep the data in this folder, and take them from there")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="gas-bench-"))
    try:
        bundle, inputs, files = prepare(folder / "small", options.sizes, options.known, SMALL)
        print(f"cores {options.cores} of {os.cpu_count()}; memory is the peak sum of PSS of all processes")
        print(_HEADING)
        for size, source in inputs.items():
            report(size, source, bundle, files, options.cores)
        print("\ndivided for the workers of the service")
        bounded = [size for size in inputs if size <= SLOW_PEERS_UP_TO]
        scattered.report(inputs[max(bounded, default=min(inputs))], bundle)
        if options.many_genes:
            bundle, inputs, files = prepare(folder / "many-genes", [1_000], 10_000_000, MANY_GENES)
            print("\n3.4 million lines of GFF3, 10 million known variants, beside bare csq")
            print(_HEADING)
            report_many_genes(inputs[1_000], bundle, files, options.cores)
    finally:
        if not options.keep:
            shutil.rmtree(folder)


def prepare(
    folder: Path, sizes: Sequence[int], known_records: int, shape: Shape
) -> tuple[ReferenceBundle, dict[int, Path], Files]:
    """Make what is not there yet: reference bundle, inputs, and the peers' own known variants."""
    inputs = {size: folder / f"input-{size}.vcf.gz" for size in sizes}
    place = folder / "references" / "bench" / "1"
    files = Files(folder / "genome.fa", folder / "genes.gff3.gz", folder / "known.vcf", folder)
    if place.exists() and all(path.exists() for path in inputs.values()):
        return ReferenceBundle.open(place), inputs, files
    folder.mkdir(parents=True, exist_ok=True)
    print("making the data ...", file=sys.stderr)
    files, genome = make_reference(folder, known_records, shape)
    for size, path in inputs.items():
        plain = path.with_suffix("")
        write_variants(plain, genome, size, files.known)
        _compress(plain)
    pysam.faidx(str(files.fasta))
    _compress(files.known)
    recipe = BundleRecipe("bench", "1", files.fasta, files.gff, (KnownInput("dbsnp", files.known),))
    shutil.rmtree(place, ignore_errors=True)
    return build_bundle(recipe, folder / "references"), inputs, files


def _compress(vcf: Path) -> None:
    pysam.tabix_compress(str(vcf), f"{vcf}.gz", force=True)
    pysam.tabix_index(f"{vcf}.gz", preset="vcf", force=True)


def report(size: int, source: Path, bundle: ReferenceBundle, files: Files, cores: int) -> None:
    """Lines of the table: the engine, and each peer with the engine's ratio to it."""
    engine = measure([engine_command(source, bundle, files.folder / "out", cores)])
    show(size, "engine", engine)
    beside: dict[str, peers.Commands | None] = {"bcftools": peers.bcftools(source, files)}
    if size <= SLOW_PEERS_UP_TO:
        beside |= {"snpEff": peers.snpeff(source, files), "vcfanno": peers.vcfanno(source, files, cores)}
    for name, commands in beside.items():
        if commands:
            show(size, name, measure(commands), engine)
        else:
            print(f"{size:>10,} {name:10} is not installed")


def report_many_genes(source: Path, bundle: ReferenceBundle, files: Files, cores: int) -> None:
    """The command, the engine in a process that has loaded its libraries, as a worker has, and csq."""
    command = engine_command(source, bundle, files.folder / "out", cores)
    engine, worker = measure([command]), _in_a_worker(command)
    show(1_000, "engine", engine)
    show(1_000, "in a worker", worker)
    csq = measure(peers.csq(source, files))
    show(1_000, "csq", csq, engine)
    print(
        f"{'':10} in a worker : csq   time {worker.seconds / csq.seconds:.2f}, "
        f"CPU {worker.cpu_seconds / csq.cpu_seconds:.2f}"
    )


_SECOND_RUN = """
import os, sys, time
import annotations.engine.__main__ as engine
engine.main(sys.argv[1:])
before, started = os.times(), time.monotonic()
engine.main(sys.argv[1:])
after, ended = os.times(), time.monotonic()
print()
print(ended - started, sum(after[:4]) - sum(before[:4]))
"""


def _in_a_worker(command: Sequence[str]) -> Measured:
    """The second run in one process."""
    arguments = [sys.executable, "-c", _SECOND_RUN, *command[3:]]
    told = subprocess.run(arguments, capture_output=True, check=True, timeout=600)
    seconds, cpu_seconds = map(float, told.stdout.decode().splitlines()[-1].split())
    return Measured(seconds, cpu_seconds, 0)


_HEADING = (
    f"{'variants':>10} {'':11} {'seconds':>8} {'CPU s':>7} {'variants/s':>11} {'MB':>6}   engine : this"
)


def show(size: int, name: str, run: Measured, engine: Measured | None = None) -> None:
    ratio = ""
    if engine:
        ratio = (
            f"time {engine.seconds / run.seconds:.2f}, CPU {engine.cpu_seconds / run.cpu_seconds:.2f}, "
            f"memory {engine.peak_bytes / run.peak_bytes:.1f}"
        )
    print(
        f"{size:>10,} {name:11} {run.seconds:>8.2f} {run.cpu_seconds:>7.2f} "
        f"{size / run.seconds:>11,.0f} {run.peak_bytes / 1e6:>6.0f}   {ratio}",
        flush=True,
    )


def engine_command(source: Path, bundle: ReferenceBundle, output: Path, cores: int) -> list[str]:
    options = ["--reference", str(bundle.path), "--output", str(output), "--cores", str(cores)]
    return [sys.executable, "-m", "annotations.engine", str(source), *options]


def measure(commands: Sequence[Sequence[str]]) -> Measured:
    """Run the commands as a pipeline; wall time and peak memory of them and all their children."""
    started, cpu_before = time.monotonic(), _cpu_seconds()
    running: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryFile() as messages:
        for command in commands:
            source = running[-1].stdout if running else subprocess.DEVNULL
            target = subprocess.DEVNULL if command is commands[-1] else subprocess.PIPE
            running.append(subprocess.Popen(command, stdin=source, stdout=target, stderr=messages))
            if running[:-1]:
                source.close()  # type: ignore[union-attr]  # the reader alone holds it now
        peak = _watch(running)
        seconds = time.monotonic() - started
        if any(process.returncode for process in running):
            messages.seek(0)
            raise SystemExit(f"{commands!r} failed:\n{messages.read().decode()}")
    return Measured(seconds, _cpu_seconds() - cpu_before, peak)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(running: Sequence[subprocess.Popen[bytes]]) -> int:
    peak = 0
    while any(process.poll() is None for process in running):
        peak = max(peak, sum(_tree_bytes(process.pid) for process in running))
        time.sleep(SAMPLE_SECONDS)
    return peak


def _tree_bytes(process_id: int) -> int:
    total = 0
    try:
        root = psutil.Process(process_id)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    for process in tree:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue  # it ended while it was looked at
    return total


if __name__ == "__main__":
    main()

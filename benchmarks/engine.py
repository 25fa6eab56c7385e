"""`make bench`: the engine beside bare `bcftools annotate | bcftools csq`, on the same made-up files.

The peer is the bcftools that pysam bundles, annotate and csq in a process each, joined by a pipe, compressed
VCF out. It writes neither CSQ nor the location in every transcript, nor a table, an index or a count log: the
engine does all of these. Both read the same indexed VCF, in this order, in this run, on this machine; what
counts is the ratio. Memory is the largest sum, over samples 50 ms apart, of the proportional set sizes (PSS)
of a run's processes: memory that they share counts once.
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
from benchmarks.synthetic import Files, make_reference, write_variants

SIZES = (1_000, 100_000, 1_000_000)
SAMPLE_SECONDS = 0.05
_BCFTOOLS = "import sys, pysam.bcftools as b; getattr(b, sys.argv[1])(*sys.argv[2:], catch_stdout=False)"


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu_seconds: float  # of all processes, which tells more where others use the machine too
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--known", type=int, default=1_000_000, help="known variants")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="keep the data in this folder, and take them from there")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="gas-bench-"))
    try:
        bundle, inputs, peers = prepare(folder, options.sizes, options.known)
        print(f"cores {options.cores} of {os.cpu_count()}; memory is the peak sum of PSS of all processes")
        print(
            f"{'variants':>10} {'':10} {'seconds':>8} {'CPU s':>7} {'variants/s':>11} {'MB':>6}"
            "   engine : peer"
        )
        for size, source in inputs.items():
            report(size, source, bundle, peers, folder, options.cores)
    finally:
        if not options.keep:
            shutil.rmtree(folder)


def prepare(
    folder: Path, sizes: Sequence[int], known_records: int
) -> tuple[ReferenceBundle, dict[int, Path], Files]:
    """Make what is not there yet: reference bundle, inputs, and the peer's own known variants."""
    inputs = {size: folder / f"input-{size}.vcf.gz" for size in sizes}
    place = folder / "references" / "bench" / "1"
    files = Files(folder / "genome.fa", folder / "genes.gff3.gz", folder / "known.vcf", folder)
    if place.exists() and all(path.exists() for path in inputs.values()):
        return ReferenceBundle.open(place), inputs, files
    folder.mkdir(exist_ok=True)
    print("making the data ...", file=sys.stderr)
    files, genome = make_reference(folder, known_records)
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


def report(  # noqa: PLR0913, PLR0917 - one line of the table
    size: int, source: Path, bundle: ReferenceBundle, files: Files, folder: Path, cores: int
) -> None:
    engine = measure([engine_command(source, bundle, folder / "out", cores)])
    peer = measure(peer_commands(source, files, folder))
    ratio = (
        f"time {engine.seconds / peer.seconds:.2f}, CPU {engine.cpu_seconds / peer.cpu_seconds:.2f}, "
        f"memory {engine.peak_bytes / peer.peak_bytes:.1f}"
    )
    for name, run, remark in (("engine", engine, ratio), ("bcftools", peer, "")):
        print(
            f"{size:>10,} {name:10} {run.seconds:>8.2f} {run.cpu_seconds:>7.2f} "
            f"{size / run.seconds:>11,.0f} {run.peak_bytes / 1e6:>6.0f}   {remark}"
        )


def engine_command(source: Path, bundle: ReferenceBundle, output: Path, cores: int) -> list[str]:
    options = ["--reference", str(bundle.path), "--output", str(output), "--cores", str(cores)]
    return [sys.executable, "-m", "annotations.engine", str(source), *options]


def peer_commands(source: Path, files: Files, folder: Path) -> list[list[str]]:
    """annotate, which needs an indexed file, and csq that reads what it writes."""
    annotate = ["annotate", "-a", f"{files.known}.gz", "-c", "ID,INFO/AF", "-Ou", "-o", "-", str(source)]
    csq = ["csq", "-l", "-p", "a", "--force", "--ncsq", "64", "-v", "0", "-f", str(files.fasta)]
    csq += ["-g", str(files.gff), "-Oz", "-o", str(folder / "peer.vcf.gz"), "-"]
    return [[sys.executable, "-c", _BCFTOOLS, *step] for step in (annotate, csq)]


def measure(commands: Sequence[Sequence[str]]) -> Measured:
    """Run the commands as a pipeline; wall time and peak memory of them and all their children."""
    started, cpu_before = time.monotonic(), _cpu_seconds()
    running: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryFile() as messages:
        for command in commands:
            source = running[-1].stdout if running else subprocess.DEVNULL
            running.append(subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=messages))
            if running[:-1]:
                source.close()  # type: ignore[union-attr]  # the reader alone holds it now
        last_output = running[-1].stdout
        peak = _watch(running)
        seconds = time.monotonic() - started
        last_output.close()  # type: ignore[union-attr]
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

"""`make bench`: archive and restore beside `cp` of the same bytes, and the memory that they need.

Each step runs in a process of its own, from files on this disk to files on this disk, with the local vault:
what is measured is packing, hashing and copying, which is what every cold storage adds to its own speed. An
archive is written, synced and read again to compare it; a restore takes the files out, checks them and copies
them to the object store. What counts is the ratio of bytes a second in this run; memory is the process's peak
resident set, of which Python, Django and boto3 are the base.
"""

import argparse
import os
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

MEGABYTE = 1_000_000
KEYS = {"result": "u/j/r/a.annot.vcf.gz", "index": "u/j/r/a.annot.vcf.gz.tbi", "table": "u/j/r/a.parquet"}
SHARES = {"result": 0.7, "index": 0.01, "table": 0.29}
TOKEN = "u/j/archive"  # noqa: S105  a name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 2000])
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        measured(options.step, options.folder)
        return
    print(f"{'MB':>6} {'step':10} {'seconds':>8} {'CPU s':>7} {'MB/s':>8} {'of cp':>7} {'peak MB':>8}")
    for megabytes in options.megabytes:
        folder = Path(tempfile.mkdtemp(prefix="gas-bench-", dir=options.folder))
        try:
            write_files(folder, megabytes * MEGABYTE)
            report(folder, megabytes)
        finally:
            shutil.rmtree(folder)


def write_files(folder: Path, size_bytes: int) -> None:
    """Bytes that no file system can compress or share."""
    block = secrets.token_bytes(MEGABYTE)
    for kind, key in KEYS.items():
        path = folder / "objects" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        left = int(size_bytes * SHARES[kind])
        with path.open("wb") as file:
            while left > 0:
                left -= file.write(block[:left])
                block = block[1:] + block[:1]


def report(folder: Path, megabytes: int) -> None:
    speed_of_cp = 0.0
    for step in STEPS:
        command = [sys.executable, "-m", "benchmarks.archive", "--step", step, "--folder", str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=3600)
        seconds, cpu_seconds, peak_bytes = (float(part) for part in done.stdout.split())
        speed = megabytes / seconds
        speed_of_cp = speed_of_cp or speed
        print(
            f"{megabytes:>6} {step:10} {seconds:>8.2f} {cpu_seconds:>7.2f} {speed:>8.0f}"
            f" {speed / speed_of_cp:>6.0%} {peak_bytes / MEGABYTE:>8.0f}"
        )


def measured(step: str, folder: Path) -> None:
    """Prints wall and CPU seconds of the step alone, and the peak memory of this whole process in bytes."""
    run = STEPS[step](folder)
    begin, cpu = time.perf_counter(), _cpu_seconds()
    run()
    seconds, cpu_seconds = time.perf_counter() - begin, _cpu_seconds() - cpu
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(seconds, cpu_seconds, peak_bytes)


def _cpu_seconds() -> float:
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def copying(folder: Path) -> Callable[[], None]:
    """cp, and then sync of what it wrote: an archive is synced too."""

    def run() -> None:
        subprocess.run(["/bin/cp", "-r", folder / "objects" / "u", folder / "copy"], check=True, timeout=3600)
        for path in (folder / "copy").rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())

    return run


def archiving(folder: Path) -> Callable[[], None]:
    _set_up(folder)
    from annotations.storage import object_store
    from archival.packing import Packing
    from archival.storage import cold_storage

    def run() -> None:
        packing = Packing(object_store(), KEYS)
        cold_storage().archive(packing.stream(), packing.size_bytes, TOKEN)

    return run


def restoring(folder: Path) -> Callable[[], None]:
    _set_up(folder)
    from annotations.scratch import scratch_folder
    from annotations.storage import object_store
    from archival.packing import unpack
    from archival.storage import RetrievalOption, cold_storage

    cold, store = cold_storage(), object_store()
    ref = f"{TOKEN}.tar"
    ticket = cold.request_thaw(ref, RetrievalOption.EXPEDITED, TOKEN).ticket

    def run() -> None:
        with scratch_folder() as scratch:
            for name in unpack(cold.restore(ref, ticket), scratch):
                store.publish(scratch / name, f"u/j/back/{name}")

    return run


def _set_up(folder: Path) -> None:
    os.environ["GAS_STATE_DIR"] = str(folder)
    os.environ["GAS_VAULT_EXPEDITED_SECONDS"] = "0"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gas_project.settings")
    import boto3  # noqa: F401  every worker has it loaded
    import django

    django.setup()


STEPS: dict[str, Callable[[Path], Callable[[], None]]] = {
    "cp": copying,
    "archive": archiving,
    "restore": restoring,
}


if __name__ == "__main__":
    main()

"""`make bench`: archive and restore beside `cp` of the same bytes, and the memory that they need.

Each step runs in a process of its own, from files on this disk to files on this disk, with each cold storage:
the local vault, and S3 and a Glacier vault as `cold_server` plays them on this machine. What is measured is
packing, hashing and copying, which is what every cold storage adds to its own speed. The local vault writes
an archive, syncs it and reads it again to compare it; a restore takes the files out, checks them and copies
them to the object store. What counts is the ratio of bytes a second in this run. Memory is the process's peak
resident set, Python, Django and boto3 included, and how much of it was there before the first byte moved.
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
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmarks.cold_server import cold_server

MEGABYTE = 1_000_000
MEBIBYTE = 1024 * 1024
KEYS = {"result": "u/j/r/a.annot.vcf.gz", "index": "u/j/r/a.annot.vcf.gz.tbi", "table": "u/j/r/a.parquet"}
SHARES = {"result": 0.7, "index": 0.01, "table": 0.29}
TOKEN = "u/j/archive"  # noqa: S105  a name
NOBODY = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 2000])
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    parser.add_argument("--cold", choices=COLD, nargs="+", default=list(COLD), help="which cold storages")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        measured(options.step, options.folder)
        return
    print(
        f"{'MB':>6} {'step':14} {'seconds':>8} {'CPU s':>7} {'MB/s':>6}"
        f" {'of cp':>6} {'peak MiB':>8} {'at start':>9}"
    )
    for megabytes in options.megabytes:
        folder = Path(tempfile.mkdtemp(prefix="gas-bench-", dir=options.folder))
        try:
            write_files(folder, megabytes * MEGABYTE)
            report(folder, megabytes, options.cold)
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


def report(folder: Path, megabytes: int, cold: list[str]) -> None:
    """A line for `cp`, then two for each cold storage."""
    copied = timed(folder, "cp", {})
    speed_of_cp = megabytes / copied[0]

    def line(title: str, seconds: float, cpu_seconds: float, peak_bytes: float, start_bytes: float) -> None:
        speed = megabytes / seconds
        print(
            f"{megabytes:>6} {title:14} {seconds:>8.2f} {cpu_seconds:>7.2f} {speed:>6.0f}"
            f" {speed / speed_of_cp:>6.0%} {peak_bytes / MEBIBYTE:>8.0f} {start_bytes / MEBIBYTE:>9.0f}",
            flush=True,
        )

    line("cp", *copied)
    for name in cold:
        (folder / name).mkdir()
        with COLD[name](folder / name) as environment:
            for step in ("archive", "restore"):
                line(f"{step} {name}", *timed(folder, step, environment))
        shutil.rmtree(folder / name)
        shutil.rmtree(folder / "objects" / "u" / "j" / "back")


def timed(folder: Path, step: str, environment: dict[str, str]) -> tuple[float, float, float, float]:
    """Run the step in a process of its own; what `measured` prints there."""
    command = [sys.executable, "-m", "benchmarks.archive", "--step", step, "--folder", str(folder)]
    done = subprocess.run(
        command,
        env=os.environ | {"GAS_STATE_DIR": str(folder)} | environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=3600,
    )
    seconds, cpu_seconds, peak_bytes, start_bytes = map(float, done.stdout.split())
    return seconds, cpu_seconds, peak_bytes, start_bytes


@contextmanager
def local(folder: Path) -> Iterator[dict[str, str]]:
    yield {"GAS_VAULT_DIR": str(folder), "GAS_VAULT_EXPEDITED_SECONDS": "0"}


@contextmanager
def s3(folder: Path) -> Iterator[dict[str, str]]:
    with cold_server(folder) as url:
        yield NOBODY | {"GAS_ARCHIVE_BUCKET": "archives", "AWS_ENDPOINT_URL": url}


@contextmanager
def vault(folder: Path) -> Iterator[dict[str, str]]:
    with cold_server(folder) as url:
        yield NOBODY | {"GAS_GLACIER_VAULT": "results", "AWS_ENDPOINT_URL": url}


def measured(step: str, folder: Path) -> None:
    """Prints wall and CPU seconds of the step alone, then its memory, bytes: the peak, and before."""
    run = STEPS[step](folder)
    start_bytes = _peak_bytes()
    begin, cpu = time.perf_counter(), _cpu_seconds()
    run()
    seconds, cpu_seconds = time.perf_counter() - begin, _cpu_seconds() - cpu
    print(seconds, cpu_seconds, _peak_bytes(), start_bytes)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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
    _set_up()
    from annotations.storage import object_store
    from archival.packing import Packing
    from archival.storage import cold_storage

    cold = cold_storage()

    def run() -> None:
        packing = Packing(object_store(), KEYS)
        ref = cold.archive(packing.stream(), packing.size_bytes, TOKEN)
        (folder / "ref").write_text(ref)

    return run


def restoring(folder: Path) -> Callable[[], None]:
    _set_up()
    from annotations.scratch import scratch_folder
    from annotations.storage import object_store
    from archival.packing import unpack
    from archival.storage import RetrievalOption, cold_storage

    cold, store = cold_storage(), object_store()
    ref = (folder / "ref").read_text()

    def run() -> None:
        ticket = cold.request_thaw(ref, RetrievalOption.EXPEDITED, TOKEN).ticket
        with scratch_folder() as scratch:
            for name in unpack(cold.restore(ref, ticket), scratch):
                store.publish(scratch / name, f"u/j/back/{name}")

    return run


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gas_project.settings")
    import django

    django.setup()


STEPS: dict[str, Callable[[Path], Callable[[], None]]] = {
    "cp": copying,
    "archive": archiving,
    "restore": restoring,
}
COLD: dict[str, Callable[[Path], AbstractContextManager[dict[str, str]]]] = {
    "local": local,
    "s3": s3,
    "vault": vault,
}


if __name__ == "__main__":
    main()

"""`make bench`: archive and restore beside `cp` of the same bytes, and the memory that they need.

Each step runs in a process of its own, as a worker has a large result moved (`archival.mover`), from files on
this disk to files on this disk, with each cold storage: the local vault, and S3 and a Glacier vault as
`cold_server` plays them on this machine. What is measured is packing, hashing and copying, which is what
every cold storage adds to its own speed. The local vault writes an archive, syncs it and reads it again to
compare it; a restore takes the files out, checks them and copies them to the object store. What counts is the
ratio of bytes a second in this run. At the end the SHA-256 of each file that came back is compared with that
of the one that went in.

Memory is the largest resident set (VmHWM) of the process that moves, Python, Django and boto3 included, and
how much of it was there before the first call.
"""

import argparse
import hashlib
import json
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
from typing import Any

from benchmarks.memory import peak_bytes

MEGABYTE = 1_000_000
MEBIBYTE = 1024 * 1024
KEYS = {"result": "u/j/r/a.annot.vcf.gz", "index": "u/j/r/a.annot.vcf.gz.tbi", "table": "u/j/r/a.parquet"}
SHARES = {"result": 0.7, "index": 0.01, "table": 0.29}
BACK = {kind: key.replace("/r/", "/back/") for kind, key in KEYS.items()}
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
    parser.add_argument("--settings", type=json.loads, default={}, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        measured(options.step, options.folder, options.settings)
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
    copied = timed(folder, "cp", {}, {})
    shutil.rmtree(folder / "copy")
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
        with COLD[name](folder / name) as (environment, settings):
            for step in ("archive", "restore"):
                line(f"{step} {name}", *timed(folder, step, environment, settings))
        check(folder)
        shutil.rmtree(folder / name)
        shutil.rmtree(folder / "objects" / "u" / "j" / "back")


def check(folder: Path) -> None:
    """Ends the run where a file came back other than it went in."""
    for kind, key in KEYS.items():
        sent, returned = (digest_of(folder / "objects" / name) for name in (key, BACK[kind]))
        if sent != returned:
            sys.exit(f"{key} went in with SHA-256 {sent}, and came back with {returned}.")


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def timed(
    folder: Path, step: str, environment: dict[str, str], settings: dict[str, Any]
) -> tuple[float, float, float, float]:
    """Run the step in a process of its own; what `measured` prints there."""
    command = [sys.executable, "-m", "benchmarks.archive", "--step", step, "--folder", str(folder)]
    done = subprocess.run(
        [*command, "--settings", json.dumps(settings)],
        env=os.environ | environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=3600,
    )
    seconds, cpu_seconds, peak_bytes, start_bytes = map(float, done.stdout.split())
    return seconds, cpu_seconds, peak_bytes, start_bytes


Cold = tuple[dict[str, str], dict[str, Any]]  # the environment, and what of the settings is its own


@contextmanager
def local(folder: Path) -> Iterator[Cold]:
    vault = {
        "folder": str(folder),
        "expedited_seconds": 0,
        "standard_seconds": 0,
        "expedited_at_once": 5,
        "retrieved_kept_seconds": 3600,
    }
    yield {}, {"COLD_STORAGE": "archival.storage.local.LocalVault", "VAULT": vault}


@contextmanager
def s3(folder: Path) -> Iterator[Cold]:
    from benchmarks.cold_server import cold_server

    with cold_server(folder) as url:
        settings = {
            "COLD_STORAGE": "archival.storage.s3.S3Archive",
            "ARCHIVE_BUCKET": "archives",
            "ARCHIVE_STORAGE_CLASS": "GLACIER",
        }
        yield NOBODY | {"AWS_ENDPOINT_URL": url}, settings


@contextmanager
def vault(folder: Path) -> Iterator[Cold]:
    from benchmarks.cold_server import cold_server

    with cold_server(folder) as url:
        settings = {
            "COLD_STORAGE": "archival.storage.glacier.GlacierVault",
            "GLACIER_VAULT": "results",
            "GLACIER_TOPIC": "",
        }
        yield NOBODY | {"AWS_ENDPOINT_URL": url}, settings


def measured(step: str, folder: Path, settings: dict[str, Any]) -> None:
    """Prints wall and CPU seconds of the step alone, then its memory, bytes: the peak, and before."""
    run = STEPS[step](folder, settings)
    start_bytes = peak_bytes()
    begin, cpu = time.perf_counter(), _cpu_seconds()
    run()
    seconds, cpu_seconds = time.perf_counter() - begin, _cpu_seconds() - cpu
    print(seconds, cpu_seconds, peak_bytes(), start_bytes)


def _cpu_seconds() -> float:
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def copying(folder: Path, _: dict[str, Any]) -> Callable[[], None]:
    """cp, and then sync of what it wrote: an archive is synced too."""

    def run() -> None:
        subprocess.run(["/bin/cp", "-r", folder / "objects" / "u", folder / "copy"], check=True, timeout=3600)
        for path in (folder / "copy").rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())

    return run


def archiving(folder: Path, settings: dict[str, Any]) -> Callable[[], None]:
    moves = _moves(folder, settings)

    def run() -> None:
        archived = moves.pack_away(moves.packing_of(KEYS), TOKEN)
        (folder / "archived").write_text(json.dumps(archived.as_json()))

    return run


def restoring(folder: Path, settings: dict[str, Any]) -> Callable[[], None]:
    moves = _moves(folder, settings)
    from archival.storage import RetrievalOption, cold_storage

    archived = moves.Archived.of_json(json.loads((folder / "archived").read_text()))

    def run() -> None:
        ticket = cold_storage().request_thaw(archived.ref, RetrievalOption.EXPEDITED, TOKEN).ticket
        recorded = list(archived.contents.values())
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            moves.bring_back(moves.Return(archived.ref, ticket, BACK, recorded), Path(scratch))

    return run


def _moves(folder: Path, settings: dict[str, Any]) -> Any:
    """`archival.moves`, set up as `archival.mover` does it, with both stores made."""
    from archival import mover

    objects = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(folder / "objects")},
    }
    mover.settings.configure(
        OBJECT_STORE="annotations.storage.local.LocalObjectStore",
        STORAGES={"default": objects},
        USE_TZ=True,
        **settings,
    )
    from annotations.storage import object_store
    from archival import moves
    from archival.storage import cold_storage

    object_store(), cold_storage()
    return moves


STEPS: dict[str, Callable[[Path, dict[str, Any]], Callable[[], None]]] = {
    "cp": copying,
    "archive": archiving,
    "restore": restoring,
}
COLD: dict[str, Callable[[Path], AbstractContextManager[Cold]]] = {
    "local": local,
    "s3": s3,
    "vault": vault,
}


if __name__ == "__main__":
    main()

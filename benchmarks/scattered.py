"""One file divided for workers, as the service divides a large upload, beside the same file left whole.

    python -m benchmarks.scattered INPUT BUNDLE      (`make bench` runs it on its own data)

Every worker slot is one process at a time, with files of its own, as on a host of its own; what a queue and
an object store take is not in it. All write the same bytes, which is looked at.
"""

import filecmp
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from annotations.engine import scatter
from annotations.engine.annotate import annotate
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.layout import PLAN_NAME, Shard, Summary

SHARD_RECORDS = 250_000  # the service's own setting


def report(source: Path, bundle: ReferenceBundle) -> None:
    """Print the wall time of the file whole, and divided for one slot and for two."""
    with tempfile.TemporaryDirectory(prefix="gas-bench-") as name:
        folder = Path(name)
        started = time.monotonic()
        whole = annotate(source, bundle, folder / "whole", cores=1)
        alone = time.monotonic() - started
        print(f"{whole.records_in:>10,} variants whole, in one process: {alone:.2f} s")
        for slots in (1, 2):
            started = time.monotonic()
            shards, divided = _divided(source, bundle, folder / f"slots-{slots}", slots)
            seconds = time.monotonic() - started
            same = all(filecmp.cmp(path, divided.files[kind], False) for kind, path in whole.files.items())
            print(
                f"{'':10} in {shards} shards on {slots} worker slot{'s' * (slots > 1)}: {seconds:.2f} s, "
                f"{alone / seconds:.2f} times as fast; {'the same bytes' if same else 'OTHER BYTES'}",
                flush=True,
            )
            shutil.rmtree(folder / f"slots-{slots}")


def _divided(source: Path, bundle: ReferenceBundle, folder: Path, slots: int) -> tuple[int, Summary]:
    planner, gatherer = folder / "planner", folder / "gatherer"
    gatherer.mkdir(parents=True)
    plan = scatter.plan_shards(
        source,
        bundle,
        planner,
        shard_records=SHARD_RECORDS,
        haplotype_aware=False,
        progress=lambda *_: None,
    )
    shutil.copy(planner / PLAN_NAME, gatherer)
    for shard in plan.shards:
        host = folder / f"host-{shard.number}"
        host.mkdir()
        shutil.copy(planner / PLAN_NAME, host)
        scatter.write_input(planner, plan, shard.number).rename(host / scatter.input_name(shard.number))

    def work(shard: Shard) -> None:
        host = folder / f"host-{shard.number}"
        output = scatter.annotate_input(host, shard.number, bundle, progress=lambda _: None)
        output.rename(gatherer / output.name)

    with ThreadPoolExecutor(slots) as pool:
        list(pool.map(work, plan.shards))
    summary = scatter.gather_shards(gatherer, bundle, folder / "result", progress=lambda *_: None)
    return len(plan.shards), summary


if __name__ == "__main__":
    report(Path(sys.argv[1]), ReferenceBundle.open(Path(sys.argv[2])))

"""Annotate one file on several hosts that share no disk.

    plan_shards      on one host:    SOURCE                     → plan.json, records
    write_input      there, a shard:  plan.json, records        → records-N.gz
    annotate_input   anywhere:        plan.json, records-N.gz   → shard-N.tar
    gather_shards    on one host:     plan.json, all shard-N.tar → the result

Whoever calls these carries the files from host to host. The result is that of `annotate.annotate`.
"""

import shutil
import tarfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path

from isal import igzip

from annotations.engine.annotate import ANNOTATE, CHECK, PUBLISH, Progress, command_of, result_name
from annotations.engine.bgzf import BgzfWriter
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.errors import EngineFailure
from annotations.engine.layout import RECORDS_NAME, Chunk, Plan, Rules, Segment, Summary, shard_directory
from annotations.engine.stages import LARGE_BYTES, Stages, stages, stages_with_kept_helper

_COPY_BYTES = 4 << 20


def input_name(number: int) -> str:
    """The file with the records of a shard."""
    return f"records-{number}.gz"


def output_name(number: int) -> str:
    """The file with what became of a shard."""
    return f"shard-{number}.tar"


def plan_shards(  # noqa: PLR0913 - the options of the engine, each named by its caller
    source: Path,
    bundle: ReferenceBundle,
    directory: Path,
    *,
    shard_records: int,
    haplotype_aware: bool,
    progress: Progress,
) -> Plan:
    """Check `source` and cut it, into `directory`. Raises UnusableInput, EngineFailure."""
    order = {
        "source": str(source),
        "name": result_name(source),
        "bundle": str(bundle.path),
        "cores": 1,
        "haplotype_aware": haplotype_aware,
        "keep_bcsq": False,
        "rules": asdict(Rules()),
        "shard_records": shard_records,
    }
    directory.mkdir(parents=True, exist_ok=True)
    progress(CHECK, 0, 0)
    large = source.stat().st_size > LARGE_BYTES
    with _stages(directory, in_child=large) as run:
        return run.plan(order, watch=lambda: progress(CHECK, 0, 0))


def write_input(directory: Path, plan: Plan, number: int) -> Path:
    """The records of a shard as a file of their own."""
    target = directory / input_name(number)
    start, end = _byte_range(plan, number)
    with (directory / RECORDS_NAME).open("rb") as records, BgzfWriter(target) as packed:
        records.seek(start)
        while start < end:
            block = records.read(min(_COPY_BYTES, end - start))
            if not block:
                raise EngineFailure(f"the records of shard {number} are not all there")
            packed.write(block)
            start += len(block)
    return target


def annotate_input(
    directory: Path, number: int, bundle: ReferenceBundle, *, progress: Callable[[int], None]
) -> Path:
    """Annotate the shard whose input is in `directory`; `progress` gets its records done.

    May be done anew, anywhere, any number of times: what comes out is always the same.
    """
    plan = Plan.load(directory)
    with (
        igzip.open(directory / input_name(number)) as packed,
        (directory / RECORDS_NAME).open("wb") as records,
    ):
        shutil.copyfileobj(packed, records, _COPY_BYTES)
    _alone(plan, number).save(directory)
    with _stages(directory, in_child=True) as run:
        run.shard(number, bundle, progress)
    target = directory / output_name(number)
    with tarfile.open(target, "w") as tar:
        for path in sorted(shard_directory(directory, number).iterdir()):
            tar.add(path, path.name)
    return target


def annotate_here(directory: Path, bundle: ReferenceBundle, output: Path, *, progress: Progress) -> Summary:
    """For a plan that turned out to have one shard: what the other steps would do, on this host."""
    plan = Plan.load(directory)
    large = (directory / RECORDS_NAME).stat().st_size > LARGE_BYTES
    with _stages(directory, in_child=large) as run:
        run.shard(0, bundle, lambda done: progress(ANNOTATE, done, plan.records))
    return _gather(directory, plan, bundle, output, progress, in_child=large)


def gather_shards(directory: Path, bundle: ReferenceBundle, output: Path, *, progress: Progress) -> Summary:
    """Join the shards whose outputs are in `directory` into the result, in the folder `output`.

    Raises UnusableInput when the file turns out to be of another build, EngineFailure.
    """
    plan = Plan.load(directory)
    for shard in plan.shards:
        progress(PUBLISH, plan.records, plan.records)
        packed = directory / output_name(shard.number)
        with tarfile.open(packed) as tar:
            tar.extractall(shard_directory(directory, shard.number), filter="data")
        packed.unlink()
    return _gather(directory, plan, bundle, output, progress, in_child=True)


def _gather(  # noqa: PLR0913 - what it works on, where and how
    directory: Path,
    plan: Plan,
    bundle: ReferenceBundle,
    output: Path,
    progress: Progress,
    *,
    in_child: bool,
) -> Summary:
    def tell() -> None:
        progress(PUBLISH, plan.records, plan.records)

    tell()
    order = {"bundle": str(bundle.path), "output": str(output), "command": command_of(plan)}
    with _stages(directory, in_child=in_child) as run:
        summary = run.gather(order, tell)
    summary.seconds = round(max(0, time.time() - plan.started_at), 3)
    return summary


def _stages(directory: Path, *, in_child: bool) -> AbstractContextManager[Stages]:
    return stages_with_kept_helper(directory) if in_child else stages(directory, helpers=0)


def _byte_range(plan: Plan, number: int) -> tuple[int, int]:
    chunks = plan.shards[number].chunks
    return chunks[0].start_byte, chunks[-1].end_byte


def _alone(plan: Plan, number: int) -> Plan:
    """The plan for a host that has the records of one shard only."""
    first_byte, _ = _byte_range(plan, number)
    shards = list(plan.shards)
    moved = tuple(
        Chunk(
            tuple(
                Segment(one.contig, one.records, one.start_byte - first_byte, one.end_byte - first_byte)
                for one in chunk.segments
            )
        )
        for chunk in shards[number].chunks
    )
    shards[number] = replace(shards[number], chunks=moved)
    return replace(plan, shards=shards)

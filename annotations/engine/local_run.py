"""Run the shards of a plan on this machine: one in this process, several in a child each."""

import sys
from collections.abc import Callable
from pathlib import Path

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.child import Step, run_all
from annotations.engine.plan import Plan
from annotations.engine.shard import annotate_shard


def run_shards(
    directory: Path, plan: Plan, bundle: ReferenceBundle, cores: int, progress: Callable[[int], None]
) -> None:
    """Annotate every shard, `cores` at a time; `progress` gets the records done in all."""
    if len(plan.shards) == 1 or cores == 1:
        for shard in plan.shards:
            annotate_shard(directory, shard.number, bundle, _onward(progress, shard.first_record))
        return
    steps = [
        Step(
            "module",
            ("annotations.engine.local_run", str(directory), str(shard.number), str(bundle.path)),
            environment={"POLARS_MAX_THREADS": "1"},
        )
        for shard in plan.shards
    ]
    run_all(steps, directory, at_once=cores)
    progress(plan.records)


def _onward(progress: Callable[[int], None], first_record: int) -> Callable[[int], None]:
    return lambda done: progress(first_record + done)


if __name__ == "__main__":
    annotate_shard(Path(sys.argv[1]), int(sys.argv[2]), ReferenceBundle.open(sys.argv[3]))

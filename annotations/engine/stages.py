"""Run the stages on this machine: in this process for a small input, in children for a large one.

A stage in a child gives its memory back when it ends, so that the largest stage bounds the whole run.
What goes in and comes out are small JSON files in the working directory.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.child import Step, run_all
from annotations.engine.errors import UnusableInput
from annotations.engine.layout import Plan, Rules, Summary

LARGE_BYTES = 2 << 20  # of input; below it a child of our own costs more than it saves
# One thread a shard, for there is a shard for every core. polars' allocator gets one arena and keeps freed
# pages for a second: less memory than by default, and fewer page faults than giving them back at once.
SHARD_ENVIRONMENT = {
    "POLARS_MAX_THREADS": "1",
    "_RJEM_MALLOC_CONF": "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0",
}
SHARD_STAGES = frozenset({"shard", "shards"})
PROGRESS_NAME = "progress"


def plan_stage(directory: Path, order: dict[str, Any]) -> dict[str, Any]:
    from annotations.engine.plan import make_plan

    make_plan(
        Path(order["source"]),
        order["name"],
        ReferenceBundle.open(order["bundle"]),
        directory,
        cores=order["cores"],
        haplotype_aware=order["haplotype_aware"],
        keep_bcsq=order["keep_bcsq"],
        rules=Rules(**order["rules"]),
        shard_records=order.get("shard_records"),
    )
    return {}


def shard_stage(directory: Path, order: dict[str, Any]) -> dict[str, Any]:
    from annotations.engine.shard import annotate_shard

    progress = directory / f"{PROGRESS_NAME}-{order['number']}"
    annotate_shard(
        directory,
        order["number"],
        ReferenceBundle.open(order["bundle"]),
        lambda done: _write_whole(progress, str(done)),
    )
    return {}


def shards_stage(directory: Path, order: dict[str, Any]) -> dict[str, Any]:
    """Several shards one after the other: libraries and gene models are loaded once for all of them."""
    for number in order["numbers"]:
        shard_stage(directory, {"bundle": order["bundle"], "number": number})
    return {}


def gather_stage(directory: Path, order: dict[str, Any]) -> dict[str, Any]:
    from annotations.engine.gather import gather

    bundle = ReferenceBundle.open(order["bundle"])
    return gather(directory, bundle, Path(order["output"]), order["command"]).as_json()


STAGES: dict[str, Callable[[Path, dict[str, Any]], dict[str, Any]]] = {
    "plan": plan_stage,
    "shard": shard_stage,
    "shards": shards_stage,
    "gather": gather_stage,
}


Watch = Callable[[], None]


def run_plan(directory: Path, order: dict[str, Any], in_child: bool, watch: Watch) -> Plan:
    """Check the input and plan its annotation. Raises UnusableInput.

    `watch` is called about once a second while a child is at work; what it raises ends the child.
    """
    _run("plan", directory, order, in_child, watch)
    return Plan.load(directory)


def run_gather(directory: Path, order: dict[str, Any], in_child: bool, watch: Watch) -> Summary:
    """Join what the shards made. Raises UnusableInput when the file turns out to be of another build."""
    outcome = _run("gather", directory, order, in_child, watch)
    return Summary(**outcome)


def run_shard(directory: Path, number: int, bundle: ReferenceBundle, progress: Callable[[int], None]) -> None:
    """Annotate one shard in a child; `progress` gets the records done about once a second."""
    step = _step("shard", directory, {"bundle": str(bundle.path), "number": number})
    run_all([step], directory, at_once=1, watch=lambda: progress(_records_done(directory, number)))
    progress(_records_done(directory, number))


def run_shards(
    directory: Path, plan: Plan, bundle: ReferenceBundle, cores: int, progress: Callable[[int], None]
) -> None:
    """Annotate every shard in `cores` children; `progress` gets the records done in all."""
    if len(plan.shards) == 1:
        from annotations.engine.shard import annotate_shard

        annotate_shard(directory, 0, bundle, progress)
        return
    numbers = [shard.number for shard in plan.shards]
    orders = [{"bundle": str(bundle.path), "numbers": numbers[first::cores]} for first in range(cores)]
    steps = [_step("shards", directory, order) for order in orders if order["numbers"]]

    def watch() -> None:
        progress(sum(_records_done(directory, shard.number) for shard in plan.shards))

    run_all(steps, directory, at_once=cores, watch=watch)
    progress(plan.records)


def _run(stage: str, directory: Path, order: dict[str, Any], in_child: bool, watch: Watch) -> dict[str, Any]:
    if not in_child:
        return STAGES[stage](directory, order)
    run_all([_step(stage, directory, order)], directory, at_once=1, watch=watch)
    outcome: dict[str, Any] = json.loads((directory / f"{stage}.outcome.json").read_text())
    if "refused" in outcome:
        raise UnusableInput(outcome["refused"], outcome["problems"])
    result: dict[str, Any] = outcome["result"]
    return result


def _step(stage: str, directory: Path, order: dict[str, Any]) -> Step:
    return Step(
        "module",
        ("annotations.engine.stages", stage, str(directory), json.dumps(order)),
        environment=SHARD_ENVIRONMENT if stage in SHARD_STAGES else {},
    )


def _records_done(directory: Path, number: int) -> int:
    path = directory / f"{PROGRESS_NAME}-{number}"
    return int(path.read_text()) if path.exists() else 0


def _write_whole(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text)
    beside.replace(path)


def main(stage: str, directory: Path, order: dict[str, Any]) -> None:
    """What a child does: the stage, and its outcome as a file."""
    try:
        outcome: dict[str, Any] = {"result": STAGES[stage](directory, order)}
    except UnusableInput as error:
        outcome = {"refused": str(error), "problems": error.problems}
    if stage not in SHARD_STAGES:
        _write_whole(directory / f"{stage}.outcome.json", json.dumps(outcome))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))

"""Run the stages on this machine: in this process for a small input, in children for a large one.

Of a large input all memory is given back when it is done, and a fault of a library ends no worker.
"""

import gc
import json
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.child import Step
from annotations.engine.errors import UnusableInput
from annotations.engine.helpers import Helpers, Order, Watch
from annotations.engine.kept import KeptHelpers
from annotations.engine.layout import Plan, Rules, Summary

LARGE_BYTES = 2 << 20  # of input; below it a child of our own costs more than it saves
# One thread a child, for there is a child for every core. polars' allocator gets one arena, and both keep
# what was freed for a while, or up to some size, for the next chunk: pages that go back have to be cleared
# when they are got again, which was a seventh of a shard's processor time.
ENVIRONMENT = {
    "POLARS_MAX_THREADS": "1",
    "_RJEM_MALLOC_CONF": "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
    # nor a thread to multiply matrices with, which we never do, and which spins for 0.1 s
    "OPENBLAS_NUM_THREADS": "1",
}
HELPER = Step("module", ("annotations.engine.stages",), environment=ENVIRONMENT)
kept_helpers = KeptHelpers(HELPER)


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

    with _progress_path(directory, order["number"]).open("wb", buffering=0) as file:

        def tell(done: int) -> None:
            # in its place: ext4 writes to disk at once what takes the place of another file
            os.pwrite(file.fileno(), b"%12d" % done, 0)

        annotate_shard(directory, order["number"], ReferenceBundle.open(order["bundle"]), tell)
    # gene models refer to themselves; of so few objects Python thinks long before it looks for such
    gc.collect()
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


class Stages:
    """Runs the stages of one input, in helpers or, without any, in this process."""

    def __init__(self, directory: Path, helpers: Helpers | None) -> None:
        self._directory = directory
        self._helpers = helpers

    def plan(self, order: Order, watch: Watch) -> Plan:
        """Check the input and plan its annotation. Raises UnusableInput.

        `watch` is called about once a second while a helper is at work; what it raises ends the helper.
        """
        self._run("plan", order, watch)
        return Plan.load(self._directory)

    def shards(
        self, plan: Plan, bundle: ReferenceBundle, cores: int, progress: Callable[[int], None]
    ) -> None:
        """Annotate every shard, `cores` at a time; `progress` gets the records done in all."""
        if self._helpers is None:
            if len(plan.shards) == 1:
                self.shard(0, bundle, progress)
            else:
                with stages(self._directory, helpers=cores) as run:
                    run.shards(plan, bundle, cores, progress)
            return

        def watch() -> None:
            progress(sum(_records_done(self._directory, shard.number) for shard in plan.shards))

        numbers = [shard.number for shard in plan.shards]
        orders = [{"bundle": str(bundle.path), "numbers": numbers[first::cores]} for first in range(cores)]
        # the last shards are the smallest: for the first helper, that checked the file while others got ready
        given = [order for order in orders[::-1] if order["numbers"]]
        self._helpers.carry_out("shards", self._directory, given, watch)
        progress(plan.records)

    def shard(self, number: int, bundle: ReferenceBundle, progress: Callable[[int], None]) -> None:
        """Annotate one shard; `progress` gets the records done, from a helper about once a second."""
        if self._helpers is None:
            from annotations.engine.shard import annotate_shard

            annotate_shard(self._directory, number, bundle, progress)
            return

        def watch() -> None:
            progress(_records_done(self._directory, number))

        self._run("shard", {"bundle": str(bundle.path), "number": number}, watch)
        watch()

    def gather(self, order: Order, watch: Watch) -> Summary:
        """Join what the shards made. Raises UnusableInput when the file turns out to be of another build."""
        if self._helpers is not None:
            self._helpers.need_only(1)
        return Summary(**self._run("gather", order, watch))

    def _run(self, stage: str, order: Order, watch: Watch) -> dict[str, Any]:
        if self._helpers is None:
            return STAGES[stage](self._directory, order)
        result: dict[str, Any] = self._helpers.carry_out(stage, self._directory, [order], watch)[0]
        return result


@contextmanager
def stages(directory: Path, *, helpers: int) -> Iterator[Stages]:
    """The stages of an input that is worked on in `directory`, with so many helpers."""
    if not helpers:
        yield Stages(directory, None)
        return
    with Helpers.start(HELPER, directory, helpers) as started:
        yield Stages(directory, started)


@contextmanager
def stages_with_kept_helper(directory: Path) -> Iterator[Stages]:
    """The stages of an input of which this process does one, and then perhaps one of another input."""
    with kept_helpers.lent() as helper:
        yield Stages(directory, Helpers([helper]))


def _records_done(directory: Path, number: int) -> int:
    path = _progress_path(directory, number)
    return int(path.read_text() or 0) if path.exists() else 0


def _progress_path(directory: Path, number: int) -> Path:
    """Where a shard says how many of its records are done."""
    return directory / f"progress-{number}"


def serve() -> None:
    """What a helper does: the stages that it is told to, until there are no more orders."""
    is_awaited, _, _ = select.select([sys.stdin], [], [], 0)
    if not is_awaited:  # it has the time to get ready for any of them
        _load(*STAGES)
    for line in sys.stdin:
        stage, directory, order = json.loads(line)
        _load(stage)
        try:
            answer: dict[str, Any] = {"result": STAGES[stage](Path(directory), order)}
        except UnusableInput as error:
            answer = {"refused": str(error), "findings": [asdict(one) for one in error.findings]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _load(*stages: str) -> None:
    """Load the libraries of stages. They stay, and are not looked through for garbage again and again."""
    names = [f"annotations.engine.{stage.removesuffix('s')}" for stage in stages]
    missing = [name for name in names if name not in sys.modules]
    if missing:
        gc.disable()
        for name in missing:
            import_module(name)
        gc.enable()
        gc.freeze()


if __name__ == "__main__":
    serve()

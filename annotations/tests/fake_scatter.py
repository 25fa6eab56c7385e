"""A stand-in for `annotations.engine.scatter`: the same files pass, and next to nothing is done."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.layout import Chunk, Plan, Segment, Shard, Summary
from annotations.engine.scatter import input_name, output_name
from annotations.tests.fakes import ENDINGS

RECORDS = 100  # of each shard

Progress = Callable[[str, int, int], None]


def do_nothing(what: str, report: Callable[[], None]) -> None:
    pass


@dataclass
class FakeScatter:
    """`during` is called in the midst of each step with its name ("plan", "input 0", "shard 0", "gather") and
    a function that reports progress; `steps` has the names of all that were begun."""

    shards: int = 3
    during: Callable[[str, Callable[[], None]], None] = do_nothing
    steps: list[str] = field(default_factory=list)

    input_name = staticmethod(input_name)
    output_name = staticmethod(output_name)

    def plan_shards(
        self, source: Path, bundle: ReferenceBundle, directory: Path, *, progress: Progress, **options: Any
    ) -> Plan:
        self._begin("plan", lambda: progress("check", 0, 0))
        directory.mkdir()
        shards = [
            Shard(n, n * RECORDS, (Chunk((Segment(0, RECORDS, n, n + 1),)),)) for n in range(self.shards)
        ]
        plan = Plan("patient", [], [], [("1", "1")], shards, RECORDS * self.shards, [], False, False)
        plan.save(directory)
        return plan

    def write_input(self, directory: Path, plan: Plan, number: int) -> Path:
        self._begin(f"input {number}", lambda: None)
        path = directory / input_name(number)
        path.write_text(f"input {number}")
        return path

    def annotate_input(
        self, directory: Path, number: int, bundle: ReferenceBundle, *, progress: Callable[[int], None]
    ) -> Path:
        self._begin(f"shard {number}", lambda: progress(RECORDS // 2))
        path = directory / output_name(number)
        path.write_text((directory / input_name(number)).read_text().replace("input", "output"))
        return path

    def annotate_here(
        self, directory: Path, bundle: ReferenceBundle, output: Path, *, progress: Progress
    ) -> Summary:
        self._begin("here", lambda: progress("annotate", RECORDS, RECORDS))
        return self._result(output, "whole")

    def gather_shards(
        self, directory: Path, bundle: ReferenceBundle, output: Path, *, progress: Progress
    ) -> Summary:
        plan = Plan.load(directory)
        self._begin("gather", lambda: progress("publish", plan.records, plan.records))
        outputs = [(directory / output_name(shard.number)).read_text() for shard in plan.shards]
        return self._result(output, json.dumps(outputs))

    def _begin(self, what: str, report: Callable[[], None]) -> None:
        self.steps.append(what)
        report()
        self.during(what, report)

    def _result(self, output: Path, text: str) -> Summary:
        output.mkdir()
        files = {kind: str(output / f"patient{ending}") for kind, ending in ENDINGS.items()}
        for path in files.values():
            Path(path).write_text(text)
        return Summary("patient", "tiny 1", 1, 1, 1, {}, {}, {}, {}, [], files)

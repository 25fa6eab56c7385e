"""Children that carry out the stages of a large file, one after the other, as they are told to.

A child spends a third of a second of processor time on loading libraries. So a file has as many as it may use
cores, all started at once: while one of them checks the file, with what that takes, the others get ready.
"""

import json
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from annotations.engine.check.report import Finding
from annotations.engine.child import WATCH_SECONDS, Child, Step
from annotations.engine.errors import EngineFailure, UnusableInput

Order = dict[str, Any]
Watch = Callable[[], None]


class Helper:
    """A child that reads orders (a JSON line each: stage and order) and answers with a JSON line each."""

    def __init__(self, step: Step, scratch: Path) -> None:
        self._child = Child(step, scratch, takes_orders=True)
        self._started = time.monotonic()

    def fileno(self) -> int:
        return self._child.answers.fileno()

    @property
    def deadline(self) -> float:
        return self._child.deadline

    @property
    def title(self) -> str:
        return self._child.step.title

    @property
    def process_id(self) -> int:
        return self._child.process_id

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self._started

    def finished(self) -> bool:
        return self._child.finished()

    def renew(self) -> None:
        """Its time begins anew: it gets another input to work on."""
        self._child.renew()

    def give(self, stage: str, directory: Path, order: Order) -> None:
        try:
            self._child.orders.write(json.dumps([stage, str(directory), order]).encode() + b"\n")
            self._child.orders.flush()
        except BrokenPipeError:
            pass  # it ended; what it died of is told where its answer is waited for

    def answer(self) -> Any:
        """What came of the last order, waiting for it. Raises UnusableInput, EngineFailure."""
        line = self._child.answers.readline()
        if not line:
            self._child.check()
            raise EngineFailure(f"{self.title} ended before it had done what it was told to")
        answer = json.loads(line)
        if "refused" in answer:
            raise UnusableInput(answer["refused"], [Finding(**one) for one in answer["findings"]])
        return answer["result"]

    def stop(self) -> None:
        self._child.stop()

    def close(self) -> None:
        self._child.close()


class Helpers:
    """As many helpers as the file may use cores; none of them is left when it is closed."""

    def __init__(self, helpers: Sequence[Helper]) -> None:
        self._all = list(helpers)

    @classmethod
    def start(cls, step: Step, scratch: Path, count: int) -> Self:
        helpers = cls([])
        try:
            for _ in range(count):
                helpers._all.append(Helper(step, scratch))
        except BaseException:
            helpers.close()
            raise
        return helpers

    @property
    def process_ids(self) -> list[int]:
        return [helper.process_id for helper in self._all]

    def carry_out(self, stage: str, directory: Path, orders: Sequence[Order], watch: Watch) -> list[Any]:
        """Carry out the orders side by side, at most one for each helper; returns what came of them.

        `directory` is that of the input, with the plan.

        `watch` is called about once a second meanwhile. Raises UnusableInput, EngineFailure and what `watch`
        raises.
        """
        at_work = dict(zip(self._all, range(len(orders)), strict=False))
        for helper, number in at_work.items():
            helper.give(stage, directory, orders[number])
        results: dict[int, Any] = {}
        while at_work:
            nearest = min(at_work, key=lambda helper: helper.deadline)
            left_seconds = nearest.deadline - time.monotonic()
            if left_seconds <= 0:
                raise EngineFailure(f"{nearest.title} did not end in time")
            ready, _, _ = select.select(list(at_work), [], [], min(left_seconds, WATCH_SECONDS))
            for helper in ready:
                results[at_work.pop(helper)] = helper.answer()
            watch()
        return [results[number] for number in sorted(results)]

    def close(self) -> None:
        for helper in self._all:
            helper.stop()  # all at once, and each gives its memory back beside the others
        for helper in self._all:
            helper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""An engine that works for a while and reports on its way, but needs no reference."""

import time
from collections.abc import Callable

from annotations.tests.fakes import FakeEngine

STEPS = 12
STEP_SECONDS = 0.05


def _work(progress: Callable[[str, int, int], None]) -> None:
    for step in range(STEPS):
        progress("annotate", step, STEPS)
        time.sleep(STEP_SECONDS)  # stands for computing


annotate = FakeEngine(during=_work)

"""What the acts of a rehearsal have in common: the stage, a clock, and patience that ends."""

import re
import time
from collections.abc import Callable
from typing import Any

from deploy.tests.rehearse.stage import Stage

MOST_SECONDS = 480
LONGEST_WAIT_SECONDS = 100  # the sweep comes each minute


class Scene:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {text}", flush=True)  # noqa: T201  for who watches

    def wait(self, what: str, condition: Callable[[], Any]) -> Any:
        """The condition's answer, once it is true. Raises TimeoutError when the rehearsal's time is over."""
        deadline = min(time.monotonic() + LONGEST_WAIT_SECONDS, self._began + MOST_SECONDS)
        while not (answer := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"This did not come true in time: {what}")
            time.sleep(0.3)
        self.say(what)
        return answer

    def found(self, pattern: str, text: str) -> str:
        match = re.search(pattern, text)
        assert match, text[:5000]
        return match[1]

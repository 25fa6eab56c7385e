"""What the suite stands on: seeds, stands, and a long task that runs beside everything else."""

import os
import random
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotations.tests.waiting import wait_until
from gas_project.tests.chaos.stand import Stand, workers

Report = Callable[[str], None]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Says something that is to be read though the test passes."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", flush=True)  # noqa: T201

    return say


@pytest.fixture
def chance(report: Report) -> random.Random:
    """Random numbers of a seed that is printed; CHAOS_SEED repeats a run."""
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))
    report(f"CHAOS_SEED={seed}")
    return random.Random(seed)  # noqa: S311  no secret


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    stand = Stand(tmp_path)
    yield stand
    stand.close()


@pytest.fixture(scope="session", autouse=True)
def long_task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], list[str]]]:
    """A task of 60 s at a visibility timeout of 10 s, with two workers that could take it; gives its notes.

    It runs while the other tests do, on a broker of its own.
    """
    stand = Stand(tmp_path_factory.mktemp("long"), visibility_timeout_seconds=10)
    with workers(stand, "first", "second"):
        stand.site.send("work", "long", 60)
        wait_until(lambda: bool(stand.site.notes_of("long")), timeout_seconds=60)

        def notes_at_its_end() -> list[str]:
            wait_until(lambda: "long ends" in stand.site.notes(), timeout_seconds=120)
            threading.Event().wait(12)  # in which a message that was not deleted would be seen again
            return stand.site.notes_of("long")

        yield notes_at_its_end
    stand.close()

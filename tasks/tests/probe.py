"""Tasks for tests of the worker: each writes down that it ran."""

import os
import time
from pathlib import Path

from celery import shared_task


def note(name: str) -> None:
    with (Path(os.environ["GAS_STATE_DIR"]) / "notes").open("a") as notes:
        notes.write(name + "\n")


@shared_task(name="probe.run")
def run(name: str) -> None:
    note(name)


@shared_task(name="probe.work")
def work(name: str, seconds: float) -> None:
    note(f"{name} begins")
    time.sleep(seconds)
    note(f"{name} ends")


@shared_task(name="probe.break_down")
def break_down(name: str) -> None:
    note(name)
    raise ValueError("as it always does")

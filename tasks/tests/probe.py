"""Tasks for tests of the worker: each writes down that it ran.

PROBE_PAUSE_SECONDS makes the worker wait only so long, at most, before it asks a broker in trouble again.
"""

import os
import time
from pathlib import Path

from celery import shared_task, signals

from tasks import transport

if _pause := os.environ.get("PROBE_PAUSE_SECONDS"):
    transport.FIRST_PAUSE_SECONDS = transport.LONGEST_PAUSE_SECONDS = float(_pause)


def note(name: str) -> None:
    with (Path(os.environ["GAS_STATE_DIR"]) / "notes").open("a") as notes:
        notes.write(name + "\n")


@signals.worker_ready.connect
def worker_is_ready(**_: object) -> None:
    note(f"ready {os.getpid()}")


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


@shared_task(name="probe.stamp")
def stamp(name: str, sent_at: float) -> None:
    """Notes after how many seconds it began."""
    note(f"{name} {time.time() - sent_at}")

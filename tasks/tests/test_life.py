"""A worker that has stopped asking for messages is noticed, though its process lives."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import signals
from django.core.management import CommandError, call_command

from tasks import life


@pytest.fixture(autouse=True)
def _no_queues() -> Iterator[None]:
    life._turned_at.clear()
    yield
    life._turned_at.clear()


def silence(name: str, seconds: float) -> None:
    life.life_folder().mkdir(parents=True, exist_ok=True)
    (life.life_folder() / name).touch()
    then = time.time() - seconds
    os.utime(life.life_folder() / name, (then, then))


def test_a_worker_that_asks_all_its_queues_gives_a_sign_of_life(folders: Path) -> None:
    life.turned("annotate")
    life.touch("annotator")
    assert list(life.silent_seconds()) == ["annotator"]
    assert life.deaf_workers() == []


def test_one_queue_that_is_no_longer_asked_is_enough_to_be_silent(folders: Path) -> None:
    life.turned("annotate")
    life._turned_at["default"] = time.monotonic() - life.TURN_WITHIN_SECONDS - 1
    life.touch("annotator")
    assert life.silent_seconds() == {}
    life.forget("default")
    life.touch("annotator")
    assert list(life.silent_seconds()) == ["annotator"]


def test_a_worker_that_was_silent_for_long_is_deaf_and_its_neighbour_is_not(folders: Path) -> None:
    silence("annotator", life.DEAF_AFTER_SECONDS + 5)
    silence("clerk", 10)
    assert life.deaf_workers() == ["annotator"]
    with pytest.raises(CommandError, match="annotator"):
        call_command("checkworker")
    call_command("checkworker", "clerk")


def test_a_worker_that_stops_on_purpose_is_not_taken_for_deaf_while_its_last_task_ends(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "_is_stopping", False)
    silence("annotator", life.DEAF_AFTER_SECONDS + 5)
    signals.worker_shutting_down.send("annotator@host", sig="SIGTERM", how="Warm", exitcode=0)
    life.touch("annotator")
    assert life.deaf_workers() == []


def test_a_worker_that_has_not_begun_is_not_deaf(folders: Path) -> None:
    assert life.deaf_workers() == []

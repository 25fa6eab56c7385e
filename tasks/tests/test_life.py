"""A worker that has stopped asking for messages is noticed, though its process lives."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import life


@pytest.fixture(autouse=True)
def _no_queues() -> Iterator[None]:
    life._turned_at.clear()
    yield
    life._turned_at.clear()


def silence(seconds: float) -> None:
    life.life_file().parent.mkdir(parents=True, exist_ok=True)
    life.life_file().touch()
    then = time.time() - seconds
    os.utime(life.life_file(), (then, then))


def test_a_worker_that_asks_all_its_queues_gives_a_sign_of_life(folders: Path) -> None:
    life.turned("annotate")
    life._touch()
    assert life.silent_seconds() is not None
    assert not life.is_deaf()


def test_one_queue_that_is_no_longer_asked_is_enough_to_be_silent(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.turned("annotate")
    life._turned_at["default"] = time.monotonic() - life.TURN_WITHIN_SECONDS - 1
    life._touch()
    assert life.silent_seconds() is None
    life.forget("default")
    life._touch()
    assert life.silent_seconds() is not None


@pytest.mark.parametrize(("seconds", "deaf"), [(10, False), (life.DEAF_AFTER_SECONDS + 5, True)])
def test_a_worker_that_was_silent_for_long_is_deaf(folders: Path, seconds: float, deaf: bool) -> None:
    silence(seconds)
    assert life.is_deaf() is deaf


def test_a_worker_that_has_not_begun_is_not_deaf(folders: Path) -> None:
    assert not life.is_deaf()

"""A helper is kept for the next input, unless something went wrong with the last one."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from annotations.engine import kept
from annotations.engine.errors import EngineFailure, UnusableInput
from annotations.engine.helpers import Helper, Helpers
from annotations.engine.kept import KeptHelpers
from annotations.engine.stages import HELPER
from annotations.engine.tests.test_helpers import is_alive


@pytest.fixture
def helpers() -> Iterator[KeptHelpers]:
    helpers = KeptHelpers(HELPER)
    yield helpers
    helpers.close_idle()


def test_the_next_input_gets_the_same_helper(helpers: KeptHelpers) -> None:
    with helpers.lent() as first:
        pass
    with helpers.lent() as second:
        assert second is first
        with helpers.lent() as third:
            assert third is not first


def test_another_thread_gets_one_of_its_own_for_with_the_thread_its_helper_ends(helpers: KeptHelpers) -> None:
    def take() -> Helper:
        with helpers.lent() as one:
            return one

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(take).result()
        assert pool.submit(take).result() is first
        with helpers.lent() as second:
            assert second is not first
    with helpers.lent() as again:
        assert again is second


def test_a_refused_input_is_no_fault_of_the_helper(helpers: KeptHelpers) -> None:
    with pytest.raises(UnusableInput), helpers.lent() as first:
        raise UnusableInput("not a VCF")
    with helpers.lent() as second:
        assert second is first


def test_one_that_failed_or_was_stopped_is_not_kept(helpers: KeptHelpers, tmp_path: Path) -> None:
    with pytest.raises(EngineFailure), helpers.lent() as failed:
        Helpers([failed]).carry_out("shard", tmp_path, [{}], lambda: None)
    with pytest.raises(KeyboardInterrupt), helpers.lent() as stopped:
        raise KeyboardInterrupt
    assert not is_alive(stopped.process_id)
    with helpers.lent() as another:
        assert another not in {failed, stopped}


def test_one_that_died_meanwhile_is_replaced(helpers: KeptHelpers) -> None:
    with helpers.lent() as first:
        pass
    os.kill(first.process_id, signal.SIGKILL)
    os.waitid(os.P_PID, first.process_id, os.WEXITED | os.WNOWAIT)
    with helpers.lent() as second:
        assert second is not first


def test_an_old_one_and_an_idle_one_are_ended(helpers: KeptHelpers, monkeypatch: pytest.MonkeyPatch) -> None:
    with helpers.lent() as idle:
        pass
    helpers.close_idle(longest_seconds=1_000)
    assert is_alive(idle.process_id)
    helpers.close_idle()
    assert not is_alive(idle.process_id)
    monkeypatch.setattr(kept, "OLDEST_SECONDS", 0.0)
    with helpers.lent() as old:
        pass
    assert not is_alive(old.process_id)

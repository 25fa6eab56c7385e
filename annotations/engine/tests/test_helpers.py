"""Children that take orders do what they are told, and what becomes of them is told."""

import os
import select
import signal
from pathlib import Path

import pytest

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.errors import EngineFailure
from annotations.engine.helpers import Helpers
from annotations.engine.layout import Plan
from annotations.engine.stages import HELPER, stages

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def order(source: Path, bundle: ReferenceBundle) -> dict[str, object]:
    return {
        "source": str(source),
        "name": "in",
        "bundle": str(bundle.path),
        "cores": 2,
        "haplotype_aware": False,
        "keep_bcsq": False,
        "rules": {},
    }


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_helper_does_one_stage_after_the_other(demo_bundle: ReferenceBundle, tmp_path: Path) -> None:
    source = tmp_path / "in.vcf"
    source.write_text(HEADER + "1\t5\t.\tN\tC\t.\t.\t.\n")
    done: list[int] = []
    with stages(tmp_path, helpers=1) as run:
        plan = run.plan(order(source, demo_bundle), lambda: None)
        run.shards(plan, demo_bundle, 1, done.append)
        output = {"bundle": str(demo_bundle.path), "output": str(tmp_path / "out"), "command": "annotate in"}
        summary = run.gather(output, lambda: None)
    assert (plan.records, done[-1], summary.records_out) == (1, 1, 1)
    assert Plan.load(tmp_path) == plan


def test_a_helper_that_is_killed_fails_the_stage_and_leaves_no_other(
    tmp_path: Path, demo_bundle: ReferenceBundle
) -> None:
    fifo = tmp_path / "never-written.vcf"
    os.mkfifo(fifo)
    with Helpers.start(HELPER, tmp_path, 2) as helpers:
        first, second = helpers.process_ids

        def kill_the_first() -> None:
            os.kill(first, signal.SIGKILL)

        with pytest.raises(EngineFailure, match="was ended by SIGKILL"):
            helpers.carry_out("plan", tmp_path, [order(fifo, demo_bundle)] * 2, kill_the_first)
        assert is_alive(second)
    assert not is_alive(second)


def test_helpers_that_are_not_needed_any_more_end_before_the_others(tmp_path: Path) -> None:
    with Helpers.start(HELPER, tmp_path, 2) as helpers:
        first, second = helpers.process_ids
        end_of_second = os.pidfd_open(second)
        helpers.need_only(1)
        ended, _, _ = select.select([end_of_second], [], [], 30)
        os.close(end_of_second)
        assert ended
        assert is_alive(first)
    assert not is_alive(first)
    assert not is_alive(second)


def test_what_the_watcher_raises_ends_the_helpers(tmp_path: Path, demo_bundle: ReferenceBundle) -> None:
    fifo = tmp_path / "never-written.vcf"
    os.mkfifo(fifo)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Helpers.start(HELPER, tmp_path, 1) as helpers:
        (process_id,) = helpers.process_ids
        helpers.carry_out("plan", tmp_path, [order(fifo, demo_bundle)], stop)
    assert not is_alive(process_id)


def test_an_error_in_a_stage_is_told_with_its_words(tmp_path: Path) -> None:
    with (
        Helpers.start(HELPER, tmp_path, 1) as helpers,
        pytest.raises(EngineFailure, match="KeyError: 'source'"),
    ):
        helpers.carry_out("plan", tmp_path, [{}], lambda: None)

"""Workers are killed, messages doubled, the broker goes away: every job is done, once."""

import random
import threading

import pytest

from annotations.tests.waiting import wait_until
from gas_project.tests.chaos.conftest import Report
from gas_project.tests.chaos.stand import FILES_OF_AN_ARCHIVED_JOB, Stand, kill_parent, workers

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

JOBS, KILLS = 60, 30
OUTAGE_SECONDS = 20


def pass_seconds(seconds: float) -> None:
    """Let time pass: how long is what is tested here."""
    threading.Event().wait(seconds)


def test_workers_are_killed_at_thirty_random_moments(
    stand: Stand, chance: random.Random, report: Report
) -> None:
    jobs = stand.submit(JOBS)
    stand.start_beat()
    at_work = 0
    with workers(stand, "w1", "w2") as running:
        for _ in range(KILLS):
            name = chance.choice(sorted(running))
            wait_until(running[name].is_ready, timeout_seconds=60)
            pass_seconds(chance.uniform(0, 1.5))
            at_work += bool(stand.scratch_folders())
            if chance.random() < 0.5:
                kill_parent(running[name])
            running[name].kill()
            running[name] = stand.site.start_worker(name)
        stand.wait_until_all_is_done(120)
        stand.audit(jobs)
    sent_again = stand.query("SELECT SUM(attempts) FROM annotations_job")[0][0]
    report(f"{KILLS} kills, {at_work} of them while jobs were at work; {JOBS} jobs took {sent_again} runs")


def test_every_message_is_delivered_three_times_and_out_of_order(stand: Stand, chance: random.Random) -> None:
    stand.proxy.copies, stand.proxy.chance = 3, chance
    stand.site.settings = {**stand.site.settings, "GAS_FREE_RETENTION_SECONDS": "1"}
    jobs = stand.submit(20)
    stand.start_beat()
    with workers(stand, "w1", "w2"):
        stand.wait_until_all_is_done(120)
        stand.wait_until_all_is_archived(120)
        stand.proxy.copies = 1
        wait_until(lambda: stand.proxy.on_their_way == 0)
        for queue in ("annotate", "archive"):
            wait_until(lambda queue=queue: stand.site.messages(queue) == 0, timeout_seconds=60)  # type: ignore[misc]
        stand.audit(jobs, files_each=FILES_OF_AN_ARCHIVED_JOB)


def test_the_broker_is_down_then_answers_nonsense_then_forgets_everything(stand: Stand) -> None:
    stand.start_beat()
    jobs = stand.submit(5)
    with workers(stand, "w1") as running:
        stand.stop_broker()
        jobs += stand.submit(5)
        pass_seconds(OUTAGE_SECONDS)
        stand.start_broker_again()  # with no queue and no message of before
        stand.wait_until_all_is_done(90)

        with stand.proxy.failing("internal error"):
            jobs += stand.submit(5)
            pass_seconds(OUTAGE_SECONDS)
        stand.wait_until_all_is_done(90)

        jobs += stand.submit(10)
        stand.forget_all_messages()
        stand.wait_until_all_is_done(90)
        stand.audit(jobs)
        assert running["w1"].is_running(), "one worker went through all of it"
